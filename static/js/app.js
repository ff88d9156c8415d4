/* What every page does in the browser: announces, opens dialogs, shows failures and slow answers, notices when the session has ended, and sends
   nothing twice. Keeps nothing in the browser. */
(() => {
  "use strict";
  const root = document.documentElement;
  root.dataset.js = "";

  /* one polite voice; set to nothing first, so that the same words are said again */
  const announce = (words) => {
    const voice = document.getElementById("announcer");
    if (!voice || !words) return;
    voice.textContent = "";
    window.setTimeout(() => { voice.textContent = words; }, 50);
  };

  /* one failure at a time, where it can be seen: within a dialog that covers the page */
  const banners = document.getElementById("banners");
  const shown = () => document.querySelector("[data-failure]");
  const forget = () => document.querySelectorAll("[data-failure]").forEach((banner) => banner.remove());
  const showFailure = (kind) => {
    const banner = document.getElementById(`failure-${kind}`)?.content.firstElementChild?.cloneNode(true);
    const dialog = [...document.querySelectorAll("dialog:modal")].at(-1);
    const place = dialog ? dialog.querySelector(".dialog__body") ?? dialog : banners;
    if (!banner || !place) return;
    forget();
    banner.dataset.failure = kind;
    place.prepend(banner);
    banner.scrollIntoView({ block: "nearest" });
  };

  /* what asks by itself never blames an action, and takes its own words back when it succeeds */
  let saidOld = false;
  const sayOld = (isOld) => {
    if (isOld && !shown()) showFailure("quiet");
    else if (isOld || !saidOld) return;
    else forget();
    saidOld = isOld;
  };

  /* The session. What a page shows is of who was signed in when it was made. Who no longer is leaves it, unless something typed would be lost. */
  const frame = document.getElementById("palette-place");
  const isTyped = (field) => {
    if (field.type === "hidden") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.tagName === "SELECT") return [...field.options].some((option, at) => option.selected !== (option.defaultSelected || (!field.querySelector("[selected]") && at === 0)));
    return field.value !== field.defaultValue;
  };
  const holdsTyped = (part) => [...part.querySelectorAll("input, select, textarea")].some(isTyped);
  const signedOut = () => {
    if (!holdsTyped(document.getElementById("content"))) window.location.replace(window.location.pathname + window.location.search);
    else if (shown()?.dataset.failure !== "signed-out") showFailure("signed-out");
  };
  /* asks who is signed in, and takes over the token of now: one of an earlier session is refused */
  const isIn = async () => {
    const answer = await fetch(frame.dataset.help, { redirect: "manual", headers: { "X-Look": "1" } });
    if (answer.type === "opaqueredirect") {
      signedOut();
      return false;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.getElementById("palette-place")?.dataset.person !== frame.dataset.person) {
      showFailure("other");
      return false;
    }
    const headers = page.body.getAttribute("hx-headers");
    document.body.setAttribute("hx-headers", headers);
    document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((input) => { input.value = JSON.parse(headers)["X-CSRFToken"]; });
    return true;
  };
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (!event.detail.xhr.getResponseHeader("HX-Redirect")?.startsWith(frame?.dataset.login ?? " ")) return;
    if (!holdsTyped(document.getElementById("content"))) return;
    event.preventDefault();
    signedOut();
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted && frame) isIn().catch(() => {}); });

  /* the number of a wish, a UUID; crypto.randomUUID is not there where the portal is reached without TLS */
  const newNumber = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  window.portal = Object.freeze({ announce, showFailure, sayOld, isTyped, signedOut, newNumber });

  let pressed = null;
  document.addEventListener("pointerdown", (event) => { pressed = event.target; });
  document.addEventListener("click", (event) => {
    const dismiss = event.target.closest("[data-dismiss]");
    if (dismiss) dismiss.closest(dismiss.dataset.dismiss)?.remove();

    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog) {
      event.preventDefault();
      dialog.showModal();
    }

    /* a click on the veil closes, if it began there: not a selection of text that ended outside */
    if (event.target instanceof HTMLDialogElement && pressed === event.target) event.target.close();
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    if (event.target.closest("[data-failure] [data-go-on]")) isIn().then((isBack) => { if (isBack) forget(); }).catch(() => showFailure("unsent"));
  });

  /* Forms. The second press of a hurried hand is none. A form that leaves the page asks first whether it will be taken: what was typed into it would
     be lost to a session that has ended, or to a portal that is gone. */
  const TWICE_MS = 2000;
  const sentAt = new WeakMap();
  const asking = new WeakSet();
  const sure = new WeakSet();
  const isPosted = (form) => form.getAttribute("method")?.toLowerCase() === "post";
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!isPosted(form) || !(form.matches(".htmx-request") || asking.has(form) || Date.now() - (sentAt.get(form) ?? 0) < TWICE_MS)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true });
  window.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || !isPosted(form)) return;
    if (!frame || sure.has(form) || form.matches("[data-draft]") || !holdsTyped(form)) {
      sentAt.set(form, Date.now());
      return;
    }
    event.preventDefault();
    asking.add(form);
    const may = await isIn().catch(() => showFailure("unsent"));
    asking.delete(form);
    if (!may) return;
    sure.add(form);
    form.requestSubmit(event.submitter);
    sure.delete(form);
  });

  /* what an answer brings: a dialog that wants to be open, a place that wants the focus, words to be said */
  const settle = (part) => {
    const all = (selector) => [...(part.matches?.(selector) ? [part] : []), ...part.querySelectorAll(selector)];
    all("dialog[data-open]").forEach((dialog) => { if (!dialog.open) dialog.showModal(); });
    all("[data-focus]").slice(0, 1).forEach((place) => place.focus());
    all("[data-announce]").slice(0, 1).forEach((place) => announce(place.dataset.announce || place.textContent.trim()));
  };
  document.addEventListener("htmx:load", (event) => settle(event.detail.elt));
  if (!document.querySelector("meta[name=htmx-config]")) settle(document.body); /* a page without htmx */

  /* htmx keeps no page (historyCacheSize 0) but still notes the last address in the session's storage: nothing is to stay there */
  const forgetAddress = () => window.sessionStorage.removeItem("htmx-current-path-for-history");
  ["htmx:load", "htmx:pushedIntoHistory", "htmx:replacedInHistory", "htmx:historyRestore"].forEach((name) => document.addEventListener(name, forgetAddress));
  window.addEventListener("pagehide", forgetAddress);

  const isQuiet = (event) => event.detail.elt.closest("[data-quiet]") !== null;

  /* the quiet bar: the style waits 400 ms before it shows; what polls says data-quiet and raises none */
  const waiting = new Set();
  const mark = () => root.toggleAttribute("data-loading", waiting.size > 0);
  document.addEventListener("htmx:beforeSend", (event) => {
    if (isQuiet(event)) return;
    const { xhr } = event.detail;
    forget();
    waiting.add(xhr);
    mark();
    xhr.addEventListener("loadend", () => { /* however it ended, and wherever its button is by then */
      waiting.delete(xhr);
      mark();
    });
  });

  /* a whole page is never put into a part of one */
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!event.detail.shouldSwap || !/^\s*<!doctype/i.test(event.detail.serverResponse)) return;
    event.detail.shouldSwap = false;
    event.detail.isError = true;
  });

  const fail = (event, kind) => {
    if (isQuiet(event)) {
      sayOld(true);
      return;
    }
    saidOld = false;
    showFailure(kind);
  };
  /* a search that is posted, so that what is typed stands in no address, reads too */
  const isRead = (event) => event.detail.requestConfig?.verb === "get" || event.detail.elt.matches("[data-reads]");
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    if (xhr.getResponseHeader("X-Stale-Token") && frame) {
      isIn().then((isBack) => { if (isBack && !isQuiet(event)) showFailure("again"); }).catch(() => fail(event, "network"));
    } else if ([401, 403, 404, 410].includes(xhr.status)) fail(event, "denied");
    else fail(event, isRead(event) && xhr.status > 500 ? "unread" : "server"); /* a proxy says 502 to 504 for a portal that is gone */
  });
  ["htmx:sendError", "htmx:timeout"].forEach((name) => document.addEventListener(name, (event) => fail(event, isRead(event) ? "unread" : "network")));
  document.addEventListener("htmx:afterRequest", (event) => { if (isQuiet(event) && event.detail.successful) sayOld(false); });
})();

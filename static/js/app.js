/* What every page does in the browser: announces, opens dialogs, shows failures and slow answers. Keeps nothing in the browser. */
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

  const banners = document.getElementById("banners");
  const showFailure = (kind) => {
    const template = document.getElementById(`failure-${kind}`);
    if (banners && template) banners.replaceChildren(template.content.cloneNode(true));
  };

  window.portal = Object.freeze({ announce, showFailure });

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
  const forget = () => window.sessionStorage.removeItem("htmx-current-path-for-history");
  ["htmx:load", "htmx:pushedIntoHistory", "htmx:replacedInHistory", "htmx:historyRestore"].forEach((name) => document.addEventListener(name, forget));
  window.addEventListener("pagehide", forget);

  const isQuiet = (event) => event.detail.elt.closest("[data-quiet]") !== null;

  /* the quiet bar: the style waits 400 ms before it shows; what polls says data-quiet and raises none */
  const waiting = new Set();
  const mark = () => root.toggleAttribute("data-loading", waiting.size > 0);
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isQuiet(event)) return;
    waiting.add(event.detail.xhr);
    mark();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    waiting.delete(event.detail.xhr);
    mark();
  });

  /* what asks by itself never blames an action, and takes its own words back when it succeeds */
  let saidOld = false;
  const fail = (event, kind) => {
    if (!isQuiet(event)) {
      saidOld = false;
      showFailure(kind);
    } else if (banners && !banners.hasChildNodes()) {
      saidOld = true;
      showFailure("quiet");
    }
  };
  document.addEventListener("htmx:responseError", (event) => fail(event, [401, 403, 404, 410].includes(event.detail.xhr.status) ? "denied" : "server"));
  document.addEventListener("htmx:sendError", (event) => fail(event, "network"));
  document.addEventListener("htmx:timeout", (event) => fail(event, "network"));
  document.addEventListener("htmx:beforeSend", (event) => { if (!isQuiet(event)) banners?.replaceChildren(); });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (isQuiet(event) && event.detail.successful && saidOld) {
      saidOld = false;
      banners?.replaceChildren();
    }
  });
})();

/* A request's page. While a wish waits, the deeds are out of sight and the focus is on Undo. A form that was answered without leaving the page
   gets a new number, so that pressing it again is a new wish. Every two seconds the page asks whether the request changed, and then takes over
   its parts (data-live) as they are now: never one in which something is open, typed or chosen; that one follows when it is free again. */
(() => {
  "use strict";
  /* A deed that is over, or undone, brings the page anew: the focus goes back to where it was begun, which the page's own place in the history keeps. */
  document.addEventListener("click", (event) => {
    const deed = event.target.closest("#next > .buttons > [popovertarget]")?.getAttribute("popovertarget");
    if (deed) window.history.replaceState({ ...window.history.state, deed }, "");
  });
  if (performance.getEntriesByType("navigation")[0]?.type === "reload" && document.activeElement === document.body) {
    const began = document.querySelector(`#next > .buttons > [popovertarget="${CSS.escape(window.history.state?.deed ?? "")}"]`);
    (began ?? document.getElementById("content"))?.focus({ preventScroll: true });
  }
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "wish") return;
    document.querySelectorAll("input[name=action_id]").forEach((input) => { input.value = window.portal.newNumber(); });
    document.querySelectorAll(".menu:popover-open").forEach((menu) => menu.hidePopover());
    document.querySelectorAll("#content dialog[open]").forEach((dialog) => dialog.close());
    const isPending = document.querySelector("#wish .banner--info") !== null;
    const next = document.getElementById("next");
    const hadFocus = next?.contains(document.activeElement) || document.activeElement === document.body;
    if (next) next.hidden = isPending;
    if (isPending && hadFocus) document.querySelector("#wish button")?.focus();
  });

  /* what others changed */
  const ASK_MS = 2000;
  const IDLE_MS = 30 * 60 * 1000;
  const watch = document.getElementById("request-watch");
  if (!watch) return;
  let seenAt = Date.now();
  ["pointerdown", "pointermove", "keydown", "wheel"].forEach((name) => document.addEventListener(name, () => { seenAt = Date.now(); }, { passive: true }));

  const isBusy = (part) =>
    part.querySelector(":popover-open, dialog[open], .htmx-request") !== null
    || part.matches(".htmx-request")
    || (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"))
    || [...part.querySelectorAll("input, select, textarea")].some(window.portal.isTyped);

  const nameOf = (element) => element.id || `${element.tagName} ${element.getAttribute("aria-label") || element.textContent.trim()}`;
  const FOCUSABLE = "a[href], button, summary, [tabindex]";
  const takeOver = (old, fresh) => {
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const name = focused && nameOf(focused);
    const scroll = old.scrollTop;
    old.replaceWith(fresh);
    window.htmx.process(fresh);
    fresh.scrollTop = scroll;
    if (focused === null) return;
    const again = [fresh, ...fresh.querySelectorAll(FOCUSABLE)].find((element) => element.matches(FOCUSABLE) && nameOf(element) === name);
    (again || document.getElementById("content"))?.focus({ preventScroll: true });
  };

  /* What differs from what the server last said. Tokens and numbers of forms are new with every page and say nothing. */
  const said = (part) => part.outerHTML.replace(/name="(csrfmiddlewaretoken|action_id)" value="[^"]*"/g, "");
  const known = new Map();
  const parts = (root) => new Map([...root.querySelectorAll("[data-live]")].map((part) => [part.id, part]));
  parts(document).forEach((part, id) => known.set(id, id === "wish" ? part.dataset.state : said(part)));

  let sign = watch.dataset.sign;
  let isStale = false;
  let isOver = false;
  let isAsking = false;
  let deeds = 0;
  document.addEventListener("htmx:beforeRequest", () => { deeds += 1; });
  const look = async () => {
    const before = deeds;
    const answer = await fetch(window.location.href, { redirect: "manual", headers: { "X-Look": "1" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (deeds !== before) { /* what came may be from before the deed */
      isStale = true;
      return;
    }
    const fresh = parts(page);
    let isLeft = false;
    let isChanged = false;
    parts(document).forEach((old, id) => {
      const part = fresh.get(id);
      if (!part) return;
      const state = id === "wish" ? part.dataset.state : said(part);
      if (state === (id === "wish" ? old.dataset.state : known.get(id))) return;
      if (isBusy(old)) {
        isLeft = true;
        return;
      }
      known.set(id, state);
      isChanged = true;
      takeOver(old, document.adoptNode(part));
    });
    isStale = isLeft;
    const seen = page.getElementById("request-watch")?.dataset.sign;
    if (seen) sign = seen;
    if (isChanged) window.portal?.announce(watch.dataset.words);
  };
  const ask = async () => {
    if (isOver || isAsking || !watch.isConnected || document.hidden || Date.now() - seenAt > IDLE_MS) return;
    isAsking = true;
    try {
      const answer = await fetch(`${watch.dataset.version}?known=${encodeURIComponent(sign)}`, { redirect: "manual" });
      if (answer.type === "opaqueredirect") window.portal.signedOut();
      else window.portal.sayOld(answer.status >= 500);
      if (answer.status === 404) {
        isOver = true;
        window.portal?.showFailure("denied");
      }
      const isFree = [...parts(document).values()].every((part) => !isBusy(part));
      if (answer.status === 200 || (isStale && isFree)) await look();
    } catch { /* asked again in a moment */
      window.portal.sayOld(true);
    } finally {
      isAsking = false;
    }
  };
  window.setInterval(ask, ASK_MS);
  document.addEventListener("visibilitychange", ask);
})();

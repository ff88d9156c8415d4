/* The keyboard map at work. The map itself comes from the server with the page (#keymap). A deed presses what says so in data-key, in the
   card or row that has the focus, else on the page; j and k walk the list, h and l the columns. Does nothing while something is typed or open. */
(() => {
  "use strict";
  const TURN_MS = 1500;
  const told = document.getElementById("keymap");
  if (!told) return;
  const { deeds, places } = JSON.parse(told.textContent);
  const LINKS = ".card__link, tbody .ledger__main a, .day__link";

  const isVisible = (element) => element.checkVisibility({ visibilityProperty: true });
  const links = (part = document) => [...part.querySelectorAll(LINKS)].filter(isVisible);
  const holder = () => document.activeElement?.closest?.(".card, .ledger tbody tr, .day__row") ?? null;
  const meet = (link) => {
    if (!link) return false;
    link.focus({ preventScroll: true });
    (link.closest(".card, tr") ?? link).scrollIntoView({ block: "nearest", inline: "nearest" });
    return true;
  };

  const step = (by) => {
    const here = holder();
    const all = links(here?.closest(".column__cards, .ledger") ?? document);
    const at = here ? all.findIndex((link) => here.contains(link)) : -1;
    return meet(at < 0 ? all[0] : all[at + by]);
  };
  const aside = (by) => {
    const row = document.activeElement?.closest?.(".lane__cells") ?? document;
    const columns = [...row.querySelectorAll(".column, .cell")].filter((column) => links(column).length);
    if (!columns.length) return false;
    const column = document.activeElement?.closest?.(".column, .cell");
    const from = column ? columns.indexOf(column) : -1;
    const to = columns[from < 0 ? 0 : from + by];
    if (!to) return true;
    const top = holder()?.getBoundingClientRect().top ?? 0;
    const near = links(to).reduce((best, link) => (Math.abs(link.getBoundingClientRect().top - top) < Math.abs(best.getBoundingClientRect().top - top) ? link : best));
    return meet(near);
  };
  const press = (deed) => {
    const wanted = deed === "pick" ? "[name=pick]" : `[data-key~="${deed}"]`;
    const place = holder()?.querySelector(wanted) ?? [...document.querySelectorAll(wanted)].find((one) => !one.closest(".card, .ledger tbody") && isVisible(one));
    if (!place || place.disabled) return false;
    if (place.matches("input:not([type=checkbox])")) {
      place.focus();
      place.select?.();
    } else place.click();
    return true;
  };
  let isHelpComing = false;
  const help = () => {
    const dialog = document.getElementById("keys-dialog");
    if (dialog) dialog.showModal();
    else if (!isHelpComing) {
      isHelpComing = true;
      window.htmx.ajax("GET", document.getElementById("palette-place").dataset.help, { target: "body", swap: "beforeend" })
        .catch(() => {})
        .finally(() => { isHelpComing = false; });
    }
    return true;
  };
  const done = {
    next: () => step(1),
    previous: () => step(-1),
    left: () => aside(-1),
    right: () => aside(1),
    help,
  };
  const perform = (deed) => {
    if (done[deed]) return done[deed]();
    if (press(deed)) return true;
    if (!places[deed]) return false;
    window.location.assign(places[deed]);
    return true;
  };

  const isTaken = (target) => target.closest?.("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]")
    || document.querySelector("dialog[open], :popover-open");
  let first = "";
  let firstAt = 0;
  document.addEventListener("keydown", (event) => {
    const isAltGr = event.getModifierState("AltGraph");
    if (event.defaultPrevented || event.isComposing || event.metaKey || (!isAltGr && (event.ctrlKey || event.altKey))) return;
    if (event.key.length !== 1 || isTaken(event.target)) {
      if (event.key.length === 1 || event.key === "Escape") first = "";
      return;
    }
    const pair = first && Date.now() - firstAt < TURN_MS ? `${first} ${event.key}` : "";
    first = "";
    const deed = deeds[pair] ?? deeds[event.key];
    if (deed && (!event.repeat || deed === "next" || deed === "previous")) {
      if (perform(deed)) event.preventDefault();
      return;
    }
    if (Object.keys(deeds).some((keys) => keys.startsWith(`${event.key} `))) {
      first = event.key;
      firstAt = Date.now();
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-keys-help]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    link.closest(":popover-open")?.hidePopover();
    help();
  });
  /* an address may ask for one deed of its page: #do-assign */
  if (window.location.hash.startsWith("#do-")) {
    const deed = window.location.hash.slice(4);
    window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
    document.addEventListener("DOMContentLoaded", () => window.setTimeout(() => press(deed), 0));
  }
})();

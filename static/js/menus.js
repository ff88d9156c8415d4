/* Menus are popovers that the browser opens and closes; this puts each beside its button and moves through it with the arrow keys.
   Set by data-side on the menu: "below" (default), "end" (beside the rail). Without it they open in the middle of the window. */
(() => {
  "use strict";
  const GAP = 4;
  const EDGE = 8;

  /* the button of a menu: the one with popovertarget, or the one whose id a script put into data-opener of a shared menu */
  const opener = (menu) => document.getElementById(menu.dataset.opener ?? "") ?? document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
  const items = (menu) => [...menu.querySelectorAll(".menu__item:not(:disabled), input, select")];

  const place = (menu) => {
    const button = opener(menu);
    if (!button) return;
    const at = button.getBoundingClientRect();
    const own = menu.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const height = window.innerHeight;
    const besides = menu.dataset.side === "end" && width >= 640;
    let left = besides ? at.right + GAP : at.left;
    let top = besides ? at.bottom - own.height : at.bottom + GAP;
    if (!besides && top + own.height > height - EDGE && at.top - GAP - own.height >= EDGE) top = at.top - GAP - own.height;
    if (!besides && left + own.width > width - EDGE && at.right - own.width >= EDGE) left = at.right - own.width;
    left = Math.max(EDGE, Math.min(left, width - EDGE - own.width));
    top = Math.max(EDGE, Math.min(top, height - EDGE - own.height));
    menu.style.setProperty("left", `${left}px`);
    menu.style.setProperty("top", `${top}px`);
  };

  /* Into an opened menu: once, and by the first key that is quicker than the browser's word that it is open. */
  const enter = (menu) => {
    if ("placed" in menu.dataset) return;
    menu.dataset.placed = "";
    opener(menu)?.setAttribute("aria-expanded", "true");
    place(menu);
    if (!menu.contains(document.activeElement)) (menu.querySelector("[autofocus], [aria-current=true], [aria-pressed=true]") || items(menu)[0])?.focus({ preventScroll: true });
  };
  const isMenu = (element) => element instanceof HTMLElement && element.matches(".menu[popover]");
  document.addEventListener("beforetoggle", (event) => { if (isMenu(event.target)) delete event.target.dataset.placed; }, true);
  document.addEventListener("toggle", (event) => {
    if (!isMenu(event.target)) return;
    if (event.newState === "open") enter(event.target);
    else opener(event.target)?.setAttribute("aria-expanded", "false");
  }, true);

  document.addEventListener("keydown", (event) => {
    if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
    const unmet = document.querySelector(".menu[popover]:popover-open:not([data-placed])");
    if (unmet) enter(unmet);
    const menu = document.activeElement?.closest(".menu[popover]:popover-open");
    if (!menu || document.activeElement.matches("select, input:not([type=checkbox])")) return;
    const all = items(menu);
    const here = all.indexOf(document.activeElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[event.key];
    event.preventDefault();
    all[(to + all.length) % all.length]?.focus();
  });

  const open = () => [...document.querySelectorAll(".menu[popover]:popover-open")];
  window.addEventListener("resize", () => open().forEach(place)); /* a phone's keyboard resizes too: never close on it */
  /* what scrolls below a menu closes it; not while something is being typed in it, since a phone then scrolls by itself */
  document.addEventListener("scroll", (event) => {
    if (event.target instanceof Element && event.target.closest(".menu")) return;
    if (document.activeElement?.closest(".menu input, .menu select")) return;
    open().forEach((menu) => menu.hidePopover());
  }, true);
})();

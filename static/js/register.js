/* After the list was swapped, the focus stays where the reader was: htmx keeps it on what has an id; this finds a place for the rest, and
   shows a new page of rows from its top. Works on #register alone; everything else on the page is HTML. */
(() => {
  "use strict";
  let asked = null;
  let sideways = 0;
  const inside = (element) => element?.closest?.("#register");

  document.addEventListener("htmx:beforeRequest", (event) => {
    const element = event.detail.elt;
    if (!inside(element)) return;
    if (element.closest("#filter-panel")) asked = "filter-button";
    else if (element.matches(".chip__remove")) asked = "chip";
    else if (element.matches("[rel]")) asked = "register-scroll";
    else asked = element.id || "filter-button";
    sideways = document.getElementById("register-scroll")?.scrollLeft ?? 0;
    document.querySelector("#filter-panel:popover-open")?.hidePopover();
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (!asked || event.detail.target?.id !== "register") return;
    const place = asked === "chip"
      ? document.querySelector("#register .chip__remove") || document.getElementById("filter-button")
      : document.getElementById(asked);
    asked = null;
    document.getElementById("register-scroll")?.scrollTo({ left: sideways });
    place?.focus({ preventScroll: place.id !== "register-scroll" });
  });
})();

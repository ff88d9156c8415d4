/* After the list was swapped, the focus stays where the reader was: htmx keeps it on what has an id; this finds a place for the rest, and
   shows a new page of rows from its top. Counts the ticked rows, and ticks many at once.
   Works on #register alone; everything else on the page is HTML. */
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
    else if (element.closest("#display-panel")) asked = "display-button";
    else asked = element.id || "filter-button";
    sideways = document.getElementById("register-scroll")?.scrollLeft ?? 0;
    document.querySelector("#filter-panel:popover-open, #display-panel:popover-open")?.hidePopover();
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

  /* ticked rows: how many, all at once, and from one to another with Shift */
  const boxes = () => [...document.querySelectorAll("#register [name=pick]")];
  const tell = () => {
    const all = boxes();
    const ticked = all.filter((box) => box.checked).length;
    const count = document.getElementById("bulk-count");
    if (count && count.textContent !== String(ticked)) count.textContent = String(ticked);
    const head = document.getElementById("pick-all");
    if (!head) return;
    head.checked = ticked > 0 && ticked === all.length;
    head.indeterminate = ticked > 0 && ticked < all.length;
    const whole = document.getElementById("bulk-whole");
    if (whole && !head.checked) whole.checked = false; /* out of sight then */
  };
  let last = null;
  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !inside(box)) return;
    if (box.id === "pick-all") boxes().forEach((one) => { one.checked = box.checked; });
    else if (box.name !== "pick") return;
    else {
      const all = boxes();
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((one, other) => one - other);
      if (event.shiftKey && from >= 0) all.slice(from, to + 1).forEach((one) => { one.checked = box.checked; });
      last = box;
    }
    tell();
  });
  /* Enter in a box would press the form's first button */
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target instanceof HTMLInputElement && event.target.name === "pick") event.preventDefault();
  });
  document.addEventListener("reset", (event) => {
    if (event.target.id !== "bulk") return;
    window.setTimeout(() => {
      tell();
      document.getElementById("register-scroll")?.focus({ preventScroll: true });
    });
  });
  tell();
})();

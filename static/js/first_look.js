/* The first picture of a board draws the cards that are in view; the others follow, a column at a time, so that no single task holds the
   page of a slow machine. Loaded before the body, and alone: what hides the cards is what shows them. */
(() => {
  "use strict";
  const AT_ONCE = 24;
  const root = document.documentElement;
  const next = () => {
    let cards = 0;
    for (const list of document.querySelectorAll(".column__cards:not(.is-drawn)")) {
      list.classList.add("is-drawn");
      cards += list.childElementCount;
      if (cards >= AT_ONCE) break;
    }
    if (cards) window.setTimeout(next, 0);
    else root.classList.remove("is-first-look");
  };
  root.classList.add("is-first-look");
  document.addEventListener("DOMContentLoaded", () => window.requestAnimationFrame(() => window.setTimeout(next, 0)));
})();

/* My day: counts down what waits to be sent, says what became of a deed, and keeps the focus when the page takes itself anew. poll.js asks. */
(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  let words = "";
  let place = null;

  document.addEventListener("day:look", (event) => { words = event.detail?.said || ""; });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const active = document.activeElement;
    if (event.detail.target?.id !== "day") return;
    place = event.detail.target.contains(active) ? { id: active.id, section: active.closest("section")?.id } : null;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "day" && event.detail.elt?.id !== "day") return;
    if (words) window.portal.announce(words);
    words = "";
    if (!place) return;
    const next = byId(place.id) || byId(place.section)?.querySelector("a, button") || byId("content");
    place = null;
    if (next !== document.activeElement) next.focus({ preventScroll: true });
  });

  window.setInterval(() => {
    document.querySelectorAll("#day [data-countdown]").forEach((part) => {
      const left = Math.max(Number(part.dataset.countdown) - 1, 0);
      part.dataset.countdown = String(left);
      part.textContent = left > 0 ? part.dataset.words.replace("{n}", String(left)) : part.dataset.over;
    });
  }, 1000);
})();

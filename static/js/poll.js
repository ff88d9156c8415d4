/* Parts that ask for themselves again: <div data-poll="5" hx-get="…" hx-trigger="poll"> gets the event "poll" every five seconds, while the
   page is looked at. A hidden page asks nothing, and asks at once when it is looked at again. Keeps nothing. */
(() => {
  "use strict";
  const asked = new WeakMap();
  const ask = () => {
    if (document.hidden) return;
    const now = Date.now();
    document.querySelectorAll("[data-poll]").forEach((part) => {
      if (!asked.has(part)) asked.set(part, now);
      if (now - asked.get(part) < Number(part.dataset.poll) * 1000) return;
      if (part.contains(document.activeElement) && document.querySelector(":popover-open, dialog[open]")) return;
      asked.set(part, now);
      window.htmx.trigger(part, "poll");
    });
  };
  window.setInterval(ask, 1000);
  document.addEventListener("visibilitychange", ask);
})();

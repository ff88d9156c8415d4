/* Messages: said once by the page's one voice; those that only confirm leave after eight seconds, unless they are pointed at or hold the
   focus. Warnings, errors and messages with a button to press stay until dismissed. Gives the focus back
   when a hint is dismissed. */
(() => {
  "use strict";
  const STAY_MS = 8000;

  const leaveLater = (toast) => {
    let timer = 0;
    const wait = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        if (toast.matches(":hover, :focus-within")) wait();
        else toast.remove();
      }, STAY_MS);
    };
    wait();
  };

  const meet = (toast) => {
    if (toast.dataset.met !== undefined) return;
    toast.dataset.met = "";
    window.portal?.announce(toast.querySelector(".toast__body")?.textContent.trim());
    const acts = toast.querySelector("form, .toast__body button, .toast__body a");
    if (["info", "success"].includes(toast.dataset.toast) && !acts) leaveLater(toast);
  };

  /* a hint that was dismissed leaves the focus to the page below it */
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.target?.id === "hint" && event.detail.successful) document.getElementById("content")?.focus({ preventScroll: true });
  });

  const region = document.getElementById("messages");
  if (!region) return;
  region.querySelectorAll("[data-toast]").forEach(meet);
  new MutationObserver(() => region.querySelectorAll("[data-toast]").forEach(meet)).observe(region, { childList: true, subtree: true });
})();

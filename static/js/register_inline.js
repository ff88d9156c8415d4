/* A step or an assignee is changed in its row: one menu for all rows, the same addresses as on a request's page, and the answer is the row as it is
   then. The row counts down while it waits. Works on #register alone. */
(() => {
  "use strict";
  const htmx = window.htmx;
  if (!htmx) return;
  const menuOf = (deed) => document.getElementById(`inline-${deed}`);
  /* what the person sees of a row: its id, step, assignee and last change, as its box says them */
  const seen = (row) => row.querySelector("[name=pick]").value.split("|");
  let here = null;

  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("#register [data-inline]");
    if (!opener) return;
    const deed = opener.dataset.inline;
    const menu = menuOf(deed);
    if (!menu) return;
    here = opener.closest("tr");
    const [, step, operator] = seen(here);
    const current = deed === "move" ? step : operator || "0";
    menu.querySelector("[data-reference]").textContent = here.querySelector(".reference").textContent;
    menu.querySelectorAll(".menu__item").forEach((item) => {
      item.disabled = item.value === current;
      item.toggleAttribute("aria-current", false);
      if (item.disabled) item.setAttribute("aria-current", "true");
    });
    menu.dataset.opener = opener.id;
    menu.showPopover();
  });

  document.addEventListener("submit", (event) => {
    const menu = event.target.closest?.("#inline-move, #inline-assign");
    if (!menu) return;
    event.preventDefault();
    const deed = menu.id.slice("inline-".length);
    menu.hidePopover();
    if (!here?.isConnected || here.classList.contains("htmx-request") || !event.submitter) return;
    const [, step, operator, seenAt] = seen(here);
    const chosen = event.submitter.value;
    const values = { action_id: window.portal.newNumber(), seen_step: step, seen_updated_at: seenAt };
    if (deed === "move") values.step = chosen;
    else {
      values.operator = chosen === "0" ? "" : chosen;
      values.seen = JSON.stringify({ operator: operator ? Number(operator) : null });
    }
    htmx.ajax("POST", `${here.dataset.path}${deed}/`, { source: here, target: here, swap: "outerHTML", values }).catch(() => {});
  });

  /* after an answer the focus is where it was: on Undo while the change waits, else on what opens the menu */
  let focused = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    const row = event.detail.target?.closest?.("#register tr[id]");
    if (!row) return;
    const isInside = row.contains(document.activeElement) || document.activeElement === document.body;
    focused = isInside ? row.id : "";
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!focused) return;
    const row = document.getElementById(focused);
    if (!row || !(event.detail.elt === row || row.contains(event.detail.elt))) return;
    focused = "";
    (row.querySelector(".ledger__wish button") || row.querySelector("[data-inline]") || row.querySelector(".reference"))?.focus({ preventScroll: true });
  });

  /* "Sending in 6 s" */
  window.setInterval(() => {
    document.querySelectorAll("#register .ledger__wish [data-countdown]").forEach((place) => {
      const left = Math.max(Number(place.dataset.countdown) - 1, 0);
      place.dataset.countdown = String(left);
      place.textContent = left > 0 ? place.dataset.words.replace("{n}", String(left)) : place.dataset.over;
    });
  }, 1000);
})();

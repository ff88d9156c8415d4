/* The board: cards are dragged or moved by the menu, both through the one form of the page; each answer swaps its card alone and the card
   goes where it says it is. Asks every two seconds whether anything changed, and looks
   when it did, or after ten seconds; never while something is held, open or on its way. */
(() => {
  "use strict";
  const ASK_MS = 2000;
  const LOOK_MS = 10000;
  const IDLE_MS = 30 * 60 * 1000;
  const htmx = window.htmx;
  const board = document.getElementById("board");
  if (!board || !htmx) return;
  const menu = document.getElementById("move-menu");
  const form = document.getElementById("move-form");
  const watch = document.getElementById("board-watch");
  const byId = (id) => document.getElementById(id);
  const isCard = (element) => element instanceof Element && element.matches(".card");

  /* a card stays in its lane, if there are lanes; answers do not say which, but whose lane it is in or goes to, where lanes are people's */
  const laneOf = new Map();
  const whose = (card) => card.dataset.assigns ?? card.dataset.operator;
  const laneFor = (card) => board.querySelector(`[data-lane][data-operator="${whose(card)}"]`)?.dataset.lane ?? laneOf.get(card.id);
  const isOnItsWay = (card) => card.classList.contains("card--pending") && (
    card.dataset.at !== card.dataset.step || ("assigns" in card.dataset && Boolean(board.querySelector("[data-lane][data-operator]")))
  );
  const learn = (part) => part.querySelectorAll("[data-lane] > .card").forEach((card) => laneOf.set(card.id, card.parentElement.dataset.lane));

  /* where a card belongs: on top while it is being moved, else by its order */
  const place = (card) => {
    document.querySelectorAll(`[id="${card.id}"]`).forEach((twin) => { if (twin !== card) twin.remove(); });
    const lane = laneFor(card);
    const list = byId(lane === undefined ? `cards-${card.dataset.at}` : `cards-${card.dataset.at}-${lane}`);
    if (!list) {
      card.remove();
      return;
    }
    const others = [...list.children].filter((other) => other !== card);
    const next = others.find((other) => !isCard(other) || isOnItsWay(card) || (!isOnItsWay(other) && other.dataset.order > card.dataset.order));
    if (card.parentElement !== list || card.nextElementSibling !== (next || null)) list.insertBefore(card, next || null);
    list.querySelector(".column__none")?.remove();
  };

  /* the number of a wish: made at the first try, so that the same try sent twice is one wish; a card that was answered comes without one */
  const numberFor = (card, deed) => {
    if (card.dataset.tried !== deed) {
      card.dataset.tried = deed;
      card.dataset.action = window.portal.newNumber();
    }
    return card.dataset.action;
  };

  /* the deeds */
  const wish = (card, url, deed, values) => {
    if (card.classList.contains("htmx-request")) return;
    htmx.ajax("POST", url, {
      source: card,
      target: card,
      swap: "outerHTML",
      values: { origin: "board", action_id: numberFor(card, deed), seen_step: card.dataset.seenStep, seen_updated_at: card.dataset.seenAt, ...values },
    }).catch(() => {}); /* said by app.js, and the card goes back below */
  };
  const move = (card, step) => wish(card, card.dataset.move, `move ${step}`, { step });
  const assign = (card, operator) => wish(card, card.dataset.move.replace(/move\/$/, "assign/"), `assign ${operator}`, {
    operator: operator === "0" ? "" : operator,
    seen: JSON.stringify({ operator: Number(card.dataset.operator) || null }),
  });

  /* by menu */
  let menuCard = null;
  board.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-menu]");
    if (!opener || !menu) return;
    event.preventDefault();
    document.querySelectorAll('[popovertarget="move-menu"]').forEach((old) => old.removeAttribute("popovertarget"));
    opener.setAttribute("popovertarget", "move-menu"); /* menus.js places the menu beside its opener */
    menuCard = opener.closest(".card");
    menu.querySelector("[data-move-reference]").textContent = menuCard.querySelector(".card__link").textContent;
    menu.querySelectorAll("[name=step]").forEach((button) => {
      button.toggleAttribute("aria-current", false);
      if (button.value === menuCard.dataset.step) button.setAttribute("aria-current", "true");
    });
    opener.focus();
    menu.showPopover();
  });
  board.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target.matches("[data-menu]")) {
      event.preventDefault();
      event.target.click();
    }
  });
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    menu.hidePopover();
    if (menuCard?.isConnected && event.submitter) move(menuCard, event.submitter.value);
  });

  /* by drag */
  let dragged = null;
  let isCancelled = false;
  const unmark = () => board.querySelectorAll(".is-target").forEach((column) => column.classList.remove("is-target"));
  const swallowClick = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  /* one deed a drop: to another step within the lane, or to another person's lane within the step */
  const groupOf = (list) => {
    if (!list.dataset.lane) return "cards";
    if (!("operator" in list.dataset)) return `lane-${list.dataset.lane}`;
    return { name: "people", put: (to, from) => to.el.dataset.lane === from.el.dataset.lane || to.el.dataset.drop === from.el.dataset.drop };
  };
  const drag = (list) => {
    if (!window.Sortable || !menu || list.sortable) return;
    list.sortable = new window.Sortable(list, {
      group: groupOf(list),
      sort: false,
      draggable: ".card:not(.card--pending, .htmx-request)",
      handle: window.matchMedia("(pointer: coarse)").matches ? ".card__handle" : undefined,
      filter: ".card__notice, [data-menu], .card__form",
      preventOnFilter: false,
      forceFallback: true,
      fallbackOnBody: true,
      fallbackTolerance: 8,
      delay: 250,
      delayOnTouchOnly: true,
      touchStartThreshold: 8,
      scrollSensitivity: 64,
      bubbleScroll: true,
      ghostClass: "is-ghost",
      dragClass: "is-dragged",
      chosenClass: "is-chosen",
      onStart: ({ item, from }) => {
        dragged = item;
        isCancelled = false;
        board.classList.add("is-dragging");
        const open = "operator" in from.dataset ? board.querySelectorAll(".lane") : [item.closest(".lane")];
        open.forEach((lane) => lane?.classList.add("is-own"));
        document.addEventListener("click", swallowClick, { capture: true, once: true });
      },
      onMove: ({ to }) => {
        unmark();
        to.closest(".column, .cell").classList.add("is-target");
        return !isCancelled;
      },
      onEnd: ({ item, to }) => {
        dragged = null;
        unmark();
        board.classList.remove("is-dragging");
        board.querySelectorAll(".is-own").forEach((lane) => lane.classList.remove("is-own"));
        window.setTimeout(() => document.removeEventListener("click", swallowClick, { capture: true }), 0);
        if (!isCancelled && "operator" in to.dataset && to.dataset.operator !== item.dataset.operator) assign(item, to.dataset.operator);
        else if (isCancelled || to.dataset.drop === item.dataset.at) place(item);
        else move(item, to.dataset.drop);
      },
    });
  };
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !dragged) return;
    isCancelled = true;
    document.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
  });

  /* what an answer brings takes its place, and keeps the focus that was there */
  let closedLanes = [];
  const folded = new Set([...board.querySelectorAll(".column--folded")].map((column) => column.id));
  let focusId = "";
  const keepFocus = (part) => {
    const active = document.activeElement;
    if (!active || active === document.body || !part.contains(active)) return;
    focusId = active.closest(".card")?.querySelector(".card__link")?.id || active.id;
  };
  const giveFocus = (part) => {
    const place_ = focusId && byId(focusId);
    if (!place_ || !part.contains(place_)) return;
    focusId = "";
    place_.focus({ preventScroll: true });
    place_.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const fold = (column, isFolded) => {
    column.classList.toggle("column--folded", isFolded);
    board.querySelectorAll(`.cell[data-column="${column.dataset.column}"]`).forEach((cell) => cell.classList.toggle("column--folded", isFolded));
    column.querySelector("[data-fold]")?.setAttribute("aria-expanded", String(!isFolded));
  };
  const meet = (part) => {
    learn(part);
    part.querySelectorAll("[data-drop]").forEach(drag);
    if (part.id === "lanes") {
      closedLanes.forEach((id) => byId(id)?.removeAttribute("open"));
      giveFocus(part);
    }
    const columns = part.matches(".column") ? [part] : [...part.querySelectorAll(".column")];
    columns.forEach((column) => {
      fold(column, folded.has(column.id));
      giveFocus(column);
    });
    if (part.matches(".column__head") && part.closest(".column")) fold(part.closest(".column"), folded.has(part.closest(".column").id));
    if (!isCard(part)) return;
    place(part);
    giveFocus(part);
  };

  /* a column that changed: what is the same in it stays the element that it was, with its scroll and its focus, since drawing two whole
     columns anew takes a slow machine half a second after each move */
  const renew = (column, fresh) => {
    keepFocus(column);
    const list = column.querySelector(".column__cards");
    const wanted = [...fresh.querySelector(".column__cards").children];
    const old = new Map([...list.children].map((row) => [row.id, row]));
    const rows = wanted.map((row) => (old.get(row.id)?.isEqualNode(row) ? old.get(row.id) : row));
    const kept = new Set(rows);
    [...list.children].forEach((row) => { if (!kept.has(row)) row.remove(); });
    let at = list.firstElementChild;
    rows.forEach((row) => {
      if (row === at) at = at.nextElementSibling;
      else list.insertBefore(row, at);
    });
    const head = column.querySelector(".column__head");
    const freshHead = fresh.querySelector(".column__head");
    if (!head.isEqualNode(freshHead)) head.replaceWith(freshHead);
    [...fresh.attributes].forEach(({ name, value }) => column.setAttribute(name, value));
    fold(column, folded.has(column.id));
    [freshHead, ...wanted].filter((part) => part.isConnected).forEach((part) => {
      htmx.process(part);
      htmx.trigger(part, "htmx:load", { elt: part });
    });
    if (column.contains(document.activeElement)) focusId = "";
    giveFocus(column);
  };
  board.addEventListener("click", (event) => {
    const column = event.target.closest("[data-fold]")?.closest(".column");
    if (!column) return;
    if (folded.has(column.id)) folded.delete(column.id);
    else folded.add(column.id);
    fold(column, folded.has(column.id));
    htmx.ajax("POST", board.dataset.look, { source: watch, swap: "none", values: { column: column.dataset.column, folded: folded.has(column.id) ? "yes" : "no" } }).catch(() => {});
  });
  document.addEventListener("htmx:load", (event) => { if (event.detail.elt instanceof Element) meet(event.detail.elt); });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (event.detail.elt === watch) {
      if (isBusy() || isOvertaken) {
        event.detail.shouldSwap = false;
        isStale = true;
      }
    } else if (target.matches(".column__more") && target.contains(document.activeElement)) {
      const first = event.detail.serverResponse.match(/id="(link-\d+)"/);
      focusId = first ? first[1] : "";
    } else if (isCard(target)) keepFocus(target);
  });
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const old = event.detail.target;
    if (old.id === "lanes") {
      closedLanes = [...old.querySelectorAll(".lane:not([open])")].map((lane) => lane.id);
      keepFocus(old);
    }
    if (old.matches(".column__head") && "narrowed" in board.dataset) event.detail.shouldSwap = false; /* it does not know the filter; the next look does */
    if (!old.matches(".column") || !old.querySelector(".column__cards")) return;
    event.detail.shouldSwap = false;
    renew(old, event.detail.fragment.querySelector(".column"));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const card = event.detail.elt;
    if (!event.detail.successful && isCard(card) && card.isConnected) place(card); /* nothing was said: back where it was */
  });

  /* the countdown on what waits */
  window.setInterval(() => {
    board.querySelectorAll("[data-countdown]").forEach((words) => {
      const left = Math.max(Number(words.dataset.countdown) - 1, 0);
      words.dataset.countdown = String(left);
      words.textContent = left > 0 ? words.dataset.words.replace("{n}", String(left)) : words.dataset.over;
    });
  }, 1000);

  /* what others changed */
  let seenAt = Date.now();
  ["pointerdown", "pointermove", "keydown", "wheel"].forEach((name) => document.addEventListener(name, () => { seenAt = Date.now(); }, { passive: true }));
  const isBusy = () => Boolean(dragged || document.querySelector("[popover]:popover-open, dialog[open], .card.htmx-request, .card .htmx-request"));
  let version = "";
  let lookedAt = Date.now();
  let isStale = false;
  let isOvertaken = false;
  const ask = async () => {
    if (!watch || document.hidden || Date.now() - seenAt > IDLE_MS) return;
    try {
      const answer = await fetch(`${watch.dataset.version}?known=${encodeURIComponent(version)}`, { redirect: "manual" });
      if (answer.type === "opaqueredirect") window.portal.signedOut();
      if (answer.status === 200) {
        version = await answer.text();
        isStale = true;
      }
    } catch { /* the next full look says it */ }
    if (isBusy() || (!isStale && Date.now() - lookedAt < LOOK_MS)) return;
    isStale = false;
    lookedAt = Date.now();
    htmx.trigger(watch, "board:look");
  };
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt !== watch) return;
    isOvertaken = false;
    const lanes = byId("lanes");
    event.detail.parameters.since = lanes ? `lanes:${lanes.dataset.digest}` : [...board.querySelectorAll(".column")].map((column) => {
      const shown = column.querySelectorAll(".card:not(.card--pending)").length;
      return `${column.dataset.column}:${column.dataset.digest}:${shown}`;
    }).join(",");
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt !== watch && board.contains(event.detail.elt)) isOvertaken = true; /* what a look then answers is from before */
  });
  window.setInterval(ask, ASK_MS);
  document.addEventListener("visibilitychange", ask);
})();

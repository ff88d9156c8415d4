/* The command palette, on Ctrl K: a combobox over pages, workspaces, what this page can do, and requests by reference. What is typed is posted,
   never put in an address. The focus stays in the field; aria-activedescendant says where one is. Keeps nothing. */
(() => {
  "use strict";
  const FIND_MS = 120;
  const place = document.getElementById("palette-place");
  if (!place || !window.htmx) return;
  const byId = (id) => document.getElementById(id);

  /* what this page can do: its visible buttons, and the steps of its menu */
  const DEEDS = "#next > .buttons > button:not(:disabled), #next > .buttons > form > button, #menu-move [name=step]:not(:disabled), #clock .buttons > button, main [data-command]";
  let focused = null;
  const here = () => {
    const card = focused?.closest?.(".card");
    const found = [...document.querySelectorAll(DEEDS)];
    if (card) found.unshift(...card.querySelectorAll("[data-menu]"));
    return found.filter((button) => button.closest("[popover]") || button.checkVisibility());
  };
  const words = (button) => {
    const own = (button.dataset.command || button.getAttribute("aria-label") || button.textContent).trim().replace(/\s+/g, " ");
    const title = button.closest("[popover]")?.querySelector(".menu__title")?.textContent.trim();
    return title ? `${title.replace(/…$/, "")}: ${own}` : own;
  };

  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const options = () => [...byId("palette-list").querySelectorAll("[role=option]")].filter((option) => !option.closest("[hidden]"));
  const choose = (option) => {
    byId("palette-list").querySelectorAll('[aria-selected="true"]').forEach((old) => old.setAttribute("aria-selected", "false"));
    const input = byId("palette-input");
    if (!option) {
      input.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  };
  const chosen = () => byId("palette-list").querySelector('[role=option][aria-selected="true"]');

  let said = "";
  const draw = () => {
    const typed = plain(byId("palette-input").value.trim());
    const list = byId("palette-list");
    list.querySelectorAll("[role=group]").forEach((group) => {
      if (group.id === "palette-group-search") {
        group.hidden = !typed;
        return;
      }
      const all = [...group.querySelectorAll("[role=option]")];
      if (group.id !== "palette-group-found") all.forEach((option) => { option.hidden = !plain(option.textContent).includes(typed); });
      group.hidden = all.every((option) => option.hidden);
    });
    list.querySelectorAll("[role=option]").forEach((option, at) => { option.id ||= `palette-option-${at}-${Math.random().toString(36).slice(2, 8)}`; });
    const shown = options();
    byId("palette-none").hidden = shown.length > 0;
    const old = chosen();
    choose(old && shown.includes(old) && !typed ? old : shown[0]);
    const count = shown.length === 1 ? list.dataset.wordsOne : shown.length ? list.dataset.wordsMany.replace("{n}", String(shown.length)) : list.dataset.wordsNone;
    if (typed && count !== said) window.portal.announce(count);
    said = count;
  };

  const run = (option) => {
    const dialog = byId("palette");
    if (!option) return;
    if (option.dataset.href) {
      window.location.assign(option.dataset.href);
      return;
    }
    if ("searchFor" in option.dataset) {
      const form = byId("palette-search-form");
      form.elements.q.value = byId("palette-input").value.trim();
      form.submit();
      return;
    }
    dialog.close();
    option.deed?.click();
  };

  /* what is typed while the dialog is on its way is kept for it */
  let isComing = false;
  let early = "";
  let isEarlyEnter = false;
  let timer = 0;
  const bind = (dialog) => {
    const input = byId("palette-input");
    const home = byId("palette-here");
    const line = (deed) => {
      const option = document.createElement("div");
      option.className = "menu__item palette__option";
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      const text = document.createElement("span");
      text.className = "clip";
      text.textContent = words(deed);
      const icon = deed.querySelector(".icon, .dot");
      option.append(...(icon ? [icon.cloneNode(true)] : []), text);
      option.deed = deed;
      return option;
    };
    home.replaceChildren(...here().map(line));
    input.addEventListener("input", () => {
      window.clearTimeout(timer);
      byId("palette-found").replaceChildren();
      draw();
      if (input.value.trim()) timer = window.setTimeout(() => window.htmx.trigger(input, "palette:find"), FIND_MS);
    });
    byId("palette-found").addEventListener("htmx:afterSwap", () => { if (dialog.isConnected) draw(); }); /* an answer may outlive the dialog */
    input.addEventListener("keydown", (event) => {
      const shown = options();
      const at = shown.indexOf(chosen());
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + 8, shown.length - 1), PageUp: Math.max(at - 8, 0) }[event.key];
      if (to !== undefined && shown.length) {
        event.preventDefault();
        choose(shown[(to + shown.length) % shown.length]);
      } else if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        run(chosen());
      }
    });
    byId("palette-list").addEventListener("pointerdown", (event) => event.preventDefault()); /* the focus stays in the field */
    byId("palette-list").addEventListener("click", (event) => run(event.target.closest("[role=option]")));
    dialog.addEventListener("close", () => {
      window.clearTimeout(timer);
      dialog.remove();
    });
    draw();
    input.focus();
    isComing = false;
    if (early) {
      input.value = early.slice(0, input.maxLength);
      input.dispatchEvent(new Event("input"));
    }
    if (isEarlyEnter) run(chosen());
  };

  document.addEventListener("keydown", (event) => {
    if (!isComing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.length === 1) early += event.key;
    else if (event.key === "Enter") isEarlyEnter = true;
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  const open = async () => {
    if (byId("palette") || isComing || document.querySelector("dialog[open]")) return;
    document.querySelectorAll(".menu:popover-open").forEach((menu) => menu.hidePopover());
    focused = document.activeElement;
    early = "";
    isEarlyEnter = false;
    isComing = true;
    try {
      await window.htmx.ajax("GET", place.dataset.palette, { source: place, target: "body", swap: "beforeend" });
    } catch {
      window.portal.showFailure("unread");
    } finally {
      if (!byId("palette")) isComing = false; /* else `bind` ends it: what is typed until then is kept too */
    }
  };
  document.addEventListener("htmx:load", (event) => { if (event.detail.elt.id === "palette") bind(event.detail.elt); });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    open();
  });
  /* who has no keyboard finds it in the menu of the person */
  document.addEventListener("click", (event) => { if (event.target.closest("[data-palette-open]")) open(); });
})();

/* The panel "Display" of the register: a column goes up and down by its arrows or is dragged, at once and without asking the server. What is
   sent is the order in which the ticked columns stand. Works on #display-columns alone; the arrows are plain buttons where scripts are off. */
(() => {
  "use strict";
  const list = () => document.getElementById("display-columns");
  const isFree = (item) => item?.draggable;

  const tell = (item) => {
    const all = [...(list()?.children ?? [])];
    if (!all.includes(item)) return; /* the list was drawn anew meanwhile */
    const words = list().dataset.words
      .replace("{name}", item.querySelector("label").textContent.trim())
      .replace("{place}", String(all.indexOf(item) + 1))
      .replace("{count}", String(all.length));
    window.portal?.announce(words);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("#display-columns [name=up], #display-columns [name=down]");
    if (!button) return;
    event.preventDefault();
    const item = button.closest("li");
    const isUp = button.name === "up";
    const other = isUp ? item.previousElementSibling : item.nextElementSibling;
    if (!isFree(other)) return;
    if (isUp) other.before(item);
    else other.after(item);
    item.scrollIntoView({ block: "nearest" });
    button.focus();
    tell(item);
  });

  /* by drag, with a mouse; touch has the arrows */
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    const item = event.target.closest?.("#display-columns li");
    if (!item) return;
    dragged = item;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", item.dataset.column);
    item.classList.add("is-dragged");
  });
  document.addEventListener("dragover", (event) => {
    const over = dragged && event.target.closest?.("#display-columns li");
    if (!over) return;
    event.preventDefault();
    if (over === dragged || !isFree(over)) return;
    const box = over.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) over.before(dragged);
    else over.after(dragged);
  });
  document.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("is-dragged");
    tell(dragged);
    dragged = null;
  });
})();

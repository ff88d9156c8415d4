/* While a wish waits, the deeds are out of sight and the focus is on Undo. A form that was answered without leaving the page gets a new
   number, so that pressing it again is a new wish. */
(() => {
  "use strict";
  const fresh = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "wish") return;
    document.querySelectorAll("input[name=action_id]").forEach((input) => { input.value = fresh(); });
    document.querySelectorAll(".menu:popover-open").forEach((menu) => menu.hidePopover());
    document.querySelectorAll("#next dialog[open]").forEach((dialog) => dialog.close());
    const isPending = document.querySelector("#wish .banner--info") !== null;
    const next = document.getElementById("next");
    const hadFocus = next?.contains(document.activeElement) || document.activeElement === document.body;
    if (next) next.hidden = isPending;
    if (isPending && hadFocus) document.querySelector("#wish button")?.focus();
  });
})();

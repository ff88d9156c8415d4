/* The register's export says how far it is: it is fetched here and handed over as a file when it is whole. CSV counts its lines; XLSX comes
   when it is finished. Without scripts the same form is a plain download. */
(() => {
  "use strict";
  const LINE_END = 10;
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.id !== "export-form") return;
    event.preventDefault();
    const place = document.getElementById("export-progress");
    const button = document.getElementById("export-go");
    const bar = place.querySelector("progress");
    const words = place.querySelector("p");
    const number = (count) => count.toLocaleString(document.documentElement.lang);
    const say = (text) => { if (words.textContent !== text) words.textContent = text; };
    if (button.disabled) return;
    const isCsv = new FormData(form).get("format") === "csv";
    button.disabled = true;
    place.hidden = false;
    bar.hidden = false;
    bar.removeAttribute("value");
    say(place.dataset.preparing);
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Export": "1" }, redirect: "manual" });
      if (answer.status === 409) {
        bar.hidden = true;
        say(await answer.text());
        return;
      }
      if (answer.type === "opaqueredirect") window.portal.signedOut();
      if (!answer.ok) throw new Error(String(answer.status));
      const count = Number(answer.headers.get("X-Count"));
      const name = answer.headers.get("Content-Disposition").match(/filename="([^"]+)"/)[1];
      const reader = answer.body.getReader();
      const parts = [];
      let lines = -1; /* the heads */
      let told = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        if (!isCsv || !count) continue;
        value.forEach((byte) => { if (byte === LINE_END) lines += 1; });
        bar.max = count;
        bar.value = Math.min(Math.max(lines, 0), count);
        if (lines - told >= 500) {
          told = lines;
          say(place.dataset.some.replace("{n}", number(lines)).replace("{count}", number(count)));
        }
      }
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(parts, { type: answer.headers.get("Content-Type") }));
      link.download = name;
      link.click();
      window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      bar.max = 1;
      bar.value = 1;
      say(place.dataset.done.replace("{count}", number(count)));
    } catch {
      bar.hidden = true;
      say(place.dataset.failed);
    } finally {
      button.disabled = false;
    }
  });
})();

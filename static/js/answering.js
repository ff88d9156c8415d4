/* Writing to a person: what is typed is kept as a draft by the server as one goes, and before anything is sent. Nothing is kept in the browser. A session
   that has ended is noticed before the page is left, so that nothing is lost to it. */
(() => {
  "use strict";
  const QUIET_MS = 1500;
  const form = document.querySelector("form[data-draft]");
  if (!form) return;
  const state = document.getElementById("draft-state");
  const banner = document.getElementById("signed-out");
  let timer = 0;
  let mayLeave = false;

  const values = () => {
    const data = new FormData(form);
    data.delete("added"); /* they go with the form itself */
    data.set("deed", "keep");
    return data;
  };

  /* true where the draft is kept, or where only the server's own answer can tell more */
  const keep = async () => {
    window.clearTimeout(timer);
    const answer = await fetch(form.action, { method: "POST", body: values(), redirect: "manual" });
    const isOut = answer.type === "opaqueredirect" || answer.status === 403;
    banner.hidden = !isOut;
    if (answer.status >= 500) throw new Error(String(answer.status));
    if (answer.status === 204) state.textContent = form.dataset.saved;
    return !isOut;
  };

  form.addEventListener("input", (event) => {
    if (event.target.type === "file") return;
    state.textContent = "";
    window.clearTimeout(timer);
    timer = window.setTimeout(() => { keep().catch(() => {}); }, QUIET_MS);
  });

  form.addEventListener("submit", async (event) => {
    if (mayLeave) return;
    event.preventDefault();
    const submitter = event.submitter;
    let isIn = true;
    try {
      isIn = await keep();
    } catch {
      window.portal?.showFailure("unsent");
      return;
    }
    if (!isIn) {
      banner.querySelector("a")?.focus();
      return;
    }
    mayLeave = true;
    form.requestSubmit(submitter);
    window.setTimeout(() => { mayLeave = false; }, 3000);
  });

  banner.querySelector("[data-go-on]").addEventListener("click", async () => {
    const answer = await fetch(form.action, { redirect: "manual", headers: { "X-Look": "1" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const token = page.querySelector("form[data-draft] input[name=csrfmiddlewaretoken]")?.value;
    if (!token) return;
    document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((input) => { input.value = token; });
    if (await keep()) form.querySelector("textarea")?.focus();
  });
})();

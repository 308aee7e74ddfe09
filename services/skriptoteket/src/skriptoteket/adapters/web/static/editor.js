// The editor's conveniences: Tab indents (Escape, then Tab leaves), and unsaved text survives in this browser.
(() => {
  const form = document.querySelector("[data-editor]");
  const code = form && form.querySelector("[data-code]");
  if (!code) return;
  const key = `skriptoteket-draft-${form.dataset.editor}`;
  const saved = code.value;
  let leaving = false;
  code.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { leaving = true; return; }
    if (event.key !== "Tab" || leaving) { if (event.key !== "Shift") leaving = false; return; }
    event.preventDefault();
    const { selectionStart: start, selectionEnd: end, value } = code;
    const from = value.lastIndexOf("\n", start - 1) + 1;
    const lines = value.slice(from, end).split("\n");
    const changed = start === end && !event.shiftKey ? null
      : lines.map((line) => (event.shiftKey ? line.replace(/^ {1,4}/, "") : `    ${line}`)).join("\n");
    if (changed === null) { code.setRangeText("    ", start, end, "end"); return; }
    code.setRangeText(changed, from, end, "preserve");
  });
  code.addEventListener("input", () => {
    try { localStorage.setItem(key, code.value); } catch { /* private windows keep nothing */ }
  });
  form.addEventListener("submit", () => {
    try { localStorage.removeItem(key); } catch { /* as above */ }
  });
  let kept = null;
  try { kept = localStorage.getItem(key); } catch { /* as above */ }
  if (kept === null || kept === saved) return;
  const offer = document.createElement("div");
  offer.className = "alert alert-warn";
  offer.setAttribute("role", "status");
  const text = document.createElement("p");
  text.textContent = "This browser holds text of this tool that was not saved. ";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-secondary button-small";
  button.textContent = "Bring it back";
  button.addEventListener("click", () => { code.value = kept; offer.remove(); code.focus(); });
  offer.append(text, button);
  form.before(offer);
})();

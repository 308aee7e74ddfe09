// The code editor: CodeMirror in a shadow root, so that its style sheets need no exception from the content policy.
// The textarea stays the form's field: without JavaScript it is the editor, and it can always save.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import { HighlightStyle, bracketMatching, foldGutter, indentOnInput, indentUnit, LanguageSupport, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const KEEP_EVERY = 400;

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: "light-dark(#7a3e9d, #d2a8ff)" },
  { tag: [tags.string, tags.special(tags.string)], color: "light-dark(#1b6b3f, #9fd9b5)" },
  { tag: [tags.number, tags.bool, tags.null], color: "light-dark(#8a3b00, #f0b27a)" },
  { tag: [tags.comment, tags.lineComment], color: "light-dark(#5f636a, #a0a8b0)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName)), tags.definition(tags.className)], color: "light-dark(#24579c, #93bdf5)" },
  { tag: [tags.className, tags.typeName], color: "light-dark(#0f5f70, #76cddb)" },
  { tag: tags.invalid, color: "light-dark(#a5281f, #f49a92)", textDecoration: "underline" },
]);

const looks = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--surface)", border: "1px solid var(--line-control)", borderRadius: "var(--round-s)", fontSize: "0.9rem", maxHeight: "75vh" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55", overflow: "auto", minHeight: "24rem" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--ink-soft)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent-wash) 45%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--accent-wash)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--accent) 30%, transparent)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-panel button, .cm-panel input, .cm-textfield": { font: "inherit", color: "var(--ink)", backgroundColor: "var(--surface)", backgroundImage: "none", border: "1px solid var(--line-control)", borderRadius: "var(--round-s)", minHeight: "1.75rem" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line-control)" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-wash)", outline: "1px solid var(--warn)" },
  ".cm-diagnosticText": { whiteSpace: "pre-wrap" },
  ".cm-changedLine": { backgroundColor: "var(--good-wash)" },
  ".cm-deletedChunk": { backgroundColor: "var(--bad-wash)" },
});

function begin(form) {
  const area = form.querySelector("[data-code]");
  if (!area) return;
  const words = JSON.parse(form.dataset.words || "{}");
  const key = `skriptoteket-draft-${form.dataset.editor}`;
  const shown = area.value;
  const compared = new Compartment();
  const host = document.createElement("div");
  host.className = "sk-code";
  const root = host.attachShadow({ mode: "open" });
  let keeping = 0;
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: shown,
      extensions: [
        lineNumbers(), foldGutter(), lintGutter(), highlightActiveLine(), highlightActiveLineGutter(), drawSelection(),
        history(), indentOnInput(), bracketMatching(), highlightSelectionMatches(), search({ top: true }),
        indentUnit.of("    "), EditorState.tabSize.of(4), EditorView.lineWrapping,
        new LanguageSupport(pythonLanguage), syntaxHighlighting(colours), looks, compared.of([]),
        EditorState.phrases.of(words.phrases || {}),
        EditorView.contentAttributes.of({ "aria-label": words.label || "Source", "aria-describedby": "sk-code-keys", spellcheck: "false" }),
        keymap.of([indentWithTab, ...searchKeymap, ...defaultKeymap, ...historyKeymap]),
        EditorView.domEventHandlers({ beforeinput: typedOver }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          clearTimeout(keeping);
          keeping = setTimeout(() => keep(key, area.value), KEEP_EVERY);
        }),
      ],
    }),
  });
  area.before(host);
  area.hidden = true;
  area.classList.add("visually-hidden");
  const label = document.querySelector(`label[for="${area.id}"]`);
  if (label) label.addEventListener("click", () => view.focus());
  const replace = (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });

  form.addEventListener("submit", () => { area.value = view.state.doc.toString(); clearTimeout(keeping); keep(key, null); });
  offerKept(form, key, shown, words, (text) => { replace(text); view.focus(); });
  compare(form, view, compared);
  const problems = () => markProblems(view, area.value);
  document.addEventListener("htmx:afterSwap", problems);
  document.addEventListener("htmx:after:swap", problems);
  problems();
}

function typedOver(event, view) {
  // Left to itself Chromium puts text that is typed over a selection into a styled span, which the policy refuses.
  if (event.inputType !== "insertText" || !event.data || event.isComposing || view.state.selection.main.empty) return false;
  event.preventDefault();
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  return true;
}

function keep(key, text) {
  // private windows keep nothing
  try { text === null ? localStorage.removeItem(key) : localStorage.setItem(key, text); } catch { /* as above */ }
}

function offerKept(form, key, shown, words, bring) {
  let kept = null;
  try { kept = localStorage.getItem(key); } catch { /* as above */ }
  if (kept === null || kept === shown) return;
  const offer = document.createElement("div");
  offer.className = "alert alert-warn";
  offer.setAttribute("role", "status");
  const text = document.createElement("p");
  text.textContent = `${words.kept || "This browser holds text of this tool that was not saved."} `;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-secondary button-small";
  button.textContent = words.bring || "Bring it back";
  button.addEventListener("click", () => { bring(kept); offer.remove(); });
  offer.append(text, button);
  form.before(offer);
}

function compare(form, view, compared) {
  const choice = form.querySelector("[data-compare]");
  if (!choice) return;
  choice.closest("[data-needs-script]")?.removeAttribute("hidden");
  choice.addEventListener("change", async () => {
    let with_ = [];
    if (choice.value) {
      const answer = await fetch(`/api/v1/tool-versions/${encodeURIComponent(choice.value)}`, { headers: { accept: "application/json" } });
      if (answer.ok) {
        const { source_code: original } = await answer.json();
        with_ = unifiedMergeView({ original, mergeControls: false, gutter: true });
      }
    }
    view.dispatch({ effects: compared.reconfigure(with_) });
  });
}

function markProblems(view, source) {
  // What the sandbox said last: a traceback names lines of script.py, a syntax error its line.
  const printed = [...document.querySelectorAll("#run pre")].map((each) => each.textContent).join("\n");
  const found = new Map();
  for (const match of printed.matchAll(/script\.py"?, line (\d+)/g)) found.set(Number(match[1]), lastLine(printed));
  for (const match of printed.matchAll(/\bline (\d+)(?:, column \d+)?: ([^\n]+)/g)) found.set(Number(match[1]), match[2]);
  const lines = view.state.doc.lines;
  const diagnostics = [...found].filter(([line]) => line >= 1 && line <= lines).map(([line, message]) => {
    const at = view.state.doc.line(line);
    return { from: at.from, to: at.to, severity: "error", message };
  });
  if (source !== undefined) view.dispatch(setDiagnostics(view.state, diagnostics.sort((a, b) => a.from - b.from)));
}

function lastLine(text) {
  const lines = text.trim().split("\n").filter((each) => /^\w+(\.\w+)*(Error|Exception|Interrupt|Exit|Warning)?\b.*/.test(each));
  return lines.length ? lines[lines.length - 1] : text.trim().split("\n").pop();
}

for (const form of document.querySelectorAll("[data-editor]")) begin(form);

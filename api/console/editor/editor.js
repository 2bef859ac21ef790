// The code editor: prism-code-editor with our keys, and a line that can be marked as failing.

import { h } from "../base/dom.js";
import { createEditor, languages } from "../vendor/prism-code-editor.js";
import { bindTyping } from "./typing.js";

/**
 * `onChange` is called after each change that somebody types, with all of the text.
 * @typedef {{
 *   language: "ruby" | "json", value: string, label: string, readOnly?: boolean,
 *   onChange?: (text: string) => void, signal: AbortSignal,
 * }} EditorOptions
 */
/** @typedef {ReturnType<typeof makeEditor>} Editor */

// Ruby's numbers may have underscores.
/** @type {any} */ (languages).ruby.number = /\b0x[a-f\d]+\b|\b\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?/i;
let number = 0;

/** @param {EditorOptions} options */
export function makeEditor({ language, value, label, readOnly, onChange = () => {}, signal }) {
  const languageOf = (/** @type {string} */ text) => (isLight(text) ? language : "text");
  /** @type {any} */
  const editor = createEditor(null, { language: languageOf(value), value, readOnly, lineNumbers: language === "ruby" });
  /** @type {HTMLTextAreaElement} */
  const textarea = editor.textarea;
  const hint = readOnly ? "Read-only." : "Tab indents at the start of a line. To leave by Tab, press Escape first.";
  const about = h("p", { class: "unseen", id: `editor-${++number}` }, hint);
  const element = h("div", { class: "editor" }, about, editor.container);
  textarea.setAttribute("aria-label", label);
  textarea.setAttribute("aria-describedby", about.id);
  // Before the editor itself sees the text: one that takes too long to highlight is shown plain.
  element.addEventListener("input", () => {
    const next = languageOf(textarea.value);
    if (next !== editor.options.language) editor.setOptions({ language: next });
  }, true);
  const marker = markerOf(editor, about, hint);
  const goToLine = (/** @type {number} */ line, column = 1) => {
    /** @type {string[]} */
    const above = editor.value.split("\n").slice(0, line - 1);
    const at = above.reduce((sum, text) => sum + text.length + 1, column - 1);
    textarea.focus({ preventScroll: true });
    textarea.setSelectionRange(at, at);
    editor.lines[line]?.scrollIntoView({ block: "center" });
  };
  let isSetting = false;
  editor.on("update", (/** @type {string} */ text) => {
    marker.settle();
    if (!isSetting) onChange(text);
  });
  if (!readOnly) bindTyping(editor, language);
  signal.addEventListener("abort", editor.remove, { once: true });
  const { mark } = marker;
  return {
    element, mark, goToLine,
    /**
     * Marks a line that failed with this message; without a message, goes there.
     * @param {number | null} line
     * @param {string} [message]
     */
    pointAt: (line, message) => (line && message === undefined ? goToLine(line) : mark(line, message, true)),
    /** @returns {string} */
    get value() { return editor.value; },
    /** @param {string} text */
    setValue(text) {
      isSetting = true;
      editor.setOptions({ value: text, language: languageOf(text) });
      isSetting = false;
    },
    focus: () => textarea.focus(),
  };
}

/**
 * What marks a line as failing. The mark moves with its line, and goes with it.
 * @param {any} editor
 * @param {HTMLElement} about
 * @param {string} hint
 */
function markerOf({ container, lines, textarea, wrapper }, about, hint) {
  /** @type {HTMLElement | null} */
  let failing = null;
  /** What it held when a run failed there; the mark goes once it is changed. @type {string | null} */
  let held = null;
  const mark = (/** @type {number | null} */ line, message = "", isOfRun = false) => {
    failing?.classList.remove("failing");
    failing = line ? lines[Math.min(line, lines.length - 1)] : null;
    about.textContent = failing ? `Line ${line} fails: ${message.slice(0, 500)} ${hint}` : hint;
    textarea.setAttribute("aria-invalid", String(failing !== null));
    if (!failing) return;
    failing.classList.add("failing");
    held = isOfRun ? failing.textContent : null;
    const below = failing.offsetTop - container.scrollTop;
    if (below < 0 || below > container.clientHeight - 40) container.scrollTop = failing.offsetTop - container.clientHeight / 2;
  };
  return { mark, settle: () => { if (failing && (!wrapper.contains(failing) || (held ?? failing.textContent) !== failing.textContent)) mark(null); } };
}

/**
 * Whether text can be highlighted at each key, however hostile it is: the highlighter reads all of it again, and what may
 * stand open to the text's end costs a look at all that follows.
 * @param {string} text
 */
function isLight(text) {
  const count = (/** @type {RegExp} */ pattern) => text.match(pattern)?.length ?? 0;
  return text.length < 50_000 && !/.{1000}/.test(text) && count(/["'/]/g) < 3000 && count(/#\{|<<|%|`|^=begin/gm) * text.length < 2e7;
}

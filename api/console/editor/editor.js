// The code editor: prism-code-editor with our keys, and a line that can be marked as failing.

import { h } from "../base/dom.js";
import { createEditor, languages } from "../vendor/prism-code-editor.js";
import { invisibleMarker } from "./invisible.js";

/**
 * `onChange` is called after each change, with all of the text.
 * @typedef {{
 *   language: "ruby" | "json", value: string, label: string, readOnly?: boolean,
 *   onChange?: (text: string) => void, signal: AbortSignal,
 * }} EditorOptions
 */
/** @typedef {ReturnType<typeof makeEditor>} Editor */
/** @typedef {(event: any, selection: number[], text: string) => boolean} Command whether it did something */

// Ruby's numbers may have underscores.
/** @type {any} */ (languages).ruby.number = /\b\d\w*(?:\.\d\w*)?/;
const OPENS = /^\s*(def|class|module|if|unless|while|until|for|case|begin|else|elsif|when|rescue|ensure)\b(?!.*\bend\b)|(\bdo|[{[(])(\s*\|[^|]*\|)?\s*$/;
/** What stands one step left of what it ends. */
const CLOSES = /^\s+(end|else|elsif|when|rescue|ensure|[}\])])$/;
const STEP = "  ";
let number = 0;

/** @param {EditorOptions} options */
export function makeEditor({ language, value, label, readOnly, onChange = () => {}, signal }) {
  const languageOf = (/** @type {string} */ text) => (isLight(text) ? language : "text");
  const invisible = invisibleMarker();
  /** @type {any} */
  const editor = createEditor(null, { language: languageOf(value), value, readOnly, lineNumbers: language === "ruby", onTokenize: invisible.mark });
  /** @type {HTMLTextAreaElement} */
  const textarea = editor.textarea;
  const about = h("p.unseen", { id: `editor-${++number}` });
  const element = h("div.editor", about, editor.container, invisible.told);
  textarea.setAttribute("aria-label", label);
  textarea.setAttribute("aria-describedby", about.id);
  // Before the editor itself sees the text: one that takes too long to highlight is shown plain.
  element.addEventListener("input", () => {
    const next = languageOf(textarea.value);
    if (next !== editor.options.language) editor.setOptions({ language: next });
  }, true);
  const { mark, settle } = markerOf(editor, about, readOnly ? "" : "Tab indents at the start of a line. To leave by Tab, press Escape first.");
  const goToLine = (/** @type {number} */ line, column = 1) => {
    const above = editor.value.split("\n").slice(0, line - 1).join("\n");
    const at = above.length + (line > 1 ? column : column - 1);
    textarea.focus({ preventScroll: true });
    textarea.setSelectionRange(at, at);
    editor.lines[line]?.scrollIntoView({ block: "center" });
  };
  editor.on("update", (/** @type {string} */ text) => {
    settle();
    onChange(text);
  });
  if (!readOnly) bindTyping(editor);
  signal.addEventListener("abort", editor.remove, { once: true });
  return {
    element, mark, goToLine,
    /** Marks a line that failed with this message; without a message, goes there. @param {number | null} line @param {string} [message] */
    pointAt: (line, message) => (line && message === undefined ? goToLine(line) : mark(line, message)),
    /** @returns {string} */
    get value() { return editor.value; },
    /** @param {string} text */
    setValue: (text) => editor.setOptions({ value: text, language: languageOf(text) }),
    focus: () => textarea.focus(),
  };
}

/**
 * What marks a line as failing. The mark moves with its line, and goes once the line is changed.
 * @param {any} editor
 * @param {HTMLElement} about
 * @param {string} hint
 */
function markerOf({ lines, textarea }, about, hint) {
  /** @type {HTMLElement | null} */
  let failing = null;
  /** @type {string | null} */
  let held = null;
  const mark = (/** @type {number | null} */ line, message = "") => {
    failing?.classList.remove("failing");
    failing = line ? lines[Math.min(line, lines.length - 1)] : null;
    about.textContent = failing ? `Line ${line} fails: ${message.slice(0, 500)} ${hint}` : hint;
    textarea.setAttribute("aria-invalid", String(failing !== null));
    if (!failing) return;
    held = failing.textContent;
    failing.classList.add("failing");
  };
  mark(null);
  return { mark, settle: () => { if (failing && failing.textContent !== held) mark(null); } };
}

/**
 * Whether text can be highlighted at each key, however hostile it is: the highlighter reads all of it again, and what may
 * stand open to the text's end costs a look at all that follows.
 * @param {string} text
 */
function isLight(text) {
  const opens = text.match(/["'/%`]|#\{|<<|^=begin/gm)?.length ?? 0;
  return text.length < 50_000 && opens * text.length < 4e7 && !/.{1000}/.test(text);
}

/**
 * What keys do: indents that follow the code, and a way out by Tab.
 * @param {{ textarea: HTMLTextAreaElement, keyCommandMap: Record<string, Command>, inputCommandMap: Record<string, Command> }} editor
 */
function bindTyping({ textarea, keyCommandMap: keys, inputCommandMap: typed }) {
  /** Types text in place of what stands between, so that it can be undone. */
  const insert = (/** @type {number} */ start, /** @type {number} */ end, /** @type {string} */ text) => {
    textarea.setSelectionRange(start, end);
    return document.execCommand(text ? "insertText" : "delete", false, text);
  };
  let leaves = false;
  keys.Escape = () => !(leaves = true);
  keys.Tab = (event, [start, end], text) => {
    const from = lineStart(text, start);
    if (leaves || isModified(event) || (start === end && text.slice(from, start).trim())) return false;
    if (start === end && !event.shiftKey) return insert(start, end, STEP);
    // All lines that the selection touches; one whose first character it ends before is not meant.
    const last = end > start && text[end - 1] === "\n" ? end - 1 : end;
    const to = (text + "\n").indexOf("\n", last);
    const lines = text.slice(from, to).split("\n");
    const after = lines.map((line) => (event.shiftKey ? line.replace(/^( {1,2}|\t)/, "") : line && STEP + line)).join("\n");
    insert(from, to, after);
    if (start !== end) textarea.setSelectionRange(from, from + after.length);
    return true;
  };
  keys.Enter = (event, [start, end], text) => {
    if (event.isComposing || isModified(event)) return false;
    const line = text.slice(lineStart(text, start), start);
    const indent = `\n${" ".repeat(indentOf(line))}`;
    return insert(start, end, indent + (OPENS.test(line) ? STEP : ""));
  };
  for (const last of "defn}])") typed[last] = (event, [start, end], text) => {
    const from = lineStart(text, start);
    const line = text.slice(from, start) + event.data;
    if (start !== end || !CLOSES.test(line)) return false;
    const above = text.slice(0, from).split("\n").reverse().find((other) => other.trim()) ?? "";
    const indent = Math.max(0, indentOf(above) - (OPENS.test(above) ? 0 : STEP.length));
    return indentOf(line) > indent && insert(from, start, " ".repeat(indent) + line.trim());
  };
  textarea.addEventListener("keydown", ({ key }) => { if (!/^(Escape|Tab|Shift)$/.test(key)) leaves = false; });
  textarea.addEventListener("blur", () => { leaves = false; });
}

/** @param {KeyboardEvent} event */
const isModified = (event) => event.ctrlKey || event.metaKey || event.altKey;
/** @param {string} line */
const indentOf = (line) => line.length - line.trimStart().length;
/** @param {string} text @param {number} at */
const lineStart = (text, at) => text.lastIndexOf("\n", at - 1) + 1;

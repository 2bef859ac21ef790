// What keys do in the editor: indents that follow the code, comments, and a way out by Tab.

/** @typedef {(event: any, selection: number[], text: string) => boolean} Command whether it did something */

const OPENS = /^\s*(def|class|module|if|unless|while|until|for|case|begin|else|elsif|when|rescue|ensure)\b(?!.*\bend\b)(?!.*\)\s*=\s)|=\s*(if|case|begin|unless)\b(?!.*\bend\b)|(\bdo|[{[(])(\s*\|[^|]*\|)?\s*$/;
/** What stands one step left of what it ends. */
const CLOSES = /^\s+(end|else|elsif|when|rescue|ensure|[}\])])$/;
const STEP = "  ";

/**
 * @param {{ textarea: HTMLTextAreaElement, keyCommandMap: Record<string, Command>, inputCommandMap: Record<string, Command> }} editor
 * @param {string} language
 */
export function bindTyping({ textarea, keyCommandMap: keys, inputCommandMap: typed }, language) {
  let leaves = false;
  keys.Escape = () => !(leaves = true);
  keys.Tab = (event, [start, end], text) => {
    const isLeading = !text.slice(lineStart(text, start), start).trim();
    if (leaves || isModified(event) || (start === end && !isLeading)) return false;
    if (start === end && !event.shiftKey) return insert(textarea, start, end, STEP);
    const shift = (/** @type {string} */ line) => (event.shiftKey ? line.replace(/^( {1,2}|\t)/, "") : line && STEP + line);
    return changeLines(textarea, (lines) => lines.map(shift));
  };
  keys.Enter = (event, [start, end], text) => {
    if (event.isComposing || isModified(event)) return false;
    const line = text.slice(lineStart(text, start), start);
    const indent = `\n${" ".repeat(indentOf(line))}`;
    if (!OPENS.test(line)) return insert(textarea, start, end, indent);
    insert(textarea, start, end, indent + STEP + (/[{[(]$/.test(line) && /^[}\])]/.test(text.slice(end)) ? indent : ""));
    textarea.selectionStart = textarea.selectionEnd = start + indent.length + STEP.length;
    return true;
  };
  if (language === "ruby") keys["/"] = (event) => (event.ctrlKey || event.metaKey) && changeLines(textarea, toggleComments);
  for (const last of "defn}])") typed[last] = (event, [start, end], text) => {
    const from = lineStart(text, start);
    const line = text.slice(from, start) + event.data;
    if (start !== end || !CLOSES.test(line)) return false;
    const above = text.slice(0, from).split("\n").reverse().find((other) => other.trim()) ?? "";
    const indent = Math.max(0, indentOf(above) - (OPENS.test(above) ? 0 : STEP.length));
    return indentOf(line) > indent && insert(textarea, from, start, " ".repeat(indent) + line.trim());
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

/**
 * Types text in place of what stands between, so that it can be undone.
 * @param {HTMLTextAreaElement} textarea
 * @param {number} start
 * @param {number} end
 * @param {string} text
 */
function insert(textarea, start, end, text) {
  textarea.setSelectionRange(start, end);
  return document.execCommand(text ? "insertText" : "delete", false, text);
}

/**
 * Changes the lines that are selected, and keeps them selected.
 * @param {HTMLTextAreaElement} textarea
 * @param {(lines: string[]) => string[]} change
 */
function changeLines(textarea, change) {
  const { value, selectionStart: start, selectionEnd: end } = textarea;
  const from = lineStart(value, start);
  // A selection that ends before a line's first character does not mean that line.
  const next = value.indexOf("\n", end > start && value[end - 1] === "\n" ? end - 1 : end);
  const to = next < 0 ? value.length : next;
  const after = change(value.slice(from, to).split("\n")).join("\n");
  if (after === value.slice(from, to)) return true;
  insert(textarea, from, to, after);
  const moved = Math.max(from, start + after.length - (to - from));
  textarea.setSelectionRange(start === end ? moved : from, start === end ? moved : from + after.length);
  return true;
}

/** @param {string[]} lines */
function toggleComments(lines) {
  const areComments = lines.every((line) => /^\s*(#|$)/.test(line)) && lines.some((line) => line.trim());
  return lines.map((line) => (areComments ? line.replace(/^(\s*)# ?/, "$1") : line.trim() && line.replace(/^\s*/, "$&# ")));
}

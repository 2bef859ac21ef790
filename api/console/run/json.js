// JSON as text: where it is wrong, and what stands in it, without reading more of it than is shown.

/** @typedef {{ key: string | null, start: number, end: number }} Entry */

/** In longer texts, the place of what is wrong is not looked for. */
const LONG = 100_000;
const DEEP = 200;
const SPACE = /[ \t\n\r]*/y;
const SCALAR = /[^\s,:{}[\]"]*/y;

/** What is wrong with a text that should be JSON, in one line with its place; null where nothing is. @param {string} text */
export function findError(text) {
  const said = parseError(text);
  if (said === null) return null;
  const what = said.replace(/^JSON\.parse: |(?:, [".]| in JSON | at line ).*$/gs, "");
  let [, line, column] = (/line (\d+) column (\d+)/.exec(said) ?? []).map(Number);
  if (!line && text.length > LONG) return { line: null, message: `${what}.` };
  if (!line) {
    const before = text.slice(0, firstWrong(text)).split("\n");
    [line, column] = [before.length, before[before.length - 1].length + 1];
  }
  return { line, message: `Line ${line}, column ${column}: ${what}.` };
}

/** @param {string} text */
export function parseError(text) {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/** Where the browser does not tell the place of what is wrong: how far the text can still become JSON. @param {string} text */
function firstWrong(text) {
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const said = parseError(text.slice(0, middle));
    if (said === null || / end of |nterminated/.test(said) || said.includes(`position ${middle} `)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * What stands in the array or object that begins at `start`, one after the other. The text must be JSON.
 * @param {string} text
 * @param {number} start
 * @returns {Generator<Entry, void, void>}
 */
export function* entries(text, start) {
  let at = behind(SPACE, text, start + 1);
  for (let index = 0; at < text.length && !"}]".includes(text[at]); index++) {
    let key = String(index);
    if (text[start] === "{") {
      const end = endOf(text, at);
      key = text.slice(at, end);
      at = behind(SPACE, text, behind(SPACE, text, end) + 1);
    }
    const end = endOf(text, at);
    yield { key, start: at, end };
    at = behind(SPACE, text, end);
    if (text[at] === ",") at = behind(SPACE, text, at + 1);
  }
}

/** All of the text, as an entry. @param {string} text @returns {Entry} */
export function rootOf(text) {
  const start = behind(SPACE, text, 0);
  return { key: null, start, end: endOf(text, start) };
}

/** Where the value ends that begins at `start`, however deep it is. @param {string} text @param {number} start */
function endOf(text, start) {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const mark = text.charCodeAt(at);
    // `[` and `{`, `]` and `}` differ by one bit; 34 is a quote, 92 a backslash.
    if ((mark & ~32) === 91) depth++;
    else if ((mark & ~32) === 93) depth--;
    else if (mark === 34) {
      for (let inner = 0; ++at < text.length && (inner = text.charCodeAt(at)) !== 34; ) if (inner === 92) at++;
    } else if (depth === 0) return behind(SCALAR, text, at);
    if (depth === 0) return at + 1;
  }
  return text.length;
}

/** @param {RegExp} pattern a sticky one that matches anywhere @param {string} text @param {number} at */
function behind(pattern, text, at) {
  pattern.lastIndex = at;
  pattern.test(text);
  return pattern.lastIndex;
}

/** The texts of what an object holds, by its names; the text must be JSON. @param {string} text */
export function members(text) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const { key, start, end } of entries(text, rootOf(text).start)) found[JSON.parse(key ?? "")] = text.slice(start, end);
  return found;
}

/** JSON in lines, so that two can be compared; as it is where it is no JSON, or too deep for that. @param {string} text */
export function inLines(text) {
  if (parseError(text)) return text;
  let [lines, depth] = ["", 0];
  for (const [mark] of text.matchAll(/"(?:\\.|[^"\\])*"|[[{]\s*[\]}]|[[\]{},:]|[^\s"[\]{},:]+/g)) {
    if (/^[\]}]$/.test(mark)) lines += `\n${" ".repeat(2 * --depth)}`;
    lines += mark === ":" ? ": " : mark.replace(/\s+(?=[\]}]$)/, "");
    if (/^[[{]$/.test(mark)) depth++;
    if (/^[[{,]$/.test(mark)) lines += `\n${" ".repeat(2 * depth)}`;
    if (depth > DEEP) return text;
  }
  return lines;
}

// A diff as one table, with both line numbers and a sign for what changed. Long stretches that are the same are folded.

import { button, h } from "../base/parts.js";
import { visible } from "../run/text.js";

/** @typedef {{ kind: "same" | "added" | "removed", text: string, before?: number, after?: number }} DiffLine */

/** Same lines that stand around what changed. */
const AROUND = 3;
const MOST_ROWS = 4000;
const LONGEST_LINE = 2000;
/** Texts that need a larger table count as replaced, from the first line that differs to the last. */
const MOST_CELLS = 1_500_000;
const SIGNS = { same: " ", added: "+", removed: "−" };
const ELEMENTS = /** @type {const} */ ({ same: "span", added: "ins", removed: "del" });

/**
 * @param {string} before
 * @param {string} after
 * @param {{ before: string, after: string }} labels
 * @returns {HTMLElement}
 */
export function diffView(before, after, labels) {
  const lines = diffLines(before, after);
  const [added, removed] = ["added", "removed"].map((kind) => lines.filter((line) => line.kind === kind).length);
  if (!added && !removed) return h("p.muted", "No difference.");
  const head = [labels.before, labels.after, [h("span.good", `+${added}`), " ", h("span.bad", `−${removed}`)]];
  return h("table.diff", h("thead", h("tr", head.map((text) => h("th", { scope: "col" }, text)))), h("tbody", rows(lines)));
}

/** @param {DiffLine[]} lines */
function rows(lines) {
  const isNear = new Uint8Array(lines.length);
  lines.forEach(({ kind }, at) => { if (kind !== "same") isNear.fill(1, Math.max(0, at - AROUND), at + AROUND + 1); });
  const made = [];
  for (let at = 0, end = 0; at < lines.length; at = end) {
    if (made.length >= MOST_ROWS) return [...made, wide("What follows is too long to be shown.")];
    while (end < lines.length && !isNear[end]) end++;
    if (end - at < 2) end = at + 1;
    made.push(end - at > 1 ? fold(lines.slice(at, end)) : row(lines[at]));
  }
  return made;
}

/** @param {import("../base/dom.js").Child} content */
const wide = (content) => h("tr.fold", h("td", { colspan: 3 }, content));

/** What is the same, opened by a press. @param {DiffLine[]} lines */
function fold(lines) {
  const rest = lines.slice(MOST_ROWS);
  const open = button(`Show ${lines.length} same lines`, () => folded.replaceWith(...lines.slice(0, MOST_ROWS).map(row), ...(rest.length ? [fold(rest)] : [])), "quiet");
  const folded = wide(open);
  return folded;
}

/** @param {DiffLine} line */
function row({ kind, text, before, after }) {
  const rest = text.length - LONGEST_LINE;
  const content = visible(text.slice(0, LONGEST_LINE)) + (rest > 0 ? ` … ${rest} more characters` : "");
  return h("tr", { class: kind }, h("td.number", before), h("td.number", after),
    h("td", h("span.sign", SIGNS[kind]), h(ELEMENTS[kind], { dir: "auto" }, content)));
}

/**
 * The lines of both texts, in order, with their numbers from 1 on: by the longest common subsequence.
 * @param {string} before
 * @param {string} after
 * @returns {DiffLine[]}
 */
function diffLines(before, after) {
  const [a, b] = [before, after].map((text) => (text ? text.replace(/\n$/, "").split("\n") : []));
  /** @type {DiffLine[]} */
  const lines = [];
  let [x, y, endX, endY] = [0, 0, a.length, b.length];
  const same = () => lines.push({ kind: "same", text: a[x], before: ++x, after: ++y });
  while (x < endX && y < endY && a[x] === b[y]) same();
  while (endX > x && endY > y && a[endX - 1] === b[endY - 1]) [endX, endY] = [endX - 1, endY - 1];
  const start = x;
  const common = countCommon(a.slice(x, endX), b.slice(y, endY));
  while (x < endX || y < endY) {
    if (x < endX && y < endY && a[x] === b[y]) same();
    else if (y === endY || (x < endX && common(x + 1 - start, y - start) >= common(x - start, y + 1 - start))) {
      lines.push({ kind: "removed", text: a[x], before: ++x });
    } else lines.push({ kind: "added", text: b[y], after: ++y });
  }
  while (x < a.length) same();
  return lines;
}

/**
 * Returns what tells how many lines are common from two of them on.
 * @param {string[]} a
 * @param {string[]} b
 * @returns {(x: number, y: number) => number}
 */
function countCommon(a, b) {
  const width = b.length + 1;
  if (width * (a.length + 1) > MOST_CELLS) return () => 0;
  // Numbers in place of lines, which may be long.
  const numbers = new Map([...a, ...b].map((line, at) => [line, at]));
  const [of, others] = [a, b].map((lines) => lines.map((line) => numbers.get(line)));
  const table = new Uint16Array(width * (a.length + 1));
  for (let x = a.length - 1; x >= 0; x--) {
    for (let y = b.length - 1; y >= 0; y--) {
      const at = x * width + y;
      table[at] = of[x] === others[y] ? table[at + width + 1] + 1 : Math.max(table[at + width], table[at + 1]);
    }
  }
  return (x, y) => table[x * width + y];
}

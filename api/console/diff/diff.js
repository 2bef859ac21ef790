// A diff as one table, with both line numbers and a sign for what changed. Long stretches that are the same are folded.

import { h } from "../base/dom.js";
import { visible } from "../run/text.js";
import { diffLines } from "./lines.js";

export { diffLines };

/** Same lines that stand around what changed. */
const AROUND = 3;
const MOST_ROWS = 4000;
const LONGEST_LINE = 2000;
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
  if (!added && !removed) return h("p", { class: "muted" }, "No difference.");
  const head = [labels.before, labels.after, [h("span", { class: "good" }, `+${added}`), " ", h("span", { class: "bad" }, `−${removed}`)]];
  const label = `From ${labels.before} to ${labels.after}: ${added} added, ${removed} removed`;
  return h("div", { class: "diff", tabindex: "0", role: "region", "aria-label": label },
    h("table", {}, h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows(lines))));
}

/** @param {import("./lines.js").DiffLine[]} lines */
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

/** @param {import("./lines.js").DiffLine[]} lines */
function fold(lines) {
  const open = () => {
    const shown = lines.splice(0, MOST_ROWS).map(row);
    element.before(...shown);
    if (lines.length) return;
    element.remove();
    shown[0].tabIndex = -1;
    shown[0].focus({ preventScroll: true });
  };
  const element = wide(h("button", { type: "button", on: { click: open } }, `${lines.length} same lines`));
  return element;
}

/** @param {Node | string} content */
const wide = (content) => h("tr", { class: "fold" }, h("td", { colspan: "3" }, content));

/** @param {import("./lines.js").DiffLine} line */
function row({ kind, text, before, after }) {
  const rest = text.length - LONGEST_LINE;
  const content = visible(text.slice(0, LONGEST_LINE)) + (rest > 0 ? ` … ${rest} more characters` : "");
  return h("tr", { class: kind }, h("td", { class: "number" }, before), h("td", { class: "number" }, after),
    h("td", {}, h("span", { class: "sign" }, SIGNS[kind]), h(ELEMENTS[kind], { dir: "auto" }, content)));
}

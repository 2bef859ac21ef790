// A row of the list: what stands in its cells.

import { h, setText } from "../base/dom.js";
import { duration, pill, time } from "../base/format.js";
import { address } from "../base/router.js";
import { clip } from "../run/text.js";

/** @typedef {import("./feed.js").Listed} Listed */

const COLUMNS = {
  status: "Status", function: "Function", "version number": "Version", started: "Started", "run number": "Run", "wait number": "Wait", result: "Result or error",
};

/** @param {Node} chooseAll @param {string} only the function that all are of, if there is one: then ids stand in place of its name */
export function head(chooseAll, only) {
  const cells = Object.entries(COLUMNS).map(([name, label]) => h("th", { scope: "col", class: name }, only && name === "function" ? "Execution" : label));
  return h("thead", h("tr", { "aria-rowindex": "1" }, h("th", { scope: "col", class: "choose" }, chooseAll), cells));
}

/** A row is made anew when its status changes. @param {Listed} row */
export function keyOf({ id, status }) {
  return `${id} ${status}`;
}

/** @param {Listed} row @param {string} only */
export function makeRow(row, only) {
  const { id, status, error, version, started_at: start, submitted_at: sent } = row;
  const cells = [
    [pill(status), error && h("span.muted", { title: error.kind }, ` ${error.kind}`)],
    h("a", { href: addressOf(row), title: id }, only ? id : row.function),
    version ? `v${version}` : "–",
    time(start ?? sent),
    "",
    duration(start ? span(sent, start) : null),
    h("bdi", { class: error ? "bad" : "" }, outcomeLine(row)),
  ];
  return h("tr", h("td.choose", h("input", { type: "checkbox", "aria-label": `Choose ${id}` })),
    Object.keys(COLUMNS).map((name, at) => h("td", { class: name }, cells[at])));
}

/** What may change while the row stays. @param {HTMLTableRowElement} element @param {Listed} row @param {boolean} isChosen @param {boolean} isOpen */
export function updateRow(element, row, isChosen, isOpen) {
  /** @type {HTMLInputElement} */ (element.cells[0].firstChild).checked = isChosen;
  setText(element.cells[5], runTime(row));
  element.ariaCurrent = isOpen ? "true" : null;
}

/** @param {{ function: string, id: string }} execution */
export function addressOf({ function: name, id }) {
  return address(["functions", name, "executions", id]);
}

/** What came of it in one line. @param {Listed} row */
export function outcomeLine({ error, result, texts }) {
  if (error) return clip(error.message || error.kind, 200);
  return result === null || result === undefined ? "–" : clip(texts.result, 200);
}

/** How long it ran, or has run until now. @param {Listed} row */
function runTime({ usage, started_at: start, finished_at: end }) {
  return duration(end && usage ? usage.wall_ms : start ? span(start, end) : null);
}

/** The milliseconds from one moment to another, or to now. @param {string} from @param {string | null} to */
function span(from, to) {
  return Math.max(0, (to ? Date.parse(to) : Date.now()) - Date.parse(from));
}

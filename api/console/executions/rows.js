// A row of the list: what stands in its cells.

import { h, replace, setText } from "../base/dom.js";
import { duration, pill, time } from "../base/format.js";
import { address } from "../base/router.js";
import { isFinal } from "../run/execution.js";
import { clip } from "../run/text.js";

/** @typedef {import("./feed.js").Listed} Listed */

const COLUMNS = { status: "Status", function: "Function", version: "Version", started: "Started", run: "Run", wait: "Wait", result: "Result or error" };

/** @param {Node} chooseAll @param {boolean} isOfOne whether all are of one function: then their ids stand in place of its name */
export function head(chooseAll, isOfOne) {
  const cells = Object.entries(COLUMNS).map(([name, label]) => h("th", { scope: "col", class: name }, isOfOne && name === "function" ? "Execution" : label));
  return h("thead", {}, h("tr", { "aria-rowindex": "1" }, h("th", { scope: "col", class: "choose" }, chooseAll), cells));
}

/** @param {Listed} row @param {boolean} isOfOne */
export function makeRow(row, isOfOne) {
  const link = h("a", { href: addressOf(row), title: row.id }, isOfOne ? row.id : row.function);
  const cells = Object.keys(COLUMNS).map((name) => h("td", { class: name }, name === "function" && link));
  return h("tr", {}, h("td", { class: "choose" }, h("input", { type: "checkbox", "aria-label": `Choose ${row.id}` })), cells);
}

/** @param {HTMLTableRowElement} element @param {Listed} row */
export function fillRow(element, row) {
  const [, status, , version, started, run, wait, result] = element.cells;
  const { error, started_at: start, submitted_at: sent, finished_at: end, usage } = row;
  replace(status, pill(row.status), error && h("span", { class: "muted", title: error.kind }, ` ${error.kind}`));
  setText(version, row.version ? `v${row.version}` : "–");
  replace(started, time(start ?? sent));
  setText(run, duration(isFinal(row) && usage ? usage.wall_ms : start ? span(start, end) : null));
  setText(wait, duration(start ? span(sent, start) : null));
  replace(result, h("bdi", { class: error ? "bad" : "" }, outcomeLine(row)));
}

/** @param {{ function: string, id: string }} execution */
export function addressOf({ function: name, id }) {
  return address(["functions", name, "executions", id]);
}

/** What came of it in one line. @param {Listed} row */
export function outcomeLine({ error, result }) {
  if (error) return clip(error.message || error.kind, 200);
  return result === null || result === undefined ? "–" : clip(JSON.stringify(result), 200);
}

/** The milliseconds from one moment to another, or to now. @param {string} from @param {string | null} to */
function span(from, to) {
  return Math.max(0, (to ? Date.parse(to) : Date.now()) - Date.parse(from));
}

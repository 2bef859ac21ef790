// The rows of the list, and what stands above and below them.

import { address, announce, button, count, empty, failure, h, replace, setText, skeleton } from "../base/parts.js";
import { MOST } from "./feed.js";
import { pointAt } from "./pointing.js";
import { head, keyOf, makeRow, updateRow } from "./rows.js";
import { rowWindow } from "./window.js";

/** @typedef {import("./feed.js").Feed} Feed */
/** @typedef {import("./feed.js").Listed} Listed */

/**
 * `take` shows the new rows.
 * @param {{ only: string, choice: import("./choice.js").Choice, seen: (below: number) => void, showAll: () => void, take: () => void, signal: AbortSignal }} given
 */
export function makeTable({ only, choice, seen, showAll, take, signal }) {
  /** @type {Listed[]} */
  let listed = [];
  const foot = makeFoot(only, showAll);
  const news = button("", () => { take(); rows.reveal(0); element.focus({ preventScroll: true }); }, "main", { hidden: true });
  const table = h("table.executions", { hidden: true }, head(choice.box, only));
  const element = h("section.rows", { tabindex: "0", "aria-label": "List of executions" }, h("div.newer", news), table, foot.element);
  const rows = rowWindow({
    box: element, table, keyOf, make: (row) => makeRow(row, only), seen, signal,
    update: (element, row) => updateRow(element, row, choice.has(row), row.id === beside.row()?.id),
  });
  const beside = pointAt(table, {
    choice, signal, changed: () => rows.draw(listed), reveal: (row) => rows.reveal(listed.indexOf(row)),
    rowOf: (element) => listed.find((row) => keyOf(row) === element?.closest("tr")?.dataset.key),
  });
  /** @param {Feed} feed @param {boolean} isFiltered */
  const draw = (feed, isFiltered) => {
    const { next, waiting, error } = feed;
    listed = feed.rows;
    if (waiting && news.hidden) announce(`${waiting} new`);
    setText(news, `${waiting} new`);
    news.hidden = !waiting;
    table.hidden = !listed.length;
    table.ariaRowCount = String(next ? -1 : listed.length + 1);
    element.ariaBusy = "false";
    choice.show(listed, next !== null);
    rows.draw(listed);
    if (error) foot.fail(error, () => { feed.error = null; draw(feed, isFiltered); });
    else foot.show(feed, isFiltered);
  };
  /** @param {unknown} error @param {() => void} again */
  const fail = (error, again) => {
    table.hidden = choice.bar.hidden = true;
    foot.fail(error, again);
  };
  const isRead = () => !rows.isAtTop() || choice.isAny() || Boolean(beside.row()) || rows.body.matches(":hover, :focus-within");
  return { element, beside: beside.element, draw, fail, isRead };
}

/** The foot of a list: of one function where there is `only`. @param {string} only @param {() => void} showAll */
function makeFoot(only, showAll) {
  const element = h("div.after", skeleton(8));
  let told = "";
  /** What is told already stays untouched. @param {string} what @param {Node} node */
  const tell = (what, node = h("p.muted", what)) => {
    if (what !== told) replace(element, node);
    told = what;
  };
  /** @param {unknown} error @param {() => void} again */
  const fail = (error, again) => tell(String(error), failure(error, again));
  /** @param {import("./feed.js").Feed} feed @param {boolean} isFiltered */
  const show = ({ rows, next }, isFiltered) => {
    if (rows.length >= MOST) tell(`The newest ${count(MOST)} are listed. Filter by until: to see older ones.`);
    else if (next) tell("Scroll down for older ones.");
    else if (rows.length) tell("These are all.");
    else if (isFiltered) tell("none pass", empty("No execution that is listed passes this filter.", button("Show all", showAll)));
    else {
      const run = h("a.button.main", { href: only ? address(["functions", only]) : "#/functions" }, only ? `Run ${only}` : "Choose a function");
      tell("none", empty("Executions stand here once they have ended, or run for over 5 s.", run));
    }
  };
  return { element, fail, show };
}

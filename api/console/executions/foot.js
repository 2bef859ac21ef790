// What stands below the rows: whether there are more, why there are none, or what went wrong.

import { h, replace } from "../base/dom.js";
import { count } from "../base/format.js";
import { button } from "../base/parts.js";
import { address } from "../base/router.js";
import { empty, failure, skeleton } from "../base/states.js";
import { MOST } from "./feed.js";

/** The foot of a list: of one function where there is `only`. @param {string} only @param {() => void} showAll */
export function makeFoot(only, showAll) {
  const element = h("div", { class: "after" }, skeleton(8));
  let told = "";
  /** What is told already stays untouched. @param {string} what @param {Node} node */
  const tell = (what, node = h("p", { class: "muted" }, what)) => {
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
      const run = h("a", { class: "button main", href: only ? address(["functions", only]) : "#/functions" }, only ? `Run ${only}` : "Choose a function");
      tell("none", empty("Executions stand here once they have ended, or run for over 5 s.", run));
    }
  };
  return { element, fail, show };
}

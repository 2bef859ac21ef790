// What stands below the rows: whether there are more, why there are none, or what went wrong.

import { h, replace } from "../base/dom.js";
import { count } from "../base/format.js";
import { button } from "../base/parts.js";
import { address } from "../base/router.js";
import { empty, failure, skeleton } from "../base/states.js";
import { MOST } from "./feed.js";

/** @typedef {{ isFiltered: boolean, only: string, showAll: () => void, again: () => void }} Given */

/** The foot of a list. */
export class Foot {
  element = h("div", { class: "after" }, skeleton(8));
  #told = "";

  /** @param {import("./feed.js").Feed} feed @param {Given} given */
  show({ rows, next, error }, { isFiltered, only, showAll, again }) {
    if (error) return this.fail(error, again);
    if (rows.length >= MOST) return this.#tell(`The newest ${count(MOST)} are listed. Filter by until: to see older ones.`);
    if (next) return this.#tell("Looking for older ones.");
    if (rows.length) return this.#tell("These are all.");
    if (isFiltered) return this.#tell("filtered", () => empty("No execution that is listed passes this filter.", button("Show all", showAll)));
    const run = h("a", { class: "button main", href: only ? address(["functions", only]) : "#/functions" }, only ? `Run ${only}` : "Choose a function");
    return this.#tell("none", () => empty("Executions stand here once they have ended, or run for over 5 s.", run));
  }

  /** @param {unknown} error @param {() => void} again */
  fail(error, again) {
    this.#tell(String(error), () => failure(error, again));
  }

  /** @param {string} what it is about: for the same nothing is touched @param {() => Node} make */
  #tell(what, make = () => h("p", { class: "muted" }, what)) {
    if (what !== this.#told) replace(this.element, make());
    this.#told = what;
  }
}

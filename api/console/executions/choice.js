// Which rows are chosen, and what is offered for them.

import { allows } from "../base/caller.js";
import { h, setText } from "../base/dom.js";
import { count } from "../base/format.js";
import { button } from "../base/parts.js";
import { isFinal } from "../run/execution.js";

/** @typedef {import("./feed.js").Listed} Listed */

/** The chosen rows of a list. */
export class Choice {
  /** @type {Map<string, Listed>} */
  rows = new Map();
  /** Whether all that match are chosen, listed or not. */
  isAll = false;
  /** @type {Listed[]} */
  #listed = [];
  /** Where a range begins. */
  #anchor = "";

  /** @param {() => void} changed @param {(deed: import("./bulk.js").Deed) => void} act */
  constructor(changed, act) {
    this.changed = changed;
    this.all = h("input", { type: "checkbox", "aria-label": "Choose all that are listed", on: { change: () => this.#set(this.all.checked ? this.#listed : []) } });
    this.text = h("span", { class: "muted" });
    this.replay = button("", () => act("replay"));
    this.cancel = button("", () => act("cancel"));
    this.match = button("All that match", () => this.#set([], true));
    this.none = button("Clear", () => this.clear(), "quiet");
    this.bar = h("div", { class: "choice", hidden: true }, this.text, this.replay, this.cancel, this.match, this.none);
  }

  get isAny() {
    return this.isAll || this.rows.size > 0;
  }

  /** @param {string} id */
  has(id) {
    return this.isAll || this.rows.has(id);
  }

  clear() {
    this.#set([]);
  }

  /** Chooses a row, or no longer; or all from the one before to this one. @param {number} at @param {boolean} isRange */
  toggle(at, isRange) {
    const { id } = this.#listed[at];
    const anchor = isRange ? this.#listed.findIndex((row) => row.id === this.#anchor) : -1;
    const range = this.#listed.slice(Math.min(at, anchor < 0 ? at : anchor), Math.max(at, anchor) + 1);
    const isChosen = isRange || !this.has(id);
    const changed = new Set(range.map((row) => row.id));
    const others = (this.isAll ? this.#listed : [...this.rows.values()]).filter((row) => !changed.has(row.id));
    this.#anchor = id;
    this.#set(isChosen ? [...others, ...range] : others);
  }

  /** @param {Listed[]} rows @param {boolean} isAll */
  #set(rows, isAll = false) {
    this.isAll = isAll;
    this.rows = new Map(rows.map((row) => [row.id, row]));
    this.changed();
  }

  /** @param {Listed[]} listed @param {boolean} hasMore */
  show(listed, hasMore) {
    this.#listed = listed;
    this.bar.hidden = !listed.length && !this.isAny;
    const [rows, mayAct] = [[...this.rows.values()], this.isAny && allows("execute")];
    const runs = rows.filter((row) => !isFinal(row)).length;
    setText(this.text, this.isAll ? "All that match are chosen" : rows.length ? `${count(rows.length)} chosen` : `${count(listed.length)}${hasMore ? "+" : ""} listed`);
    setText(this.replay, `Replay ${this.isAll ? "all" : count(rows.length)}`);
    setText(this.cancel, `Cancel ${this.isAll ? "all" : count(runs)}`);
    this.replay.hidden = !mayAct;
    this.cancel.hidden = !mayAct || !(this.isAll || runs);
    this.match.hidden = !mayAct || this.isAll;
    this.none.hidden = !this.isAny;
    this.all.checked = this.isAll || (this.isAny && rows.length >= listed.length);
    this.all.indeterminate = this.isAny && !this.all.checked;
  }
}

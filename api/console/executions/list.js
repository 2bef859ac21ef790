// The list of executions, the newest first; beside it, what came of the chosen one.

import { allows } from "../base/caller.js";
import { announce, h, setText } from "../base/dom.js";
import { bind } from "../base/keys.js";
import { button } from "../base/parts.js";
import { every } from "../base/poll.js";
import { address, go, rewrite } from "../base/router.js";
import { toast } from "../base/toast.js";
import { newKey } from "../run/submit.js";
import { besideList } from "./beside.js";
import { openBulk, replay } from "./bulk.js";
import { Choice } from "./choice.js";
import { Feed } from "./feed.js";
import { parse, print, source } from "./filter.js";
import { filterBox } from "./filter_box.js";
import { Foot } from "./foot.js";
import { addressOf, fillRow, head, makeRow } from "./rows.js";
import { RowWindow } from "./window.js";

/** @typedef {import("./feed.js").Listed} Listed */

const LOOK_MS = 5000;
/** With so few rows left below those in sight, older ones are read. */
const FEW = 60;

/** @type {import("../base/router.js").Open} */
export function open({ query, signal }) {
  return { crumbs: ["Executions"], title: "Executions", body: new ExecutionList(query, "", signal).element, place: "executions" };
}

/** The list with its filter, and the pane beside it. */
export class ExecutionList {
  /** @type {Feed} */
  #feed;
  #living = new AbortController();
  /** The row that keys act on. */
  #current = "";
  /** @type {WeakMap<Element, Listed>} */
  #filled = new WeakMap();
  foot = new Foot();

  /** @param {URLSearchParams} query @param {string} only the function that all are of, if there is one @param {AbortSignal} signal */
  constructor(query, only, signal) {
    this.only = only;
    this.signal = signal;
    const text = query.get("q") ?? "";
    this.filter = parse(text).filter;
    this.choice = new Choice(() => this.#draw(), (deed) => this.#bulk(deed));
    this.news = button("", () => this.#take(), "main", { hidden: true });
    this.table = h("table", { class: "executions", hidden: true }, head(this.choice.all, only !== ""));
    this.box = h("section", { class: "rows", tabindex: "0", "aria-label": "List of executions" }, h("div", { class: "newer" }, this.news), this.table, this.foot.element);
    this.rows = new RowWindow(this.box, this.table, {
      make: (row) => makeRow(row, only !== ""), dress: (element, row) => this.#dress(element, row), seen: (below) => this.#readOlder(below),
    }, signal);
    this.beside = besideList({ signal, close: () => this.#close(), cancel: (row) => openBulk("cancel", [row], this.#feed.source, () => {}) });
    this.box.addEventListener("click", (event) => this.#click(event));
    this.box.addEventListener("mousedown", (event) => { if (event.shiftKey) event.preventDefault(); });
    this.#bindKeys();
    this.#feed = this.#begin();
    this.filterBox = filterBox({ text, only, signal, apply: (filter) => this.#apply(filter) });
    this.element = h("div", { class: "listed" },
      h("div", { class: "list" }, this.filterBox.element, this.box, this.choice.bar), this.beside.element);
  }

  /** @param {import("./filter.js").Filter} filter */
  #apply(filter) {
    if (print(filter) === print(this.filter)) return;
    this.filter = filter;
    rewrite(address(this.only ? ["functions", this.only, "executions"] : ["executions"], { q: print(filter) }));
    this.choice.clear();
    this.#feed = this.#begin();
  }

  /** Begins the list of what passes the filter. */
  #begin() {
    this.#living.abort();
    this.#living = new AbortController();
    const signal = AbortSignal.any([this.signal, this.#living.signal]);
    const feed = new Feed(source(this.only ? { ...this.filter, function: this.only } : this.filter), signal);
    this.box.ariaBusy = "true";
    const look = async () => {
      await feed.look(() => !this.rows.isAtTop || this.#current !== "" || this.choice.isAny || this.rows.body.matches(":hover"));
      this.#draw();
    };
    every(LOOK_MS, signal, look, (error) => {
      if (feed.isLoaded) return;
      this.table.hidden = this.choice.bar.hidden = true;
      this.foot.fail(error, () => { this.#feed = this.#begin(); });
    });
    return feed;
  }

  #take() {
    this.#feed.take();
    this.#draw();
    this.rows.reveal(0);
    this.box.focus({ preventScroll: true });
  }

  #draw(isMore = false) {
    const { rows, next, waiting, isLoaded } = this.#feed;
    if (!isLoaded) return;
    if (waiting && this.news.hidden) announce(`${waiting} new`);
    setText(this.news, `${waiting} new`);
    this.news.hidden = !waiting;
    this.table.hidden = !rows.length;
    this.table.ariaRowCount = String(next ? -1 : rows.length + 1);
    this.box.ariaBusy = "false";
    this.choice.show(rows, next !== null);
    this.rows.set(rows, isMore);
    this.foot.show(this.#feed, {
      isFiltered: print(this.filter) !== "", only: this.only, showAll: () => this.filterBox.set(""),
      again: () => { this.#feed.error = null; this.#readOlder(0); },
    });
  }

  /** @param {number} below how many rows lie below those in sight */
  async #readOlder(below) {
    const feed = this.#feed;
    if (feed?.isLoaded && !feed.error && below < FEW && (await feed.readOlder()) && feed === this.#feed) this.#draw(true);
  }

  /** @param {HTMLTableRowElement} element @param {Listed} row */
  #dress(element, row) {
    if (this.#filled.get(element) !== row) fillRow(element, row);
    this.#filled.set(element, row);
    const isChosen = this.choice.has(row.id);
    /** @type {HTMLInputElement} */ (element.cells[0].firstChild).checked = isChosen;
    element.classList.toggle("chosen", isChosen);
    element.ariaCurrent = row.id === this.#current ? "true" : null;
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = /** @type {Element} */ (event.target);
    const key = target.closest("tr")?.dataset.key;
    const at = this.#feed.rows.findIndex(({ id }) => id === key);
    if (at < 0) return;
    if (target.closest(".choose") || event.shiftKey) return this.choice.toggle(at, event.shiftKey);
    if (event.metaKey || event.ctrlKey || !getSelection()?.isCollapsed) return;
    event.preventDefault();
    this.#open(this.#feed.rows[at], event.detail === 0);
  }

  #bindKeys() {
    const row = () => this.#feed.rows[this.#at()];
    const back = () => (this.beside.element.hidden ? this.choice.isAny ? this.choice.clear() : this.#point("") : this.#close());
    /** @type {[string, string, () => void][]} */
    const keys = [
      ["j", "Next row", () => this.#move(1)],
      ["k", "Row before", () => this.#move(-1)],
      ["Enter", "Open beside the list, then alone", () => row() && this.#open(row(), true)],
      ["x", "Choose", () => row() && this.choice.toggle(this.#at(), false)],
      ["Escape", "One step back", back],
    ];
    if (allows("execute")) keys.push(["r", "Replay", () => this.#replay()]);
    for (const [key, does, act] of keys) bind(key, does, act, { signal: this.signal });
  }

  #at() {
    return this.#feed.rows.findIndex(({ id }) => id === this.#current);
  }

  /** @param {number} step */
  #move(step) {
    const { rows } = this.#feed;
    const at = Math.max(0, Math.min(rows.length - 1, this.#at() + step));
    if (!rows[at]) return;
    this.rows.reveal(at);
    this.#point(rows[at].id);
    this.#focus();
    if (!this.beside.element.hidden) this.beside.show(rows[at]);
  }

  /** @param {string} id of the row that keys act on from now on */
  #point(id) {
    this.#current = id;
    this.rows.draw();
  }

  #focus() {
    /** @type {HTMLElement | null} */ (this.rows.body.querySelector("[aria-current] a"))?.focus({ preventScroll: true });
  }

  /** Opens it beside the list; alone where there is no room, or where it is open already. @param {Listed} row @param {boolean} isByKey */
  #open(row, isByKey) {
    const isOpen = !this.beside.element.hidden && row.id === this.#current;
    if (matchMedia("(max-width: 900px)").matches || (isOpen && isByKey)) return go(addressOf(row));
    this.beside.show(row);
    this.#point(row.id);
    this.rows.reveal(this.#at());
  }

  #close() {
    this.beside.show();
    this.#focus();
  }

  /** Replays what is chosen; else the row that keys act on. */
  async #replay() {
    const row = this.#feed.rows[this.#at()];
    if (this.choice.isAny) return this.#bulk("replay");
    if (!row) return;
    try {
      const made = await replay(row, newKey()["Idempotency-Key"]);
      toast(`${row.function} runs again.`, { label: "Open", act: () => go(addressOf(made)) });
    } catch (error) {
      toast(`Not replayed. ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {import("./bulk.js").Deed} deed */
  #bulk(deed) {
    openBulk(deed, this.choice.isAll ? null : [...this.choice.rows.values()], this.#feed.source, () => this.choice.clear());
  }
}

// A table of which only the rows in sight are in the page, so that ten thousand of them cost what a few dozen do.

import { h, keyed } from "../base/dom.js";

/** Rows that stand ready above and below those in sight; the most that are in the page. */
const [SPARE, MOST] = [7, 100];

/** @typedef {import("./feed.js").Listed} Listed */
/**
 * `make` makes a row's element, and `dress` brings it up to date. `seen` is told how many lie below those in sight.
 * @typedef {{ make: (row: Listed) => HTMLElement, dress: (element: HTMLTableRowElement, row: Listed) => void, seen: (below: number) => void }} Look
 */

/** The rows of a table, all of one height, whatever that is. Either `box` scrolls, or the page does. */
export class RowWindow {
  body = h("tbody");
  #above = h("td");
  #below = h("td");
  /** @type {Listed[]} */
  #rows = [];
  #from = 0;
  #to = 0;
  #height = 37;
  #due = 0;

  /** @param {HTMLElement} box @param {HTMLTableElement} table @param {Look} look @param {AbortSignal} signal */
  constructor(box, table, look, signal) {
    this.box = box;
    this.table = table;
    this.look = look;
    const space = (/** @type {Node} */ cell) => h("tbody", { class: "space", "aria-hidden": "true" }, h("tr", {}, cell));
    table.append(space(this.#above), this.body, space(this.#below));
    const scrolled = () => { this.#due ||= requestAnimationFrame(() => this.draw(false)); };
    document.addEventListener("scroll", scrolled, { capture: true, passive: true, signal });
    const observer = new ResizeObserver(() => this.draw());
    observer.observe(box);
    signal.addEventListener("abort", () => observer.disconnect());
  }

  get isAtTop() {
    return this.#sight()[0] <= 1;
  }

  /** Shows these. Where they are the same as before, and more, only what comes into sight is drawn. @param {Listed[]} rows */
  set(rows, isMore = false) {
    this.#rows = rows;
    this.#pad();
    this.draw(!isMore);
  }

  draw(isChanged = true) {
    const { length } = this.#rows;
    const [first, last] = this.#sight().map((at) => Math.min(length, Math.max(0, Math.floor(at))));
    this.#due = 0;
    if (isChanged || (this.#from && first < this.#from + 3) || (this.#to < length && last > this.#to - 3)) {
      this.#from = Math.max(0, first - SPARE);
      this.#to = Math.min(length, this.#from + MOST, last + SPARE);
      this.#place();
    }
    this.look.seen(length - last);
  }

  /** Brings a row into sight. @param {number} at */
  reveal(at) {
    const [first, last] = this.#sight();
    const head = (this.table.tHead?.offsetHeight ?? 0) / this.#height;
    const scroller = getComputedStyle(this.box).overflowY === "auto" ? this.box : document.documentElement;
    // Where the page scrolls, what is offered for chosen rows stands before its end.
    const under = at + (scroller === this.box ? 1 : 3) - last;
    scroller.scrollTop += this.#height * (Math.min(0, at - first - head) || Math.max(0, under));
    this.draw(false);
  }

  #place() {
    const hadFocus = this.body.contains(document.activeElement);
    const shown = this.#rows.slice(this.#from, this.#to);
    keyed(this.body, shown, ({ id }) => id, this.look.make);
    this.#pad();
    for (const [at, element] of [...this.body.rows].entries()) {
      element.ariaRowIndex = String(this.#from + at + 2);
      this.look.dress(element, shown[at]);
    }
    if (hadFocus && !this.body.contains(document.activeElement)) this.box.focus({ preventScroll: true });
    const height = this.body.rows[0]?.getBoundingClientRect().height || this.#height;
    if (Math.abs(height - this.#height) < 0.1) return;
    this.#height = height;
    this.draw();
  }

  /** Where the sight begins and ends, in rows. */
  #sight() {
    const port = this.box.getBoundingClientRect();
    const begin = this.#above.getBoundingClientRect().top;
    return [Math.max(0, port.top) - begin, Math.min(innerHeight, port.bottom) - begin].map((at) => at / this.#height);
  }

  #pad() {
    this.#above.style.height = `${this.#from * this.#height}px`;
    this.#below.style.height = `${Math.max(0, this.#rows.length - this.#to) * this.#height}px`;
  }
}

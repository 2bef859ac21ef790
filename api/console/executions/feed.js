// What the list holds: the newest page, asked for again and again, and older pages as somebody scrolls to them.

import { askExecution, isFinal, pathOf, readPage } from "../run/execution.js";

/** An execution as lists have it: its result is null where it is long. @typedef {import("../run/execution.js").Execution} Listed */
/** @typedef {import("../run/execution.js").Page} Page */
/** @typedef {{ path: string, query: Record<string, string | undefined> }} Source */

/** The most rows that are kept. */
export const MOST = 20_000;
const [NEWEST, OLDER] = [100, 300];
/** So many that run, and are not on the newest page any more, are asked for one by one. */
const ASKED_AGAIN = 20;

/** The executions that a source has. */
export class Feed {
  /** What is shown. @type {Listed[]} */
  rows = [];
  /** Where older ones begin; null where there are none. @type {string | null} */
  next = null;
  isLoaded = false;
  /** New ones that are not shown yet: `4`, or `100+`. */
  waiting = "";
  /** Why older ones could not be read. @type {unknown} */
  error = null;
  #isReading = false;
  #newest = /** @type {Page} */ ({ executions: [], next: null });

  /** @param {Source} source @param {AbortSignal} signal */
  constructor(source, signal) {
    this.source = source;
    this.signal = signal;
  }

  /** Looks for new ones. While somebody reads they wait, and what ran stays in its place. @param {() => boolean} isRead */
  async look(isRead) {
    const { executions, next } = (this.#newest = await this.#ask(NEWEST));
    if (!this.isLoaded || !isRead()) return this.take();
    const fresh = without(executions, this.rows).length;
    this.waiting = fresh ? `${fresh}${fresh === executions.length && next ? "+" : ""}` : "";
    const running = this.rows.filter((row) => !isFinal(row));
    const again = without(running, executions).slice(0, ASKED_AGAIN).map((row) => askExecution("GET", pathOf(row), { signal: this.signal }).catch(() => row));
    const now = new Map([...executions, ...(await Promise.all(again))].map((row) => [row.id, row]));
    for (const row of running) Object.assign(row, now.get(row.id));
  }

  /** Shows the new ones, and no older ones until somebody scrolls to them. */
  take() {
    const { executions: rows, next } = this.#newest;
    Object.assign(this, { rows, next, isLoaded: true, waiting: "", error: null });
  }

  /** Reads older ones, if there are any; says whether anything has changed. */
  async readOlder() {
    const { next: cursor } = this;
    if (this.#isReading || !cursor || this.rows.length >= MOST) return false;
    this.#isReading = true;
    try {
      const { executions, next } = await this.#ask(OLDER, cursor);
      // The list may have begun anew meanwhile.
      if (this.next === cursor) Object.assign(this, { rows: [...this.rows, ...without(executions, this.rows)], next });
    } catch (error) {
      this.error = error;
    }
    this.#isReading = false;
    return !this.signal.aborted;
  }

  /** @param {number} limit @param {string} [cursor] */
  #ask(limit, cursor) {
    return readPage(this.source.path, { query: { ...this.source.query, limit, cursor }, signal: this.signal });
  }
}

/** The rows that the others do not have. @param {Listed[]} rows @param {Listed[]} others */
function without(rows, others) {
  const ids = new Set(others.map(({ id }) => id));
  return rows.filter(({ id }) => !ids.has(id));
}

// What the list holds: the newest page, asked for again and again, and older pages as somebody scrolls to them.

import { get } from "../base/api.js";
import { isFinal, pathOf } from "../run/execution.js";

/** An execution as lists have it: its result is null where it is long. @typedef {import("../run/execution.js").Execution} Listed */
/** @typedef {{ executions: Listed[], next: string | null }} Page */
/** @typedef {{ path: string, query: Record<string, string | undefined> }} Source */

/** The most rows that are kept. */
export const MOST = 20_000;
const [NEWEST, OLDER] = [100, 300];
/** With more rows than these, the list begins anew when nobody reads. */
const MANY = 2000;
/** So many that ran, and are not listed any more, are asked for one by one. */
const ASKED_AGAIN = 20;

/** @type {Feed | null} */
let latest = null;

/** The function of an execution that the list holds. @param {string} id */
export function functionOf(id) {
  return latest?.came.get(id)?.function ?? null;
}

/** The executions that a source has. */
export class Feed {
  /** What is shown. @type {Listed[]} */
  rows = [];
  /** Each row as it was when it came. @type {Map<string, Listed>} */
  came = new Map();
  /** Where older ones begin; null where there are none. @type {string | null} */
  next = null;
  isLoaded = false;
  /** New ones that are not shown yet: `4`, or `100+`. */
  waiting = "";
  /** Why older ones could not be read. @type {unknown} */
  error = null;
  #isReading = false;
  #newest = /** @type {Page} */ ({ executions: [], next: null });
  /** Whether there may be others between the newest page and the rows. */
  #hasGap = false;

  /** @param {Source} source @param {AbortSignal} signal */
  constructor(source, signal) {
    this.source = source;
    this.signal = signal;
    latest = this;
  }

  /** Looks for new ones. While somebody reads they wait, and what ran stays in its place. @param {() => boolean} isRead */
  async look(isRead) {
    const { executions, next } = (this.#newest = await this.#ask(NEWEST));
    const known = executions.findIndex(({ id }) => this.#cameEnded(id));
    this.#hasGap = known < 0 && next !== null;
    if (!this.isLoaded || !isRead()) return this.take();
    const fresh = executions.slice(0, known < 0 ? NEWEST : known).filter(({ id }) => !this.came.has(id)).length;
    this.waiting = fresh ? `${fresh}${this.#hasGap ? "+" : ""}` : "";
    let asked = 0;
    for (const [at, row] of this.rows.entries()) {
      if (isFinal(row)) continue;
      const again = () => (asked++ < ASKED_AGAIN ? get(pathOf(row), { signal: this.signal }).catch(() => row) : row);
      const now = executions.find(({ id }) => id === row.id) ?? (await again());
      if (this.rows[at]?.id === row.id) this.rows[at] = now;
    }
  }

  /** Shows the new ones. */
  take() {
    const { executions, next } = this.#newest;
    const isAnew = !this.isLoaded || this.#hasGap || (this.rows.length > MANY && executions.length >= NEWEST);
    const listed = new Set(executions.map(({ id }) => id));
    const older = isAnew ? [] : this.rows.flatMap(({ id }) => (!listed.has(id) && this.#cameEnded(id)) || []);
    this.rows = [...executions.map((row) => this.#cameEnded(row.id) ?? row), ...older].slice(0, MOST);
    this.came = new Map(this.rows.map((row) => [row.id, row]));
    if (isAnew) this.next = next;
    Object.assign(this, { isLoaded: true, waiting: "", error: null });
  }

  /** Reads older ones, if there are any; says whether anything has changed. */
  async readOlder() {
    const { next: cursor } = this;
    if (this.#isReading || !cursor || this.rows.length >= MOST) return false;
    this.#isReading = true;
    try {
      const { executions, next } = await this.#ask(OLDER, cursor);
      // The list may have begun anew meanwhile.
      if (this.next !== cursor) return true;
      for (const row of executions.slice(0, MOST - this.rows.length)) {
        if (!this.came.has(row.id)) this.rows.push(row);
        this.came.set(row.id, row);
      }
      this.next = next;
    } catch (error) {
      this.error = error;
    } finally {
      this.#isReading = false;
    }
    return !this.signal.aborted;
  }

  /** @param {string} id */
  #cameEnded(id) {
    const row = this.came.get(id);
    return row && isFinal(row) ? row : null;
  }

  /** @param {number} limit @param {string} [cursor] @returns {Promise<Page>} */
  #ask(limit, cursor) {
    return get(this.source.path, { query: { ...this.source.query, limit, cursor }, signal: this.signal });
  }
}

// The stations of a run as a bar: send, queue, start, run, store, each as wide as it took.

/** @import { Execution } from "./execution.js" */
import { h, replace } from "../base/dom.js";
import { duration } from "../base/format.js";
import { every } from "../base/poll.js";
import { isFinal } from "./execution.js";

/**
 * When things happened in this page, by `performance.now()`: the key was pressed, the API had taken it on, the page was
 * told of the end.
 * @typedef {{ pressed: number, sent?: number, told?: number }} Timings
 */

const NAMES = ["send", "queue", "start", "run", "store"];

/** @param {AbortSignal} signal */
export function stations(signal) {
  const bar = h("div.stations", { role: "img" });
  const figures = h("div.figures", { "aria-hidden": "true" });
  const over = new AbortController();
  let draw = () => {};
  every(100, AbortSignal.any([signal, over.signal]), async () => draw());
  return {
    element: h("div", bar, figures),
    /** @param {Execution} execution @param {Timings} [timings] */
    show(execution, timings) {
      const seen = performance.now();
      const isOver = isFinal(execution);
      if (isOver) over.abort();
      draw = () => {
        const took = durationsOf(execution, timings, seen);
        const known = NAMES.filter((name) => name in took);
        const named = isOver ? known : timings ? NAMES : NAMES.slice(1, 4);
        // The unit stands once, behind the last.
        const areShort = known.every((name) => took[name] < 999.5);
        const told = (/** @type {string} */ name) => duration(took[name]).replace(areShort && name !== known.at(-1) ? " ms" : "", "");
        replace(bar, known.map((name) => h("span", { css: { ...paint(name), "flex-grow": String(took[name]) } })));
        replace(figures, named.map((name) => h("span", h("i", { css: paint(name) }), name, " ", h("b", name in took && told(name)))));
        bar.setAttribute("aria-label", isOver ? known.map((name) => `${name} ${duration(took[name])}`).join(", ") : execution.status);
      };
      draw();
    },
  };
}

/** @param {string} name */
function paint(name) {
  return { background: `var(--${name})` };
}

/**
 * What each station took, in milliseconds, as far as it is known. The clocks of the API and its workers are never
 * compared with this page's.
 * @param {Execution} execution
 * @param {Timings | undefined} timings
 * @param {number} seen when the page was told of this, by its own clock
 */
function durationsOf({ submitted_at: submitted, started_at: started, finished_at: finished, usage, status }, timings, seen) {
  const now = performance.now();
  const sent = timings?.sent ?? now;
  /** @type {Record<string, number>} */
  const took = timings ? { send: sent - timings.pressed } : {};
  if (timings && !timings.sent) return took;
  const end = started ?? finished;
  // The API notes when it was submitted before it sends the message: so part of "send" is in that, too.
  took.queue = end ? positive(between(submitted, end) - (took.send ?? 0)) : now - (timings?.sent ?? seen);
  if (finished) {
    const whole = started ? between(started, finished) : 0;
    const run = usage?.wall_ms ?? whole;
    if (started) Object.assign(took, { start: positive(whole - run), run });
    if (timings?.told && status !== "cancelled") took.store = positive(timings.told - timings.pressed - sum(took));
  } else if (started) {
    took.run = positive(timings ? now - sent - took.queue : (usage?.wall_ms ?? 0) + now - seen);
  }
  return took;
}

/** @param {Record<string, number>} took */
function sum(took) {
  return Object.values(took).reduce((all, one) => all + one, 0);
}

/** @param {string} from @param {string} to */
function between(from, to) {
  return positive(Date.parse(to) - Date.parse(from));
}

/** Clocks may be set back. @param {number} ms */
function positive(ms) {
  return Math.max(0, ms);
}

// The stations of a run as a bar: send, queue, start, run, store, each as wide as it took.

/** @import { Execution } from "./execution.js" */
import { h, keyed, setText } from "../base/dom.js";
import { duration } from "../base/format.js";
import { sleep } from "../base/poll.js";
import { isFinal } from "./execution.js";

/**
 * When things happened in this page, by `performance.now()`: the key was pressed, the API had taken it on, the page was
 * told of the end. `input` is the text that was sent.
 * @typedef {{ pressed: number, sent?: number, told?: number, input?: string }} Timings
 */

const NAMES = ["send", "queue", "start", "run", "store"];
const itself = (/** @type {string} */ name) => name;

/** @param {AbortSignal} signal */
export function stations(signal) {
  const bar = h("div", { class: "stations", role: "img" });
  const figures = h("div", { class: "figures", "aria-hidden": "true" });
  let [names, grows] = [NAMES, false];
  /** @type {() => Record<string, number>} */
  let look = () => ({});

  async function grow() {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    while (grows && !signal.aborted) {
      draw(bar, figures, look(), names);
      await (isCalm ? sleep(100, signal) : new Promise(requestAnimationFrame));
    }
  }

  return {
    element: h("div", {}, bar, figures),
    /** @param {Execution} execution @param {Timings} [timings] */
    show(execution, timings) {
      const [seen, grew] = [performance.now(), grows];
      look = () => durationsOf(execution, timings, seen);
      names = timings ? NAMES : NAMES.slice(1, 4);
      grows = !isFinal(execution);
      const took = look();
      const known = NAMES.filter((name) => name in took).map((name) => `${name} ${duration(took[name])}`);
      bar.setAttribute("aria-label", grows ? execution.status : known.join(", "));
      if (!grows) draw(bar, figures, took, []);
      else if (!grew) grow();
    },
  };
}

/**
 * @param {Element} bar
 * @param {Element} figures
 * @param {Record<string, number>} took
 * @param {string[]} names those that are named before they are known
 */
function draw(bar, figures, took, names) {
  const known = NAMES.filter((name) => name in took);
  const shown = names.length ? names : known;
  const total = known.reduce((sum, name) => sum + took[name], 0) || 1;
  const areShort = known.every((name) => took[name] < 999.5);
  keyed(bar, known, itself, (name) => h("span", { class: name }));
  keyed(figures, shown, itself, (name) => h("span", {}, h("i", { class: name }), name, " ", h("b")));
  for (const part of /** @type {Iterable<HTMLElement>} */ (bar.children)) part.style.flexGrow = String((took[part.className] / total) * 1000);
  shown.forEach((name, at) => {
    const text = name in took ? duration(took[name]) : "";
    setText(/** @type {Element} */ (figures.children[at].lastChild), areShort && name !== known.at(-1) ? text.replace(" ms", "") : text);
  });
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
  took.queue = end ? between(submitted, end) : now - (timings?.sent ?? seen);
  if (finished) {
    const whole = started ? between(started, finished) : 0;
    const run = usage?.wall_ms ?? whole;
    if (started) Object.assign(took, { start: Math.max(0, whole - run), run });
    if (timings?.told && status !== "cancelled") took.store = Math.max(0, timings.told - sent - between(submitted, finished));
  } else if (started) {
    took.run = Math.max(0, timings ? now - sent - took.queue : (usage?.wall_ms ?? 0) + now - seen);
  }
  return took;
}

/** @param {string} from @param {string} to */
function between(from, to) {
  return Math.max(0, Date.parse(to) - Date.parse(from));
}

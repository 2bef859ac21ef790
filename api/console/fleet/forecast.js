// When the backlog ends.

import { count, duration, rate } from "../base/format.js";

/** How far back the pace is looked for, and the least that tells of one, in ms. */
const [WINDOW, LEAST] = [120_000, 10_000];

/**
 * A sentence on when the backlog ends.
 * @param {{ at: number, waiting: number }[]} samples how many waited when (ms), the oldest first, the last one now
 * @param {number} workers
 */
export function forecast(samples, workers) {
  const { at: now, waiting } = samples[samples.length - 1];
  if (!waiting) return "Nothing waits.";
  const waits = `${count(waiting)} ${waiting === 1 ? "waits" : "wait"}`;
  if (!workers) return `${waits}, and no worker runs.`;
  const lately = samples.filter(({ at }) => now - at <= WINDOW);
  if (now - lately[0].at < LEAST) return `${waits}. The pace shows in some seconds.`;
  // The slope of the line that fits the samples best, for a second.
  const middle = lately.reduce((sum, { at }) => sum + at / lately.length, 0);
  const [both, spread] = lately.reduce(([both, spread], { at, waiting }) => [both + (at - middle) * waiting, spread + (at - middle) ** 2], [0, 0]);
  const slope = (both / spread) * 1000;
  // Less than a hundredth of the backlog in a minute is no pace.
  if (Math.abs(slope) * 60 < waiting / 100) return `The queue stays at about ${count(waiting)}: it does not end at this pace.`;
  if (slope > 0) return `The queue grows by ${rate(slope)}: it does not end at this pace.`;
  return `At this pace the ${count(waiting)} waiting ${waiting === 1 ? "is" : "are"} done in ${duration(Math.max(1, waiting / -slope) * 1000)}.`;
}

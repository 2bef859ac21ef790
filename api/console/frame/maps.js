// The maps that are known. Their list does not tell how far they are: each is asked for, until it is over.

import { get } from "../base/api.js";
import { every } from "../base/poll.js";
import { countPlace } from "./rail.js";

/**
 * A map, as the API has it; in its list without how far it is, from `status` on.
 * @typedef {{ id: string, function: string, version: number, url: string, total: number, submitted_at: string, status: string, succeeded: number, failed: number,
 *   kinds: Record<string, number>, per_second: number | null, eta_seconds: number | null, finished_at: string | null }} Job
 */

const MINUTE = 60_000;
const DAY = 86_400_000;
const AT_ONCE = 4;

/** Event "change": more is known than before. */
export const changes = new EventTarget();
/** @type {Map<string, Job>} */
const known = new Map();
/** Where those begin that are older than what was read; null where there are none. @type {string | null | undefined} */
let older;

/** The newest first: so the API makes their ids. */
export function maps() {
  return [...known.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
}

/** @param {Job} job */
export function isOver({ status }) {
  return status !== undefined && status !== "queued" && status !== "running";
}

/** Keeps what was learnt of some, and counts for the rail. @param {Job[]} jobs */
export function keep(jobs) {
  for (const job of jobs) known.set(job.id, job);
  countPlace("maps", maps().filter((job) => job.status && !isOver(job)).length);
  changes.dispatchEvent(new Event("change"));
}

/** Reads the newest, or the next older ones. Returns whether there are more. @param {boolean} [isNext] @param {AbortSignal} [signal] */
export async function readMaps(isNext, signal) {
  const page = await get("/v1/maps", { query: { cursor: isNext ? older : null }, signal });
  if (isNext || older === undefined) older = page.next;
  keep(page.maps.filter((/** @type {Job} */ { id }) => !known.has(id)));
  return !!older;
}

/** Asks how far those are that may not be over. @param {number} [since] when they were submitted at the earliest @param {AbortSignal} [signal] */
export async function lookAtMaps(since = 0, signal) {
  const live = maps().filter((job) => !isOver(job) && Date.parse(job.submitted_at) >= since);
  const look = async () => {
    for (let job = live.shift(); job && !signal?.aborted; job = live.shift()) {
      const now = await get(job.url, { signal }).catch((error) => error.status === 404 && { ...job, status: "gone" });
      if (now) keep([now]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
}

/** Asks once a minute, for as long as the page is open: for how many are not over, of those of the last day. */
export function watchMaps() {
  every(MINUTE, new AbortController().signal, async () => {
    await readMaps();
    await lookAtMaps(Date.now() - DAY);
  });
}

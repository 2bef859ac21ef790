// How the fleet stands: asked by one loop, shown in several places.

import { get } from "../base/api.js";
import { every } from "../base/poll.js";

/** @typedef {{ p50: number, p99: number } | null} Percentiles */
/** @typedef {{ from: string, succeeded: number, failed: number, cancelled: number, kinds: Record<string, number>, wait_ms: Percentiles, run_ms: Percentiles }} Period */
/** @typedef {{ at: string, visible: number, delayed: number, in_flight: number, oldest_seconds: number | null }} Sample */
/** @typedef {{ visible: number, delayed: number, in_flight: number, dead_lettered: number, oldest_seconds: number | null }} QueueStats */
/** @typedef {{ queue: QueueStats, workers: number, samples: Sample[], minutes: Period[] }} FleetStats */

/** Event "change": there are new numbers. */
export const changes = new EventTarget();
/** @type {FleetStats | null} */
let latest = null;

/** The newest numbers, if there are any yet. */
export function fleet() {
  return latest;
}

/** What ended in a second, over the last whole minute and the one that goes on. */
export function finishedPerSecond() {
  const [before, now] = latest?.minutes.slice(-2) ?? [];
  if (!before || !now) return null;
  const seconds = 60 + Math.max(1, (Date.now() - new Date(now.from).getTime()) / 1000);
  return (ended(before) + ended(now)) / Math.min(seconds, 120);
}

/** @param {{ succeeded: number, failed: number, cancelled: number }} period */
export function ended(period) {
  return period.succeeded + period.failed + period.cancelled;
}

/** Asks for them now. */
export async function refresh() {
  latest = await get("/v1/stats");
  changes.dispatchEvent(new Event("change"));
}

/** Asks every few seconds, for as long as the page is open. */
export function watchFleet() {
  every(5000, new AbortController().signal, refresh);
}

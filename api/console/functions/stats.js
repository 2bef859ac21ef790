// How functions did in the last hour, asked for the rows in view alone, a few at a time.

import { functionPath, get } from "../base/api.js";
import { h, replace, setText } from "../base/dom.js";
import { count, duration } from "../base/format.js";
import { every } from "../base/poll.js";
import { sparkline } from "../charts/sparkline.js";
import { failureRate } from "./function.js";

/** @typedef {import("./function.js").Ended} Ended */

const AT_ONCE = 4;
const EACH_MS = 30_000;

/** Returns what has a row filled, again and again while it is in view. @param {AbortSignal} signal */
export function watchStats(signal) {
  /** @type {Map<Element, { name: string, isSeen: boolean, at: number }>} */
  const rows = new Map();
  const observer = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) Object.assign(rows.get(target) ?? {}, { isSeen: isIntersecting });
  });
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  const look = async () => {
    for (const [element, row] of rows) {
      if (!element.isConnected) rows.delete(element);
      if (!row.isSeen || Date.now() - row.at < EACH_MS) continue;
      row.at = Date.now();
      fill(element, await get(functionPath(row.name, "stats"), { signal }).catch(() => null));
    }
  };
  for (let one = 0; one < AT_ONCE; one++) every(300, signal, look);
  return (/** @type {HTMLElement} */ element, /** @type {string} */ name) => {
    rows.set(element, { name, isSeen: false, at: 0 });
    observer.observe(element);
    return element;
  };
}

/** @param {Element} element @param {{ periods: (Ended & { from: string })[], versions: Ended[] } | null} stats */
function fill(element, stats) {
  if (!stats) return;
  const all = { succeeded: 0, failed: 0, cancelled: 0, run_ms: null };
  for (const { succeeded, failed, cancelled } of stats.periods) {
    all.succeeded += succeeded;
    all.failed += failed;
    all.cancelled += cancelled;
  }
  const finished = all.succeeded + all.failed + all.cancelled;
  // Percentiles can't be added: those of the version that most executions are of speak for all.
  const [main] = [...stats.versions].sort((a, b) => b.succeeded + b.failed - a.succeeded - a.failed);
  const [spark, ...cells] = /** @type {HTMLElement[]} */ ([...element.children].slice(4));
  [count(finished), failureRate(all), duration(main?.run_ms?.p50)].forEach((text, at) => setText(cells[at], text));
  cells[1].classList.toggle("bad", all.failed > 0);
  const told = JSON.stringify(stats.periods);
  if (spark.dataset.told === told) return;
  spark.dataset.told = told;
  const label = `${count(finished)} finished, ${count(all.failed)} failed`;
  replace(spark, finished ? sparkline(stats.periods, label) : h("span", { class: "muted" }, "none"));
}

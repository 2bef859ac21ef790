// How the fleet stands, and how it did in the last 15 minutes.

import { address, attempt, card, count, duration, h, keyed, percent, rate, replace, setText, skeleton, table } from "../base/parts.js";
import { every } from "../base/poll.js";
import { timeChart } from "../charts/time_chart.js";
import { changes, ended, finishedPerSecond, fleet, refresh } from "../frame/fleet.js";

/** @typedef {import("../frame/fleet.js").FleetStats} Stats */
/** @typedef {import("../frame/fleet.js").Period} Period */

const MINUTE = 60_000;
/** How far back the pace is looked for, and the least that tells of one, in ms. */
const WINDOW = 120_000;
const LEAST = 10_000;

/** @type {import("../base/router.js").Open} */
export function open({ signal }) {
  const [state, parts] = [h("div", skeleton(8)), [tiles(), charts(), failures()]];
  const shown = h("div.stack", { hidden: true }, parts.map(({ element }) => element));
  const tell = () => {
    const stats = fleet();
    if (!stats) return;
    shown.hidden = false;
    replace(state);
    for (const part of parts) part.show(stats);
  };
  tell();
  changes.addEventListener("change", tell, { signal });
  every(2000, signal, refresh, () => attempt(state, signal, refresh));
  return { crumbs: ["Fleet"], title: "Fleet", body: h("div.stack", state, shown), place: "fleet", padded: true };
}

function tiles() {
  const [list, sentence] = [h("dl.tiles"), h("p.body")];
  return {
    element: h("section.card", { "aria-label": "Now" }, list, sentence),
    /** @param {Stats} stats */
    show({ queue: { visible, oldest_seconds: oldest, in_flight: inFlight, dead_lettered: dead }, workers, samples }) {
      const age = visible && oldest !== null ? (oldest < 1 ? "< 1 s" : duration(oldest * 1000)) : "–";
      const told = [["Waiting", count(visible)], ["Oldest", age], ["In flight", count(inFlight)], ["Workers", count(workers), workers ? "" : "bad"],
        ["Finished", rate(finishedPerSecond())], ["Dead letters", count(dead), dead ? "bad" : "", "#/dead-letters"]];
      keyed(list, told, String, ([name, text, kind, href]) =>
        h("div", h("dt", name), h("dd", { class: kind }, href ? h("a", { href }, text) : text)));
      const before = samples.map(({ at, visible }) => ({ at: Date.parse(at), waiting: visible }));
      setText(sentence, forecast([...before, { at: Date.now(), waiting: visible }], workers));
    },
  };
}

/**
 * A sentence on when the backlog ends.
 * @param {{ at: number, waiting: number }[]} samples how many waited when (ms), the oldest first, the last one now
 * @param {number} workers
 */
function forecast(samples, workers) {
  const { at: now, waiting } = samples[samples.length - 1];
  if (!waiting) return "Nothing waits.";
  const waits = `${count(waiting)} ${waiting === 1 ? "waits" : "wait"}`;
  if (!workers) return `${waits}, and no worker runs.`;
  const [before] = samples.filter(({ at }) => now - at <= WINDOW);
  if (now - before.at < LEAST) return `${waits}. The pace shows in some seconds.`;
  const slope = ((waiting - before.waiting) / (now - before.at)) * 1000;
  // Less than a hundredth of the backlog in a minute is no pace.
  if (Math.abs(slope) * 60 < waiting / 100) return `The queue stays at about ${count(waiting)}: it does not end at this pace.`;
  if (slope > 0) return `The queue grows by ${rate(slope)}: it does not end at this pace.`;
  return `At this pace the ${count(waiting)} waiting ${waiting === 1 ? "is" : "are"} done in ${duration(Math.max(1, waiting / -slope) * 1000)}.`;
}

function charts() {
  const queue = timeChart({ title: "Queue", least: 1, format: count, period: 0, series: [
    { name: "waiting", color: "queue" }, { name: "in flight", color: "run", mark: "dashed" }, { name: "delayed", color: "start", mark: "dotted" }] });
  const finished = timeChart({ title: "Finished per second", least: 0.1, format: rate, period: MINUTE, isBars: true, series: [
    { name: "succeeded" }, { name: "failed", mark: "dashed" }, { name: "cancelled", mark: "dotted" }] });
  const [wait, run] = [["Wait", "queue"], ["Run", "run"]].map(([title, color]) => timeChart({
    title, least: 0, format: duration, period: MINUTE, series: [{ name: "p50", color }, { name: "p99", color, mark: "dashed" }] }));
  return {
    element: h("div.charts", [queue, finished, wait, run].map(({ element }) => element)),
    /** @param {Stats} stats */
    show({ minutes, samples, queue: newest }) {
      const [now, from] = [Date.now(), Date.parse(minutes[0].from)];
      const to = from + minutes.length * MINUTE;
      const by = (/** @type {(period: Period, at: number) => (number | undefined)[]} */ valuesOf) => minutes.map((period) => {
        const at = Date.parse(period.from);
        return { at, values: valuesOf(period, at) };
      });
      const depths = [...samples, { ...newest, at: now }].map(({ at, visible, in_flight, delayed }) =>
        ({ at: Number(new Date(at)), values: [visible, in_flight, delayed] }));
      queue.show(depths.filter(({ at }) => at >= from && at <= to), from, to);
      finished.show(by(({ succeeded, failed, cancelled }, at) => {
        // The present minute is not over: what ended in it is divided by what has passed of it.
        const seconds = Math.max(5, Math.min(60, (now - at) / 1000));
        return [succeeded / seconds, failed / seconds, cancelled / seconds];
      }), from, to);
      wait.show(by(({ wait_ms: ms }) => [ms?.p50, ms?.p99]), from, to);
      run.show(by(({ run_ms: ms }) => [ms?.p50, ms?.p99]), from, to);
    },
  };
}

/** What failed, by kind. */
function failures() {
  const [rows, note] = [h("tbody"), h("p.body.muted", "Nothing failed.")];
  const sheet = table(["Kind", "Failed#", "Of all#"], rows);
  return {
    element: card("Failures by kind", "in the last 15 minutes", note, sheet),
    /** @param {Stats} stats */
    show({ minutes }) {
      /** @type {Record<string, number>} */
      const kinds = {};
      for (const period of minutes) for (const [kind, number] of Object.entries(period.kinds)) kinds[kind] = (kinds[kind] ?? 0) + number;
      const all = minutes.reduce((sum, period) => sum + ended(period), 0);
      const sorted = Object.entries(kinds).sort(([, a], [, b]) => b - a);
      note.hidden = sorted.length > 0;
      sheet.hidden = !note.hidden;
      keyed(rows, sorted, ([kind]) => kind, ([kind]) => h("tr",
        h("th", { scope: "row" }, h("a", { href: address(["executions"], { q: `status:failed kind:${kind} since:15m` }) }, kind)),
        h("td.number"), h("td.number")), ({ cells }, [, number]) => {
        setText(cells[1], count(number));
        setText(cells[2], percent(number / all));
      });
    },
  };
}

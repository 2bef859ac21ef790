// How the fleet stands, and how it did in the last 15 minutes.

import { h, keyed, replace, setText } from "../base/dom.js";
import { count, duration, percent, rate } from "../base/format.js";
import { table } from "../base/parts.js";
import { every } from "../base/poll.js";
import { address } from "../base/router.js";
import { failure, skeleton } from "../base/states.js";
import { timeChart } from "../charts/time_chart.js";
import { changes, ended, finishedPerSecond, fleet, refresh } from "../frame/fleet.js";
import { forecast } from "./forecast.js";

/** @typedef {import("../frame/fleet.js").FleetStats} Stats */
/** @typedef {import("../frame/fleet.js").Period} Period */

const MINUTE = 60_000;

/** @type {import("../base/router.js").Open} */
export function open({ signal }) {
  const [trouble, shown] = [h("div"), h("div", { class: "stack" }, skeleton(8))];
  const parts = [tiles(), charts(signal), failures()];
  const tell = () => {
    const stats = fleet();
    if (!stats) return;
    if (!parts[0].element.isConnected) replace(shown, parts.map(({ element }) => element));
    replace(trouble);
    for (const part of parts) part.show(stats);
  };
  const fail = (/** @type {unknown} */ error) => {
    if (!fleet()) replace(shown);
    replace(trouble, failure(error, () => refresh().catch(fail)));
  };
  tell();
  changes.addEventListener("change", tell, { signal });
  every(2000, signal, refresh, fail);
  return { crumbs: ["Fleet"], title: "Fleet", body: h("div", { class: "stack" }, trouble, shown), place: "fleet", padded: true };
}

function tiles() {
  const names = ["Waiting", "Oldest", "In flight", "Workers", "Finished", "Dead letters"];
  const values = names.map((_, at) => (at === 5 ? h("a", { href: "#/dead-letters" }) : h("span")));
  const sentence = h("p", { class: "body" });
  return {
    element: h("section", { class: "card", "aria-label": "Now" },
      h("dl", { class: "tiles" }, names.map((name, at) => h("div", {}, h("dt", {}, name), h("dd", {}, values[at])))), sentence),
    /** @param {Stats} stats */
    show({ queue: { visible, oldest_seconds: oldest, in_flight: inFlight, dead_lettered: dead }, workers, samples }) {
      const age = visible && oldest !== null ? (oldest < 1 ? "< 1 s" : duration(oldest * 1000)) : "–";
      const told = [count(visible), age, count(inFlight), count(workers), rate(finishedPerSecond()), count(dead)];
      told.forEach((text, at) => setText(values[at], text));
      values[3].className = workers ? "" : "bad";
      values[5].className = dead ? "bad" : "";
      const before = samples.map(({ at, visible }) => ({ at: Date.parse(at), waiting: visible }));
      setText(sentence, forecast([...before, { at: Date.now(), waiting: visible }], workers));
    },
  };
}

/** @param {AbortSignal} signal */
function charts(signal) {
  const queue = timeChart({ title: "Queue", measure: "count", format: count, period: 0, signal, series: [
    { name: "waiting", color: "queue" }, { name: "in flight", color: "run", mark: "dashed" }, { name: "delayed", color: "start", mark: "dotted" }] });
  const finished = timeChart({ title: "Finished per second", measure: "rate", format: rate, period: MINUTE, isBars: true, signal, series: [
    { name: "succeeded", color: "succeeded" }, { name: "failed", color: "failed", mark: "dashed" },
    { name: "cancelled", color: "cancelled", mark: "dotted" }] });
  const [wait, run] = [["Wait", "queue"], ["Run", "run"]].map(([title, color]) => timeChart({
    title, measure: "time", format: duration, period: MINUTE, signal, series: [{ name: "p50", color }, { name: "p99", color, mark: "dashed" }] }));
  return {
    element: h("div", { class: "charts" }, [queue, finished, wait, run].map(({ element }) => element)),
    /** @param {Stats} stats */
    show({ minutes, samples, queue: newest }) {
      const [now, from] = [Date.now(), Date.parse(minutes[0].from)];
      const to = from + minutes.length * MINUTE;
      const by = (/** @type {(period: Period, at: number) => (number | undefined)[]} */ valuesOf) =>
        minutes.map((period, at) => ({ at: from + at * MINUTE, values: valuesOf(period, from + at * MINUTE) }));
      const depths = [...samples.map((sample) => ({ ...sample, at: Date.parse(sample.at) })), { ...newest, at: now }];
      queue.show(depths.filter(({ at }) => at >= from && at <= to)
        .map(({ at, visible, in_flight, delayed }) => ({ at, values: [visible, in_flight, delayed] })), from, to);
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
  const [rows, note] = [h("tbody"), h("p", { class: "body muted" }, "Nothing failed.")];
  const sheet = table(["Kind", "Failed#", "Of all#"], rows);
  return {
    element: h("section", { class: "card" }, h("header", {}, h("h2", {}, "Failures by kind"), "in the last 15 minutes"), note, sheet),
    /** @param {Stats} stats */
    show({ minutes }) {
      /** @type {Record<string, number>} */
      const kinds = {};
      for (const period of minutes) for (const [kind, number] of Object.entries(period.kinds)) kinds[kind] = (kinds[kind] ?? 0) + number;
      const all = minutes.reduce((sum, period) => sum + ended(period), 0);
      const sorted = Object.entries(kinds).sort(([, a], [, b]) => b - a);
      note.hidden = sorted.length > 0;
      sheet.hidden = !note.hidden;
      keyed(rows, sorted, ([kind]) => kind, ([kind]) => h("tr", {},
        h("th", { scope: "row" }, h("a", { href: address(["executions"], { q: `status:failed kind:${kind} since:15m` }) }, kind)),
        h("td", { class: "number" }), h("td", { class: "number" })));
      sorted.forEach(([, number], at) => {
        setText(rows.children[at].children[1], count(number));
        setText(rows.children[at].children[2], percent(number / all));
      });
    },
  };
}

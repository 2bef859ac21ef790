// How far a map is.

import { h, replace, setText } from "../base/dom.js";
import { count, duration, pill, rate } from "../base/format.js";

/**
 * A map, as the API has it; in its list without how far it is, from `status` on.
 * @typedef {{ id: string, function: string, version: number, url: string, total: number, submitted_at: string, status: string, succeeded: number, failed: number,
 *   kinds: Record<string, number>, per_second: number | null, eta_seconds: number | null, finished_at: string | null }} Job
 */

/** @param {Job} job */
export function isOver({ status }) {
  return status !== undefined && status !== "queued" && status !== "running";
}

/** Its status, its progress as a bar and in words, and its pace. `show` is given the map. */
export function makeProgress() {
  const [status, good, bad, words, pace] = [h("span"), h("span", { class: "done" }), h("span", { class: "lost" }), h("p"), h("span")];
  return {
    status, pace,
    bar: h("div", { class: "progress" }, h("div", { class: "bar", "aria-hidden": "true" }, good, bad), words),
    /** @param {Job} job */
    show(job) {
      const { total, succeeded, failed, per_second: perSecond, eta_seconds: eta } = job;
      if (job.status && status.textContent !== job.status) replace(status, pill(job.status));
      if (succeeded === undefined) return;
      const left = total - succeeded - failed;
      good.hidden = !succeeded;
      bad.hidden = !failed;
      good.style.width = `${(succeeded / total) * 100}%`;
      bad.style.width = `${(failed / total) * 100}%`;
      const told = [`${count(succeeded)} succeeded`, failed && `${count(failed)} failed`, left && `${count(left)} ${isOver(job) ? "not run" : "left"}`];
      setText(words, told.filter(Boolean).join(" · "));
      setText(pace, `${rate(perSecond)}${eta === null ? "" : `, ${duration(eta * 1000)} left`}`);
    },
  };
}

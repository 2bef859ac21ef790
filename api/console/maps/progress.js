// How far a map is.

import { h, replace, setText } from "../base/dom.js";
import { count, duration, pill, rate } from "../base/format.js";
import { isOver } from "../frame/maps.js";

/** Its status, its progress as a bar and in words, and its pace. `show` is given the map. */
export function makeProgress() {
  const [status, bar, words, pace] = [h("span"), h("div.bar", { "aria-hidden": "true" }), h("p"), h("span")];
  return {
    status, pace,
    bar: h("div.progress", bar, words),
    /** @param {import("../frame/maps.js").Job} job */
    show(job) {
      const { total, succeeded, failed, per_second: perSecond, eta_seconds: eta } = job;
      if (job.status && status.textContent !== job.status) replace(status, pill(job.status));
      if (succeeded === undefined) return;
      const left = total - succeeded - failed;
      const [good, all] = [succeeded, succeeded + failed].map((number) => `${(number / total) * 100}%`);
      bar.style.background = `linear-gradient(90deg, var(--succeeded) ${good}, var(--failed) ${good} ${all}, var(--queued-soft) ${all})`;
      const told = [`${count(succeeded)} succeeded`, failed && `${count(failed)} failed`, left && `${count(left)} ${isOver(job) ? "not run" : "left"}`];
      setText(words, told.filter(Boolean).join(" · "));
      setText(pace, `${rate(perSecond)}${eta === null ? "" : `, ${duration(eta * 1000)} left`}`);
    },
  };
}

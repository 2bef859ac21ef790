// The shapes of a chart, and where its lines are.

import { svg } from "../base/dom.js";

/** Where a value is, and what it stands upon. @typedef {{ x: number, top: number, foot: number }} Place */

/** A series' path. Series differ by their mark, and not by colour alone. @param {import("./time_chart.js").Series} series @param {boolean} isBar @param {string} [d] */
export function shape({ color, mark }, isBar, d = "") {
  const paint = `var(--${color})`;
  return isBar ? svg("path", { d, css: { stroke: paint, fill: paint }, "fill-opacity": { none: 1, dashed: 0.35, dotted: 0 }[mark ?? "none"] })
    : svg("path", { d, css: { stroke: paint }, class: "line", "stroke-dasharray": { none: null, dashed: "7 4", dotted: "0.1 4.5" }[mark ?? "none"] });
}

/** A line. It breaks off where the next place is more than `gap` away; a place alone is a dash. @param {Place[]} places @param {number} gap */
export function lineOf(places, gap) {
  let before = -Infinity;
  return places.map(({ x, top }) => {
    const begins = x - before > gap;
    before = x;
    return begins ? `M${x - 0.5} ${top}h1` : `L${x} ${top}`;
  }).join("");
}

/** @param {Place[]} places @param {number} width */
export function barsOf(places, width) {
  // What is little is seen all the same.
  return places.map(({ x, top, foot }) => `M${x - width / 2} ${foot}h${width}V${Math.min(top, foot - 1)}h${-width}z`).join("");
}

/** Three or four round values, from 0 to `most` or a little over, `least` apart: 0 for times. @param {number} most @param {number} least */
export function roundTicks(most, least) {
  const unit = (!least && [3_600_000, 60_000].find((unit) => most > unit)) || 1;
  const third = (most || 1) / 3 / unit;
  const ten = 10 ** Math.floor(Math.log10(third));
  const step = unit * Math.max(least, ten * ([1, 2, 5].find((factor) => factor * ten >= third * 0.9999) ?? 10));
  return Array.from({ length: Math.max(2, Math.ceil(most / step - 0.001)) + 1 }, (_, at) => at * step);
}

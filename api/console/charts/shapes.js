// The shapes of a chart, and where its lines are.

import { svg } from "../base/dom.js";

/** Where a value is, and what it stands upon. @typedef {{ x: number, top: number, foot: number }} Place */

/** How full bars are, and how lines are dashed. */
const MARKS = { none: [1, null], dashed: [0.35, "7 4"], dotted: [0, "0.1 4.5"] };

/** A series' path. Series differ by their mark, and not by colour alone. @param {import("./time_chart.js").Series} series @param {boolean} [isBar] @param {string} [d] */
export function shape({ name, color = name, mark = "none" }, isBar, d = "") {
  const [stroke, [full, dashes]] = [`var(--${color})`, MARKS[mark]];
  return svg("path", isBar ? { d, css: { stroke, fill: stroke }, "fill-opacity": full } : { d, css: { stroke }, class: "line", "stroke-dasharray": dashes });
}

/** A line. It breaks off where the next place is more than `gap` away; a place alone is a dash. @param {Place[]} places @param {number} gap */
export function lineOf(places, gap) {
  return places.map(({ x, top }, at) => (at && x - places[at - 1].x <= gap ? `L${x} ${top}` : `M${x - 0.5} ${top}h1`)).join("");
}

/** @param {Place[]} places @param {number} width */
export function barsOf(places, width) {
  // What is little is seen all the same.
  return places.map(({ x, top, foot }) => `M${x - width / 2} ${foot}h${width}V${Math.min(top, foot - 1)}h${-width}z`).join("");
}

/** Some round values, from 0 to `most` or a little over, at least `least` apart: 0 for times, which go by whole minutes or hours. @param {number} most @param {number} least */
export function roundTicks(most, least) {
  const unit = (!least && [3_600_000, 60_000].find((unit) => most > unit)) || 1;
  const third = (most || 1) / 3 / unit;
  const ten = 10 ** Math.floor(Math.log10(third));
  const step = unit * Math.max(unit > 1 ? 1 : least, ten * ([1, 2, 5].find((factor) => factor * ten >= third) ?? 10));
  return Array.from({ length: Math.max(2, Math.ceil(most / step)) + 1 }, (_, at) => at * step);
}

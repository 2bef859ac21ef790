// A small drawing of what ended lately, to stand in a row.

import { svg } from "../base/dom.js";
import { barsOf } from "./shapes.js";

/**
 * A bar for each period; at its foot, what failed.
 * @param {{ from: string, succeeded: number, failed: number, cancelled: number }[]} periods
 * @param {string} label
 * @returns {SVGElement}
 */
export function sparkline(periods, label) {
  const ended = periods.map(({ succeeded, failed, cancelled }) => succeeded + failed + cancelled);
  const [most, step] = [Math.max(...ended), 96 / periods.length];
  const bars = (/** @type {string} */ color, /** @type {number[]} */ counts) => {
    const places = counts.flatMap((count, at) => (count ? { x: (at + 0.5) * step, top: 19 - (count / most) * 18, foot: 20 } : []));
    return svg("path", { css: { fill: `var(${color})` }, d: barsOf(places, step - 1) });
  };
  return svg("svg.spark", { role: "img", "aria-label": label, width: 96, height: 20, viewBox: "0 0 96 20" },
    svg("path", { d: "M0 19.5h96", css: { stroke: "var(--line)" } }), bars("--queued", ended), bars("--failed", periods.map(({ failed }) => failed)));
}

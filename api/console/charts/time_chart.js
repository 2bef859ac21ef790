// A chart of values over time, to be read at any point, and the same as a table.

import { h, keyed, setText, svg } from "../base/dom.js";
import { button, card, table } from "../base/parts.js";
import { barsOf, lineOf, roundTicks, shape } from "./shapes.js";

/** @typedef {number | null | undefined} Value */
/** @typedef {{ name: string, color: string, mark?: "dashed" | "dotted" }} Series `color` is a token's name, such as `queue` */
/** @typedef {{ at: number, values: Value[] }} Point when (ms), and a value for each series */
/**
 * `least`: what two levels differ by at least; 0 for times. `period`: how long a point lasts, in ms. `isBars`: bars upon one another, not lines.
 * @typedef {{ title: string, series: Series[], least: number, format: (value: Value) => string, period: number, isBars?: boolean }} Chart
 */

const FIVE_MINUTES = 300_000;
/** There is a value every 15 or 60 s. With none for so long, a line breaks off. */
const GAP = 90_000;

/** Makes a chart. `show` gives it its points, the oldest first, and the time that it spans. @param {Chart} chart */
export function timeChart(chart) {
  const { title, series, format, period, isBars = false } = chart;
  const { drawing, draw, cross } = makeDrawing(chart);
  const [moment, values, rows] = [h("span", { class: "number" }), series.map(() => h("span", { class: "number" })), h("tbody")];
  let [points, from, to, chosen] = [/** @type {Point[]} */ ([]), 0, 0, /** @type {number | null} */ (null)];
  const textsOf = (/** @type {Point} */ point) => [clock(point.at, period), ...point.values.map(format)];
  /** Tells the values at the chosen time, or the newest. */
  const read = () => {
    const away = (/** @type {Point} */ { at }) => Math.abs(at + period / 2 - (chosen ?? to));
    const [point] = [...points].sort((one, other) => away(one) - away(other));
    if (!point) return;
    const [when, ...texts] = textsOf(point);
    texts.forEach((text, one) => setText(values[one], text));
    setText(moment, chosen === null ? "" : when);
    cross.setAttribute("d", chosen === null ? "" : `M${(100 * (point.at + period / 2 - from)) / (to - from)} 0V100`);
    slider.setAttribute("aria-valuetext", `${when}: ${series.map(({ name }, one) => `${name} ${texts[one]}`).join(", ")}`);
  };
  const choose = (/** @type {number | null} */ time) => {
    chosen = time;
    slider.value = String(time ?? to);
    read();
  };
  const slider = h("input", { type: "range", step: period || 15_000, "aria-label": `${title}, by time`, on: {
    input: () => choose(Number(slider.value)), blur: () => choose(null), pointerleave: () => choose(null),
    pointermove: ({ offsetX }) => choose(from + (offsetX / slider.clientWidth) * (to - from)),
  } });
  const [plot, head] = [h("div", { class: "plot" }, drawing, slider), h("div", { class: "end" }, moment)];
  const mark = (/** @type {Series} */ one) => svg("svg", { width: isBars ? 11 : 20, height: 11, "aria-hidden": "true" },
    shape(one, isBars, isBars ? "M1 1h9v9h-9z" : "M1.5 5.5h17"));
  const legend = series.map((one, at) => h("span", {}, mark(one), one.name, values[at]));
  return {
    element: card(title, head, h("div", { class: "legend" }, legend), plot, tableOf(chart, head, plot, rows)),
    show(/** @type {Point[]} */ shown, /** @type {number} */ begin, /** @type {number} */ end) {
      [points, from, to] = [shown, begin, end];
      Object.assign(slider, { min: from + period / 2, max: to - period / 2 });
      choose(chosen);
      draw(points, from, to);
      keyed(rows, points.map(textsOf).reverse(), String, ([when, ...texts]) =>
        h("tr", {}, h("th", { scope: "row", class: "mono" }, when), texts.map((text) => h("td", { class: "number" }, text))));
    },
  };
}

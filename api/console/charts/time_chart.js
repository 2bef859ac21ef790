// A chart of values over time, to be read at any point, and the same as a table.

import { button, card, h, keyed, setText, svg, table } from "../base/parts.js";
import { barsOf, lineOf, roundTicks, shape } from "./shapes.js";

/** @typedef {number | null | undefined} Value */
/** @typedef {{ name: string, color?: string, mark?: "none" | "dashed" | "dotted" }} Series `color` is a token's name, if it is another */
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
  const { title, series, format, period, isBars } = chart;
  const [moment, values] = [h("span.number"), series.map(() => h("span.number"))];
  const textsOf = (/** @type {Point} */ { at, values }) => [clock(at, period), ...values.map(format)];
  const drawing = makeDrawing(chart);
  let [points, from, to, chosen] = [/** @type {Point[]} */ ([]), 0, 0, /** @type {number | null} */ (null)];
  /** Tells the values at the chosen time, or the newest. */
  const read = () => {
    const away = (/** @type {Point} */ { at }) => Math.abs(at - (chosen ?? to));
    const [point] = [...points].sort((one, other) => away(one) - away(other));
    if (!point) return;
    const [when, ...texts] = textsOf(point);
    slider.value = String(chosen ?? point.at);
    texts.forEach((text, one) => setText(values[one], text));
    setText(moment, chosen === null ? "" : when);
    drawing.cross.setAttribute("d", chosen === null ? "" : `M${(100 * (point.at + period / 2 - from)) / (to - from)} 0V100`);
    slider.setAttribute("aria-valuetext", `${when}: ${series.map(({ name }, one) => `${name} ${texts[one]}`).join(", ")}`);
  };
  const choose = (/** @type {number | null} */ time) => {
    chosen = time;
    read();
  };
  const slider = h("input", { type: "range", step: period || 15_000, "aria-label": `${title}, by time`,
    oninput: () => choose(Number(slider.value)), onblur: () => choose(null), onpointerleave: () => choose(null),
    onpointermove: (/** @type {PointerEvent} */ { offsetX }) => choose(from - period / 2 + (offsetX / slider.clientWidth) * (to - from)),
  });
  const plot = h("div.plot", drawing.nodes, slider);
  const sheet = makeSheet(title, series, plot);
  return {
    element: card(title, h("div.end", moment, sheet.press),
      h("div.legend", legend(series, isBars, values)), plot, sheet.element),
    show(/** @type {Point[]} */ shown, /** @type {number} */ begin, /** @type {number} */ end) {
      [points, from, to] = [shown, begin, end];
      Object.assign(slider, { min: from, max: to });
      choose(chosen);
      drawing.draw(points, from, to);
      sheet.show(points.map(textsOf));
    },
  };
}

/** @param {Series[]} series @param {boolean | undefined} isBars @param {Element[]} values */
function legend(series, isBars, values) {
  return series.map((one, at) => h("span", svg("svg", { width: 20, height: 11, "aria-hidden": "true" },
    shape(one, isBars, isBars ? "M1 1h18v9h-18z" : "M1.5 5.5h17")), one.name, values[at]));
}

/** What is drawn, in hundredths of the plot's width and height. @param {Chart} chart */
function makeDrawing({ series, format, least, period, isBars }) {
  const [grid, cross, shapes] = [svg("path.grid"), svg("path.cross"), series.map((one) => shape(one, isBars))];
  const labels = h("div", { "aria-hidden": "true" });
  return {
    nodes: [svg("svg", { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, grid, shapes, cross), labels], cross,
    draw(/** @type {Point[]} */ points, /** @type {number} */ from, /** @type {number} */ to) {
      const share = 100 / (to - from);
      const tops = points.map(({ values }) => (isBars ? sum(values) : Math.max(...values.map((value) => value ?? 0))));
      const levels = roundTicks(Math.max(0, ...tops), least);
      const yOf = (/** @type {number} */ value) => 100 - (value / levels[levels.length - 1]) * 100;
      const texts = levels.map((level) => ["top", yOf(level), level ? format(level) : "0"]);
      for (let at = Math.ceil(from / FIVE_MINUTES) * FIVE_MINUTES; at <= to; at += FIVE_MINUTES) texts.push(["left", (at - from) * share, clock(at, 1)]);
      keyed(labels, texts, String, ([side, place, text]) => h("span", { class: `at-${side}`, css: { [side]: `${place}%` } }, text));
      grid.setAttribute("d", levels.map((level) => `M0 ${yOf(level)}H100`).join(""));
      shapes.forEach((path, one) => {
        const places = points.flatMap(({ at, values }) => {
          const [value, foot] = [values[one], isBars ? sum(values.slice(0, one)) : 0];
          if (typeof value !== "number" || (isBars && !value)) return [];
          return { x: (at + period / 2 - from) * share, top: yOf(foot + value), foot: yOf(foot) };
        });
        path.setAttribute("d", isBars ? barsOf(places, period * share * 0.85) : lineOf(places, GAP * share));
      });
    },
  };
}

/** The same as a table, and the button that shows it in place of the plot. @param {string} title @param {Series[]} series @param {HTMLElement} plot */
function makeSheet(title, series, plot) {
  const rows = h("tbody");
  const element = h("div.scroll", { tabindex: "0", role: "region", "aria-label": `${title} as a table`, hidden: true },
    table(["Time", ...series.map(({ name }) => `${name}#`)], rows));
  const press = button("Table", () => {
    element.hidden = !(plot.hidden = element.hidden);
    press.setAttribute("aria-pressed", String(plot.hidden));
  }, "quiet", { "aria-pressed": "false", "aria-label": `Table: ${title}` });
  return {
    element, press,
    show: (/** @type {string[][]} */ lines) => keyed(rows, lines.reverse(), String, ([when, ...texts]) =>
      h("tr", h("th", { scope: "row", class: "mono" }, when), texts.map((text) => h("td.number", text)))),
  };
}

/** A time of the day, here; of a period without its seconds. @param {number} at @param {number} period */
function clock(at, period) {
  return new Date(at).toTimeString().slice(0, period ? 5 : 8);
}

/** @param {Value[]} values */
function sum(values) {
  return values.reduce((/** @type {number} */ all, value) => all + (value ?? 0), 0);
}

// Numbers, times and sizes as people read them: three figures at the most, with their unit.

import { h, setText } from "./dom.js";

/** @param {number} value */
function figures(value) {
  const size = Math.abs(value);
  if (size >= 100 || value === 0) return String(Math.round(value));
  return String(Number(value.toPrecision(size >= 10 ? 3 : 2)));
}

/**
 * Milliseconds: `0.42 ms`, `12.5 ms`, `1.9 s`, `4 min 10 s`, `2 h 5 min`.
 * @param {number | null | undefined} ms
 */
export function duration(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "–";
  if (ms < 999.5) return `${figures(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${figures(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return joined([Math.floor(whole / 60), "min"], [whole % 60, "s"]);
  if (whole < 86_400) return joined([Math.floor(whole / 3600), "h"], [Math.floor((whole % 3600) / 60), "min"]);
  return joined([Math.floor(whole / 86_400), "d"], [Math.floor((whole % 86_400) / 3600), "h"]);
}

/** @param {...[number, string]} parts */
function joined(...parts) {
  return parts.filter(([number], at) => number || !at).map(([number, unit]) => `${number} ${unit}`).join(" ");
}

/** @param {number | null | undefined} count */
export function bytes(count) {
  if (count === null || count === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  let value = count;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at++;
  }
  return `${figures(value)} ${units[at]}`;
}

/**
 * A count, with its thousands apart; from a million on in short.
 * @param {number | null | undefined} value
 */
export function count(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 1e6) return `${figures(value / 1e6)} M`;
  return Math.round(value).toLocaleString("en-US").replaceAll(",", "\u202f");
}

/** @param {number | null | undefined} perSecond */
export function rate(perSecond) {
  if (perSecond === null || perSecond === undefined) return "–";
  if (perSecond > 0 && perSecond < 0.1) return `${figures(perSecond * 60)}/min`;
  return `${perSecond >= 1000 ? count(perSecond) : figures(perSecond)}/s`;
}

/** @param {number} share 0 to 1 */
export function percent(share) {
  return `${figures(share * 100)} %`;
}

/** @param {number} value */
export function dollars(value) {
  if (value === 0) return "$0";
  if (value >= 0.01) return `$${value.toFixed(2)}`;
  return `$${value.toFixed(Math.min(12, 2 - Math.floor(Math.log10(value))))}`;
}

/**
 * How long ago: `now`, `4 s ago`, `12 min ago`, `3 h ago`, `2 d ago`.
 * @param {string | number | Date} moment
 */
export function ago(moment) {
  const seconds = Math.round((Date.now() - new Date(moment).getTime()) / 1000);
  if (seconds < 0) return `in ${duration(-seconds * 1000)}`;
  if (seconds < 1) return "now";
  const [number, unit] = duration(seconds * 1000).split(" ");
  return `${number} ${unit} ago`;
}

/** @param {string | number | Date} moment */
export function exactly(moment) {
  return new Date(moment).toISOString().replace("T", " ").replace("Z", " UTC");
}

/**
 * A time as it is shown: how long ago, exact on hover. It is kept true by `keepTimes`.
 * @param {string | null | undefined} moment RFC 3339
 */
export function time(moment) {
  if (!moment) return h("span.muted", "–");
  return h("time", { datetime: moment, title: exactly(moment), "data-ago": true }, ago(moment));
}

/** Keeps all times on the page true. */
export function keepTimes() {
  setInterval(() => {
    if (document.hidden) return;
    for (const element of /** @type {NodeListOf<HTMLTimeElement>} */ (document.querySelectorAll("time[data-ago]"))) {
      setText(element, ago(element.dateTime));
    }
  }, 1000);
}

/**
 * A status, by word and colour.
 * @param {string} status
 */
export function pill(status) {
  return h("span", { class: `pill ${status}` }, status);
}

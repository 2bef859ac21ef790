// The functions that there are, and how they did in the last hour.

import { allows, functionPath, get, readPages } from "../base/api.js";
import { bind, bindMoves } from "../base/keys.js";
import { address, count, duration, empty, failure, h, keyed, replace, setText, skeleton, table } from "../base/parts.js";
import { every } from "../base/poll.js";
import { sparkline } from "../charts/sparkline.js";
import { ended } from "../frame/fleet.js";
import { countPlace } from "../frame/rail.js";
import { EXAMPLES } from "./examples.js";
import { aliasText, showEnded } from "./function.js";

/** @typedef {import("./function.js").LambdaFunction} LambdaFunction */
/** @typedef {import("./function.js").Ended} Ended */

/** Rows at once; the filter finds the others. */
const MOST = 500;
const EACH_MS = 30_000;
const ASKED_AT_ONCE = 4;

/** @type {import("../base/router.js").Open} */
export function open({ signal }) {
  const [place, rows, end] = [h("div", skeleton(8)), h("tbody"), h("p.muted", { role: "status" })];
  const whole = table(["Function", "Form", "Version", "Aliases", "Last hour", "Finished#", "Failed#", "Median#"], rows, "stacked");
  const filter = h("input", { type: "search", class: "filter", hidden: true, placeholder: "Filter by name", "aria-label": "Filter functions by name" });
  /** @type {LambdaFunction[]} */
  let all = [];
  const show = () => {
    const wanted = filter.value.trim().toLowerCase();
    const found = all.filter(({ name }) => name.toLowerCase().includes(wanted));
    countPlace("functions", all.length);
    filter.hidden = !all.length;
    keyed(rows, found.slice(0, MOST), ({ name }) => name, (fn) => fill(row(fn.name), fn), fill);
    if (!all.length) replace(place, nothing());
    else if (!whole.isConnected) replace(place, whole);
    setText(end, found.length > MOST ? `${MOST} of ${count(found.length)} are shown.` : found.length || !wanted ? "" : "No function has that in its name.");
  };
  const renew = async () => {
    ({ all } = await readPages("/v1/functions", "functions", Infinity, signal));
    show();
  };
  filter.addEventListener("input", show);
  bind("/", "Filter functions", () => filter.focus(), signal);
  bindMoves(place, "tr a", signal);
  every(EACH_MS, signal, renew, (error) => {
    if (!whole.isConnected) replace(place, failure(error, () => renew().catch(() => {})));
  });
  watchStats(rows, signal);
  return {
    crumbs: ["Functions"], title: "Functions", place: "functions", padded: true, body: h("div.functions", filter, place, end),
    actions: [allows("manage") && h("a.button.main", { href: "#/new" }, "New function")],
  };
}

function nothing() {
  if (!allows("manage")) return empty("There are no functions.");
  const cards = EXAMPLES.map(({ id, title, about }) => h("a.card", { href: address(["new"], { example: id }) },
    h("strong", title), h("span.muted", about)));
  return empty("A function is Ruby code that runs when somebody calls it. Begin with an example:", h("div.examples", cards));
}

/** @param {string} name */
function row(name) {
  return h("tr", h("th", { scope: "row" }, h("a", { href: address(["functions", name]) }, name)),
    ["form", "version", "aliases", "hour", "number finished", "number failures", "number median"].map((name) => h("td", { class: name })));
}

/** @param {HTMLElement} element @param {LambdaFunction} fn */
function fill(element, fn) {
  const texts = [fn.form, `v${fn.version}`, Object.entries(fn.aliases).map(([alias, target]) => aliasText(alias, target)).join(" · ")];
  texts.forEach((text, at) => setText(element.children[at + 1], text));
  return element;
}

/** Asks how the functions do whose rows are in view, a few at a time, again and again. @param {HTMLElement} rows @param {AbortSignal} signal */
function watchStats(rows, signal) {
  /** When each was asked for. @type {WeakMap<Element, number>} */
  const asked = new WeakMap();
  const look = async () => {
    for (const row of [...rows.children]) {
      const { top, bottom } = row.getBoundingClientRect();
      if (bottom < 0 || top > innerHeight || Date.now() - (asked.get(row) ?? 0) < EACH_MS) continue;
      asked.set(row, Date.now());
      fillStats(row, await get(functionPath(row.getAttribute("data-key") ?? "", "stats"), { signal }));
    }
  };
  for (let one = 0; one < ASKED_AT_ONCE; one++) every(300, signal, look);
}

/** @param {Element} row @param {{ periods: (Ended & { from: string })[], versions: Ended[] }} stats */
function fillStats(row, { periods, versions }) {
  const all = { succeeded: 0, failed: 0, cancelled: 0 };
  for (const { succeeded, failed, cancelled } of periods) {
    all.succeeded += succeeded;
    all.failed += failed;
    all.cancelled += cancelled;
  }
  // Percentiles can't be added: those of the version that most executions are of speak for all.
  const [main] = [...versions].sort((a, b) => ended(b) - ended(a));
  const [hour, finished, failures, median] = [...row.children].slice(4);
  showEnded(finished, failures, all);
  setText(median, duration(main?.run_ms?.p50));
  const label = `${count(ended(all))} finished, ${count(all.failed)} failed`;
  replace(hour, ended(all) ? sparkline(periods, label) : h("span.muted", "none"));
}

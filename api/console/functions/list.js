// The functions that there are, and how they did in the last hour.

import { get } from "../base/api.js";
import { allows } from "../base/caller.js";
import { h, keyed, replace, setText } from "../base/dom.js";
import { bind } from "../base/keys.js";
import { table } from "../base/parts.js";
import { every } from "../base/poll.js";
import { address } from "../base/router.js";
import { empty, failure, skeleton } from "../base/states.js";
import { countPlace } from "../frame/rail.js";
import { EXAMPLES } from "./examples.js";
import { aliasText } from "./function.js";
import { watchStats } from "./stats.js";

/** @typedef {import("./function.js").LambdaFunction} LambdaFunction */

const PAGE = 50;

/** @type {import("../base/router.js").Open} */
export function open({ signal }) {
  const place = h("div", {}, skeleton(8));
  const label = { placeholder: "Filter by name", "aria-label": "Filter functions by name" };
  const filter = h("input", { type: "search", class: "filter", hidden: true, ...label });
  const end = h("p", { class: "end", role: "status" });
  const list = listOf(place, filter, end, signal);
  const step = (/** @type {number} */ by) => {
    const links = /** @type {HTMLElement[]} */ ([...place.querySelectorAll("tr:not([hidden]) a")]);
    const at = links.findIndex((link) => link === document.activeElement);
    links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + by))]?.focus();
  };
  filter.addEventListener("input", list.show);
  filter.addEventListener("keydown", (event) => {
    if (/^(ArrowDown|Enter)$/.test(event.key)) { event.preventDefault(); step(1); }
  });
  bind("/", "Filter functions", () => filter.focus(), { signal });
  bind("j", "Next function", () => step(1), { signal });
  bind("k", "Function before", () => step(-1), { signal });
  every(30_000, signal, list.renew, (error) => {
    if (place.querySelector(".waiting, .problem")) replace(place, failure(error, () => list.renew().catch(() => {})));
  });
  return {
    crumbs: ["Functions"], title: "Functions", place: "functions", padded: true,
    body: h("div", { class: "functions" }, filter, place, end),
    actions: [allows("manage") && h("a", { class: "button main", href: "#/functions/new" }, "New function")],
  };
}

/** @param {HTMLElement} place @param {HTMLInputElement} filter @param {HTMLElement} end @param {AbortSignal} signal */
function listOf(place, filter, end, signal) {
  const pages = pagesOf(signal);
  const watch = watchStats(signal);
  const rows = h("tbody");
  const whole = table(["Function", "Form", "Version", "Aliases", "Last hour", "Finished#", "Failed#", "Median#"], rows);
  const show = () => {
    const wanted = filter.value.trim().toLowerCase();
    const all = [...pages.known.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    countPlace("functions", all.length, pages.next ? "+" : "");
    filter.hidden = !all.length;
    if (!all.length) return replace(place, nothing());
    keyed(rows, all, ({ name }) => name, (fn) => watch(fill(row(fn), fn), fn.name), fill);
    const shown = all.filter(({ name }, at) => {
      const isHidden = !name.toLowerCase().includes(wanted);
      /** @type {HTMLElement} */ (rows.children[at]).hidden = isHidden;
      return !isHidden;
    });
    if (!whole.isConnected) replace(place, whole);
    setText(end, pages.next ? "…" : shown.length ? "" : "No function has that in its name.");
    if (wanted) more();
  };
  const more = async () => { if (await pages.more()) show(); };
  const observer = new IntersectionObserver(([{ isIntersecting }]) => { if (isIntersecting) more(); }, { rootMargin: "600px" });
  observer.observe(end);
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
  return { show, renew: () => pages.renew().then(show) };
}

/** What was read of the list so far. @param {AbortSignal} signal */
function pagesOf(signal) {
  /** @type {Map<string, LambdaFunction>} */
  const known = new Map();
  /** Asks for a page, and forgets what is no longer there between its ends. */
  const read = async (/** @type {string} */ cursor) => {
    const page = await get("/v1/functions", { query: { limit: PAGE, cursor }, signal });
    for (const name of known.keys()) if (name > cursor && (!page.next || name <= page.next)) known.delete(name);
    for (const fn of page.functions) known.set(fn.name, fn);
    return page.next;
  };
  let isAsking = false;
  return {
    known,
    /** Where the next page begins; null behind the last one. @type {string | null} */
    next: "",
    async renew() {
      const first = await read("");
      if (this.next === "") this.next = first;
    },
    async more() {
      if (isAsking || !this.next) return false;
      isAsking = true;
      this.next = await read(this.next).catch(() => this.next);
      isAsking = false;
      return !signal.aborted;
    },
  };
}

/** @param {LambdaFunction} fn */
function row(fn) {
  const link = h("a", { href: address(["functions", fn.name]) }, fn.name);
  const click = (/** @type {Event} */ event) => { if (event.target !== link && !String(getSelection())) link.click(); };
  return h("tr", { on: { click } }, h("th", { scope: "row" }, link),
    ["form", "version", "aliases", "hour"].map((name) => h("td", { class: name })),
    ["finished", "failures", "median"].map((name) => h("td", { class: `number ${name}` }, "…")));
}

/** @param {HTMLElement} element @param {LambdaFunction} fn */
function fill(element, fn) {
  const texts = [fn.form, `v${fn.version}`, Object.entries(fn.aliases).map(([alias, target]) => aliasText(alias, target)).join(" · ")];
  texts.forEach((text, at) => setText(element.children[at + 1], text));
  return element;
}

function nothing() {
  if (!allows("manage")) return empty("There are no functions.");
  const cards = EXAMPLES.map(({ id, title, about }) => h("a", { class: "card", href: address(["functions", "new"], { example: id }) },
    h("strong", {}, title), h("span", { class: "muted" }, about)));
  return empty("A function is Ruby code that runs when somebody calls it. Begin with an example:", h("div", { class: "examples" }, cards));
}

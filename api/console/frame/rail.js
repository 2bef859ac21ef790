// The rail: the places of the page, and at its foot how the fleet stands.

import { readPages } from "../base/api.js";
import { button, count, duration, h, rate, replace, setText } from "../base/parts.js";
import { choose, chosen } from "../base/theme.js";
import { changes, finishedPerSecond, fleet } from "./fleet.js";

const PLACES = [
  { id: "functions", label: "Functions" },
  { id: "executions", label: "Executions" },
  { id: "maps", label: "Maps" },
  { id: "dead-letters", label: "Dead letters" },
  { id: "fleet", label: "Fleet" },
];

/** Each with its count. @type {Map<string, HTMLElement>} */
const links = new Map();

/** Makes the rail. */
export function rail() {
  const places = PLACES.map(({ id, label }) => {
    const link = h("a", { href: `#/${id}` }, label, h("span", { class: id === "dead-letters" ? "count bad" : "count" }));
    links.set(id, link);
    return link;
  });
  return h("aside.rail", { "aria-label": "Places and fleet" },
    h("a.brand", { href: "#/functions" }, h("span.lambda", { "aria-hidden": "true" }, "λ"), h("span", "Bad Lambda")),
    h("nav.places", { "aria-label": "Places" }, places),
    foot(),
    themes());
}

/**
 * Marks the place that is shown.
 * @param {string} place
 */
export function markPlace(place) {
  for (const [id, link] of links) {
    if (id === place) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else link.removeAttribute("aria-current");
  }
}

/**
 * Shows a number beside a place; nothing for null and 0.
 * @param {string} place
 * @param {number | null} number
 * @param {string} [more] what stands behind it, such as `+`
 */
export function countPlace(place, number, more = "") {
  const element = links.get(place)?.lastElementChild;
  if (element) setText(element, number ? `${count(number)}${more}` : "");
}

/** Counts the functions, as far as a page of them goes. */
export async function countFunctions() {
  const { all, isMore } = await readPages("/v1/functions", "functions", 1);
  countPlace("functions", all.length, isMore ? "+" : "");
}

function foot() {
  const foot = h("a.fleet", { href: "#/fleet", "aria-label": "Fleet" }, "…");
  const tell = () => {
    const stats = fleet();
    if (!stats) return;
    const { visible, oldest_seconds: oldest } = stats.queue;
    const waits = visible > 0 && oldest !== null ? ` · oldest ${duration(oldest * 1000)}` : "";
    const workers = `${count(stats.workers)} ${stats.workers === 1 ? "worker" : "workers"}`;
    const line = [`queue ${count(visible)}${waits}`, `${rate(finishedPerSecond() ?? 0)} · ${workers}`];
    const health = stats.workers === 0 ? "bad" : "good";
    foot.setAttribute("aria-label", `Fleet: ${line.join(", ")}`);
    replace(foot, h("span", { class: `dot ${health}` }), line[0], h("br"), " ", h("span", line[1]));
    countPlace("dead-letters", stats.queue.dead_lettered);
  };
  changes.addEventListener("change", tell);
  return foot;
}

function themes() {
  const names = /** @type {const} */ (["system", "light", "dark"]);
  const buttons = names.map((name) => {
    const label = name[0].toUpperCase() + name.slice(1);
    return button(label, () => choose(name), "quiet");
  });
  const mark = () => buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(names[at] === chosen())));
  mark();
  document.addEventListener("theme", mark);
  return h("div.theme", { role: "group", "aria-label": "Theme" }, buttons);
}

// The list of executions, the newest first; beside it, what came of the chosen one.

import { h } from "../base/dom.js";
import { every, turns } from "../base/poll.js";
import { address, rewrite } from "../base/router.js";
import { functionCrumbs, tabs } from "../functions/function.js";
import { openBulk } from "./bulk.js";
import { makeChoice } from "./choice.js";
import { Feed } from "./feed.js";
import { parse, print, source } from "./filter.js";
import { filterBox } from "./filter_box.js";
import { makeTable } from "./table.js";

const LOOK_MS = 5000;
/** With so few rows left below those in sight, older ones are read. */
const FEW = 30;

/** Of all functions; or of one, as a tab beside its code, its config and its versions. @type {import("../base/router.js").Open} */
export function open({ parts: { name = "" }, query, signal }) {
  const body = executionList(query, name, signal);
  if (!name) return { crumbs: ["Executions"], title: "Executions", body, place: "executions" };
  return { crumbs: functionCrumbs(name), title: `Executions of ${name}`, body: h("div.tabbed", tabs(name, "executions"), body), place: "functions" };
}

/**
 * The list with its filter, and the pane beside it.
 * @param {URLSearchParams} query @param {string} only the function that all are of, if there is one @param {AbortSignal} signal
 */
function executionList(query, only, signal) {
  const text = query.get("q") ?? "";
  let { filter } = parse(text);
  const next = turns(signal);
  const choice = makeChoice(() => draw(), (deed, rows) => openBulk(deed, rows, feed.source, choice.clear));
  const readOlder = async (/** @type {number} */ below) => {
    const now = feed;
    if (now.isLoaded && !now.error && below < FEW && (await now.readOlder()) && now === feed) draw();
  };
  const table = makeTable({ only, choice, seen: readOlder, showAll: () => box.clear(), take: () => { feed.take(); draw(); }, signal });
  const draw = () => { if (feed.isLoaded) table.draw(feed, print(filter) !== ""); };
  const begin = () => {
    const now = new Feed(source(only ? { ...filter, function: only } : filter), next());
    every(LOOK_MS, now.signal, async () => { await now.look(table.isRead); draw(); }, (error) => now.isLoaded || table.fail(error, () => { feed = begin(); }));
    table.element.ariaBusy = "true";
    return now;
  };
  let feed = begin();
  const apply = (/** @type {import("./filter.js").Filter} */ next) => {
    if (print(next) === print(filter)) return;
    filter = next;
    rewrite(address(only ? ["functions", only, "executions"] : ["executions"], { q: print(filter) }));
    feed = begin();
    choice.clear();
  };
  const box = filterBox({ text, only, apply, signal });
  return h("div.listed", h("div.list", box.element, table.element, choice.bar), table.beside);
}

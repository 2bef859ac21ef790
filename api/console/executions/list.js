// The list of executions, the newest first; beside it, what came of the chosen one.

import { h } from "../base/dom.js";
import { every } from "../base/poll.js";
import { address, rewrite } from "../base/router.js";
import { openBulk } from "./bulk.js";
import { makeChoice } from "./choice.js";
import { Feed } from "./feed.js";
import { parse, print, source } from "./filter.js";
import { filterBox } from "./filter_box.js";
import { makeTable } from "./table.js";

const LOOK_MS = 5000;
/** With so few rows left below those in sight, older ones are read. */
const FEW = 30;

/** @type {import("../base/router.js").Open} */
export function open({ query, signal }) {
  return { crumbs: ["Executions"], title: "Executions", body: executionList(query, "", signal), place: "executions" };
}

/**
 * The list with its filter, and the pane beside it.
 * @param {URLSearchParams} query @param {string} only the function that all are of, if there is one @param {AbortSignal} signal
 */
export function executionList(query, only, signal) {
  const text = query.get("q") ?? "";
  let [filter, living] = [parse(text).filter, new AbortController()];
  const choice = makeChoice(() => draw(), (deed, rows) => openBulk(deed, rows, feed.source, choice.clear));
  const readOlder = async (/** @type {number} */ below) => {
    const now = feed;
    if (now.isLoaded && !now.error && below < FEW && (await now.readOlder()) && now === feed) draw();
  };
  const table = makeTable({ only, choice, seen: readOlder, showAll: () => box.clear(), take: () => { feed.take(); draw(); }, signal });
  const draw = () => { if (feed.isLoaded) table.draw(feed, print(filter) !== ""); };
  const begin = () => {
    living.abort();
    living = new AbortController();
    const now = new Feed(source(only ? { ...filter, function: only } : filter), AbortSignal.any([signal, living.signal]));
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
  return h("div", { class: "listed" }, h("div", { class: "list" }, box.element, table.element, choice.bar), table.beside);
}

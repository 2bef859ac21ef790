// The versions of a function: how each did, what changed between two, and which one is live.

import { functionPath, get } from "../base/api.js";
import { allows } from "../base/caller.js";
import { h, keyed, replace, setText } from "../base/dom.js";
import { bytes, count, percent, time } from "../base/format.js";
import { button, table } from "../base/parts.js";
import { every } from "../base/poll.js";
import { address } from "../base/router.js";
import { failure } from "../base/states.js";
import { setCrumbs } from "../frame/frame.js";
import { liveAlias, makeLive, showAliases } from "./aliases.js";
import { failureRate, readCode, readFunction, targetOf } from "./function.js";
import { compare } from "./save.js";
import { functionCrumbs, functionView } from "./tabs.js";

/** @typedef {import("./function.js").Version} Version */
/** @typedef {import("./function.js").Ended} Ended */
/** @typedef {{ fn: import("./function.js").LambdaFunction, versions: Map<number, Version>, ended: Map<number, Ended>, next: string | null }} History */

const NO_ALIAS = "No alias: to roll back saves older code and config as a new version.";

/** @type {import("../base/router.js").Open} */
export function open(at) {
  const { parts: { name }, signal } = at;
  return functionView("versions", at, [], async (_, left, right) => {
    const [aliases, changes] = [h("section", { class: "card" }), h("section", { class: "card" })];
    const [about, rows] = [h("p", { class: "muted" }), h("tbody")];
    const more = button("Show older versions", () => renew(true));
    let history = await readHistory(name, null, false, signal);
    const renew = async (isOlder = false) => {
      history = await readHistory(name, history, isOlder, signal);
      show();
    };
    const show = () => {
      const { fn, versions, next } = history;
      const alias = liveAlias(fn);
      setCrumbs(functionCrumbs(name, fn));
      setText(about, alias ? `Make live and roll back move the alias ${alias}.` : NO_ALIAS);
      /** @type {(element: HTMLElement, one: Version) => HTMLElement} */
      const update = (element, one) => fill(element, one, history, () => makeLive(fn, one, signal, renew));
      const newestFirst = [...versions.values()].sort((a, b) => b.version - a.version);
      keyed(rows, newestFirst, ({ version }) => String(version), (one) => update(row(name, one), one), update);
      more.hidden = !next;
      showAliases(aliases, fn, renew);
    };
    show();
    replace(left, allows("manage") && about, table(["From", "To", "Version", "Last hour#", "Failed#", "Live#"], rows), more);
    replace(right, aliases, changes);
    const radios = (/** @type {string} */ end) => /** @type {HTMLInputElement[]} */ ([...rows.querySelectorAll(`[name=${end}]`)]);
    const chosen = (/** @type {string} */ end) => history.versions.get(Number(radios(end).find(({ checked }) => checked)?.value));
    const change = () => showChanges(changes, name, [chosen("from"), chosen("to")], signal).catch((error) => {
      if (!signal.aborted) replace(changes, failure(error, change));
    });
    radios("to")[0].checked = true;
    (radios("from")[1] ?? radios("from")[0]).checked = true;
    rows.addEventListener("change", change);
    change();
    every(15_000, signal, () => renew());
  });
}

/**
 * The newest versions, or those behind the oldest, with all that were read before.
 * @param {string} name
 * @param {History | null} before
 * @param {boolean} isOlder
 * @param {AbortSignal} signal
 * @returns {Promise<History>}
 */
async function readHistory(name, before, isOlder, signal) {
  const [fn, page, stats] = await Promise.all([
    readFunction(name, signal),
    get(functionPath(name, "versions"), { query: { cursor: isOlder ? before?.next : null }, signal }),
    get(functionPath(name, "stats"), { signal }),
  ]);
  /** @type {(list: any[]) => [number, any][]} */
  const byVersion = (list) => list.map((one) => [one.version, one]);
  return {
    fn, versions: new Map([...before?.versions ?? [], ...byVersion(page.versions)]), ended: new Map(byVersion(stats.versions)),
    next: before && !isOlder ? before.next : page.next,
  };
}

/** @param {HTMLElement} place @param {string} name @param {(Version | undefined)[]} chosen @param {AbortSignal} signal */
async function showChanges(place, name, chosen, signal) {
  const [before, after] = chosen.map((one) => `v${one?.version}`);
  place.dataset.asked = before + after;
  const [from, to] = await Promise.all(chosen.map(async (one) =>
    ({ code: one ? await readCode(name, one.version, signal) : "", config: one?.config ?? {} })));
  if (place.dataset.asked !== before + after) return;
  replace(place, h("header", {}, h("h2", {}, `From ${before} to ${after}`)),
    h("div", { class: "body compare" }, compare(from, to, { before, after })));
}

/** @param {string} name @param {Version} one */
function row(name, { version, created_at, form, code_bytes }) {
  const pick = (/** @type {string} */ end) => h("td", {}, h("label", { class: "pick" },
    h("input", { type: "radio", name: end, value: version, "aria-label": `Compare ${end} v${version}` })));
  return h("tr", {}, pick("from"), pick("to"),
    h("th", { scope: "row" }, h("a", { href: address(["functions", name], { version: String(version) }) }, `v${version}`), h("span"),
      h("div", { class: "muted" }, time(created_at), ` · ${form} · ${bytes(code_bytes)}`)),
    h("td", { class: "number finished" }), h("td", { class: "number failures" }), h("td", { class: "end" }));
}

/** @param {HTMLElement} element @param {Version} one @param {History} history @param {() => void} act */
function fill(element, { version }, { fn, ended }, act) {
  const [, , head, finished, failed, end] = element.children;
  const of = ended.get(version);
  const tags = Object.entries(fn.aliases).flatMap(([alias, at]) => {
    const { version: main, weights } = targetOf(at);
    return main === version ? alias : weights[version] ? `${alias} ${percent(weights[version])}` : [];
  });
  if (head.children[1].textContent !== tags.join("")) replace(head.children[1], tags.map((tag) => h("span", { class: "pill" }, tag)));
  setText(finished, count(of ? of.succeeded + of.failed + of.cancelled : 0));
  setText(failed, failureRate(of));
  failed.classList.toggle("bad", Boolean(of?.failed));
  const alias = liveAlias(fn);
  const live = alias ? targetOf(fn.aliases[alias]).version : fn.version;
  const verb = version === live || !allows("manage") ? "" : version < live ? `Roll back to v${version}` : `Make v${version} live`;
  if (end.textContent !== verb) replace(end, verb && button(verb, () => {}));
  if (end.firstElementChild) /** @type {HTMLElement} */ (end.firstElementChild).onclick = act;
  return element;
}

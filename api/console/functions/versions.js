// The versions of a function: how each did, what changed between two, which one is live, and the aliases that say so.

import { allows, functionPath, get, readPages, send } from "../base/api.js";
import { confirm, openForm } from "../base/dialog.js";
import { address, attempt, button, bytes, card, field, h, keyed, percent, replace, setText, table, time, toast } from "../base/parts.js";
import { every } from "../base/poll.js";
import { setCrumbs } from "../frame/frame.js";
import { compare, saveVersion } from "./edit.js";
import { aliasText, functionCrumbs, functionView, PLAIN, readCode, readFunction, showEnded, targetOf } from "./function.js";

/** @typedef {import("./function.js").Version} Version */
/** @typedef {import("./function.js").LambdaFunction} LambdaFunction */
/** @typedef {import("./function.js").Target | number} Target */
/** The newest versions, how each did, and whether there are older ones. @typedef {{ versions: Version[], isMore: boolean, stats: any[] }} History */
/** Reads again what the view shows. @typedef {() => Promise<void>} Renew */

/** @type {import("../base/router.js").Open} */
export function open(at) {
  const { signal } = at;
  return functionView("versions", at, async (fn) => {
    let pages = 1;
    let history = await read(fn, pages, signal);
    const [newest, before = newest] = history.versions;
    const chosen = { from: before, to: newest };
    const [about, rows, aliases, changes] = [h("p.muted"), h("tbody"), h("ul.aliases"), h("section.card")];
    const renew = async () => {
      history = await read(fn, pages, signal);
      show();
    };
    const make = (/** @type {Version} */ one) => fill(rowOf(fn.name, one, pick, () => makeLive(fn, one, signal, renew)), one, fn, history.stats);
    const pick = (/** @type {Version} */ one, /** @type {"from" | "to"} */ end) => h("td", h("label.pick", h("input", {
      type: "radio", name: end, checked: one === chosen[end], "aria-label": `Compare ${end} v${one.version}`,
      onchange: () => { chosen[end] = one; showChanges(changes, fn.name, chosen, signal); },
    })));
    const more = button("Show older versions", () => { pages++; trying(renew); });
    const none = h("p.body.muted", "An alias is a name for a version. Callers use it, and you move it.");
    const show = () => {
      const alias = liveAlias(fn);
      setCrumbs(functionCrumbs(fn.name, fn));
      setText(about, alias ? `Make live and roll back move the alias ${alias}.` : "No alias: to roll back saves older code and config as a new version.");
      keyed(rows, history.versions, ({ version }) => String(version), make, (row, one) => fill(row, one, fn, history.stats));
      keyed(aliases, Object.entries(fn.aliases), ([name, target]) => aliasText(name, target), ([name]) => aliasItem(fn, name, renew));
      none.hidden = Boolean(alias);
      more.hidden = !history.isMore;
    };
    show();
    showChanges(changes, fn.name, chosen, signal);
    every(15_000, signal, renew);
    const create = allows("manage") && button("New alias", () => editAlias(fn, "", renew));
    return {
      left: [allows("manage") && about, table(["From", "To", "Version", "Last hour#", "Failed#", "Live#"], rows, "stacked"), more],
      right: [card("Aliases", h("span.end", create), none, aliases), changes],
    };
  });
}

/** Reads how the function is now, too. @param {LambdaFunction} fn @param {number} pages @param {AbortSignal} signal @returns {Promise<History>} */
async function read(fn, pages, signal) {
  const [now, { all: versions, isMore }, stats] = await Promise.all([
    readFunction(fn.name, signal),
    readPages(functionPath(fn.name, "versions"), "versions", pages, signal),
    get(functionPath(fn.name, "stats"), { signal }),
  ]);
  Object.assign(fn, now);
  return { versions, isMore, stats: stats.versions };
}

/** @param {HTMLElement} place @param {string} name @param {{ from: Version, to: Version }} chosen @param {AbortSignal} signal */
function showChanges(place, name, { from, to }, signal) {
  const [before, after] = [`v${from.version}`, `v${to.version}`];
  const [wrong, body] = [h("div"), h("div.body.stack.compare")];
  replace(place, h("header", h("h2", `From ${before} to ${after}`)), wrong, body);
  attempt(wrong, signal, async () => {
    const [old, now] = await Promise.all([from, to].map(async (one) => ({ code: await readCode(name, one, signal), config: one.config })));
    replace(body, compare(old, now, { before, after }));
  });
}

/** @param {string} name @param {Version} one @param {(one: Version, end: "from" | "to") => HTMLElement} pick @param {() => void} act */
function rowOf(name, one, pick, act) {
  const { version, created_at, form, code_bytes } = one;
  return h("tr", pick(one, "from"), pick(one, "to"),
    h("th", { scope: "row" }, h("a", { href: address(["functions", name], { version: String(version) }) }, `v${version}`), h("span"),
      h("div.muted", time(created_at), ` · ${form} · ${bytes(code_bytes)}`)),
    h("td.number.finished"), h("td.number.failures"), h("td.end", button("", act)));
}

/** Shows of a version what may change. @param {HTMLElement} row @param {Version} one @param {LambdaFunction} fn @param {any[]} stats */
function fill(row, { version, code_type }, fn, stats) {
  const [, , head, finished, failed, end] = row.children;
  const tags = Object.entries(fn.aliases).flatMap(([alias, at]) => {
    const { version: main, weights } = targetOf(at);
    return main === version ? alias : weights[version] ? `${alias} ${percent(weights[version])}` : [];
  });
  keyed(head.children[1], tags, String, (tag) => h("span.pill", tag));
  showEnded(finished, failed, stats.find((one) => one.version === version) ?? { succeeded: 0, failed: 0, cancelled: 0 });
  const alias = liveAlias(fn);
  const live = alias ? targetOf(fn.aliases[alias]).version : fn.version;
  const button = /** @type {HTMLElement} */ (end.firstElementChild);
  // A zip can't be saved again from here.
  button.hidden = version === live || !allows("manage") || (!alias && code_type === "zip");
  setText(button, version < live ? `Roll back to v${version}` : `Make v${version} live`);
  return row;
}

/** The alias that callers are taken to use: `live`, or else the first. @param {LambdaFunction} fn */
function liveAlias({ aliases }) {
  return "live" in aliases ? "live" : Object.keys(aliases)[0];
}

/**
 * Points the alias at a version, or, where there is none, saves its code and config again.
 * @param {LambdaFunction} fn
 * @param {Version} one
 * @param {AbortSignal} signal
 * @param {Renew} renew
 */
function makeLive(fn, one, signal, renew) {
  const { version, config } = one;
  const alias = liveAlias(fn);
  trying(async () => {
    if (alias) return move(fn, alias, version, renew);
    const saved = await saveVersion(fn, { code: await readCode(fn.name, one, signal), config }, signal);
    if (saved) toast(`v${saved.version} is v${version} again.`);
    await renew();
  });
}

/** @param {() => Promise<unknown>} act */
const trying = (act) => act().catch((error) => toast(error.message));

/** Moves an alias, and offers to move it back. @param {LambdaFunction} fn @param {string} alias @param {Target} target @param {Renew} renew */
async function move(fn, alias, target, renew) {
  const before = fn.aliases[alias];
  await send("PUT", functionPath(fn.name, "aliases", alias), { json: targetOf(target) });
  toast(aliasText(alias, target), before ? { label: "Undo", act: () => { trying(() => move(fn, alias, before, renew)); } } : undefined);
  await renew();
}

/** @param {LambdaFunction} fn @param {string} alias @param {Renew} renew */
function aliasItem(fn, alias, renew) {
  const remove = async () => {
    const about = "Who names it is refused from then on. Its versions stay.";
    if (!(await confirm(`Delete the alias ${alias}`, [about], { verb: `Delete ${alias}`, isBad: true }))) return;
    trying(() => send("DELETE", functionPath(fn.name, "aliases", alias)).then(renew));
  };
  return h("li", h("span.mono", aliasText(alias, fn.aliases[alias])), allows("manage") && h("span.end",
    button("Move", () => editAlias(fn, alias, renew), "", { "aria-label": `Move ${alias}` }),
    button("Delete", remove, "", { "aria-label": `Delete ${alias}` })));
}

/** @param {LambdaFunction} fn @param {string} alias empty for a new one @param {Renew} renew */
function editAlias(fn, alias, renew) {
  const { version, weights } = targetOf(fn.aliases[alias] ?? fn.version);
  const [[second, share] = ["", 0], ...others] = Object.entries(weights);
  const number = { type: "number", min: 1, max: fn.version };
  const name = h("input", { value: alias || ("live" in fn.aliases ? "" : "live"), required: true, ...PLAIN });
  const main = h("input", { ...number, value: version, required: true });
  const other = h("input", { ...number, value: second, oninput: () => mark() });
  const slider = h("input", { type: "range", value: Number(share) * 100, oninput: () => mark() });
  const shown = h("output");
  const mark = () => {
    slider.disabled = !other.value;
    setText(shown, other.value ? `${slider.value} % to v${other.value}` : "all to one");
  };
  mark();
  openForm(alias ? `Move ${alias}` : "New alias", [
    !alias && field("Name", name), field("Version", main), field("Second version", other), field("Its share of executions", slider), shown,
  ], h("button.button.main", alias ? "Move" : "Create"), () => {
    const shares = other.value && Number(slider.value) ? { [other.value]: Number(slider.value) / 100 } : {};
    return move(fn, name.value, { version: Number(main.value), weights: { ...Object.fromEntries(others), ...shares } }, renew);
  });
}

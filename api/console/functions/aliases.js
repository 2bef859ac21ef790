// The aliases of a function: which version each points at, and what share of executions goes to a second one.

import { functionPath, send } from "../base/api.js";
import { allows } from "../base/caller.js";
import { confirm } from "../base/dialog.js";
import { h, replace, setText } from "../base/dom.js";
import { button } from "../base/parts.js";
import { toast } from "../base/toast.js";
import { askInForm, field, PLAIN } from "./ask.js";
import { aliasText, readCode, targetOf } from "./function.js";
import { saveVersion } from "./save.js";

/** @typedef {import("./function.js").LambdaFunction} LambdaFunction */
/** @typedef {import("./function.js").Target | number} Target */
/** @typedef {() => Promise<void>} Renew */

/** The alias that callers are taken to use: `live`, or else the first. @param {LambdaFunction} fn */
export function liveAlias({ aliases }) {
  return "live" in aliases ? "live" : Object.keys(aliases)[0] ?? null;
}

/**
 * Points the alias at a version, or, where there is none, saves its code and config again.
 * @param {LambdaFunction} fn
 * @param {import("./function.js").Version} one
 * @param {AbortSignal} signal
 * @param {Renew} renew
 */
export function makeLive(fn, one, signal, renew) {
  const alias = liveAlias(fn);
  return trying(async () => {
    if (alias) return move(fn.name, alias, one.version, renew, fn.aliases[alias]);
    const saved = await saveVersion(fn, { code: await readCode(fn.name, one.version, signal), config: one.config }, signal);
    if (!saved) return;
    const undo = { label: "Undo", act: () => { makeLive(saved, fn, signal, renew); } };
    toast(`v${saved.version} is v${one.version} again.`, one.version < fn.version ? undo : undefined);
    await renew();
  });
}

/** @param {() => Promise<void>} act */
const trying = (act) => act().catch((error) => toast(error.message));

/**
 * Moves an alias, and offers to move it back.
 * @param {string} name
 * @param {string} alias
 * @param {Target} target
 * @param {Renew} renew
 * @param {Target} [before]
 */
async function move(name, alias, target, renew, before) {
  await send("PUT", functionPath(name, "aliases", alias), { json: targetOf(target) });
  const back = () => { trying(() => move(name, alias, before ?? 0, renew)); };
  toast(aliasText(alias, target), before === undefined ? undefined : { label: "Undo", act: back });
  await renew();
}

/**
 * Shows them, and touches nothing while they are the same.
 * @param {HTMLElement} place
 * @param {LambdaFunction} fn
 * @param {Renew} renew
 */
export function showAliases(place, fn, renew) {
  const told = JSON.stringify([fn.aliases, fn.version]);
  if (place.dataset.told === told) return;
  place.dataset.told = told;
  const act = (/** @type {string} */ label, /** @type {string} */ alias, /** @type {() => void} */ click) =>
    allows("manage") && button(label, click, "", { "aria-label": `${label} ${alias}` });
  const remove = async (/** @type {string} */ alias) => {
    const about = "Who names it is refused from then on. Its versions stay.";
    if (!(await confirm(`Delete the alias ${alias}`, [about], { verb: `Delete ${alias}`, isBad: true }))) return;
    await trying(() => send("DELETE", functionPath(fn.name, "aliases", alias)).then(renew));
  };
  const items = Object.entries(fn.aliases).map(([alias, target]) => h("li", {}, h("span", { class: "mono" }, aliasText(alias, target)),
    h("span", { class: "end" }, act("Move", alias, () => editAlias(fn, alias, renew)), act("Delete", alias, () => remove(alias)))));
  const none = h("p", { class: "body muted" }, "An alias is a name for a version. Callers use it, and you move it.");
  const create = act("New alias", "", () => editAlias(fn, "", renew));
  replace(place, h("header", {}, h("h2", {}, "Aliases"), h("span", { class: "end" }, create)), items.length ? h("ul", { class: "aliases" }, items) : none);
}

/** @param {LambdaFunction} fn @param {string} alias empty for a new one @param {Renew} renew */
function editAlias(fn, alias, renew) {
  const before = alias ? fn.aliases[alias] : undefined;
  const { version, weights } = targetOf(before ?? fn.version);
  const [[second, share] = ["", 0], ...others] = Object.entries(weights);
  const rest = Object.fromEntries(others);
  const number = { type: "number", min: 1, max: fn.version };
  const name = h("input", { id: "alias-name", value: alias || ("live" in fn.aliases ? "" : "live"), required: true, ...PLAIN });
  const main = h("input", { id: "alias-version", ...number, value: version, required: true });
  const other = h("input", { id: "alias-second", ...number, value: second, on: { input: () => mark() } });
  const slider = h("input", { id: "alias-share", type: "range", value: Number(share) * 100, on: { input: () => mark() } });
  const shown = h("output", { for: slider.id });
  const mark = () => {
    slider.disabled = !other.value;
    setText(shown, other.value ? `${slider.value} % to v${other.value}` : "all to one");
  };
  mark();
  askInForm(alias ? `Move ${alias}` : "New alias", [
    !alias && field("Name", name), field("Version", main),
    field("Second version", other), field("Its share of executions", slider, shown),
    others.length > 0 && h("p", { class: "muted" }, `Other shares stay: ${aliasText(alias, { version, weights: rest })}.`),
  ], h("button", { class: "button main" }, alias ? "Move" : "Create"), () => {
    const shares = other.value && Number(slider.value) ? { [other.value]: Number(slider.value) / 100 } : {};
    return move(fn.name, name.value, { version: Number(main.value), weights: { ...rest, ...shares } }, renew, before);
  });
}

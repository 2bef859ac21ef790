// Saving a version, also where somebody else was faster.

import { ask, functionPath, Problem } from "../base/api.js";
import { allows } from "../base/caller.js";
import { confirm } from "../base/dialog.js";
import { h, replace } from "../base/dom.js";
import { time } from "../base/format.js";
import { bind, kbd } from "../base/keys.js";
import { toast } from "../base/toast.js";
import { diffView } from "../diff/diff.js";
import { setCrumbs } from "../frame/frame.js";
import { readCode, readFunction, told } from "./function.js";
import { functionCrumbs } from "./tabs.js";

/** @typedef {import("./function.js").LambdaFunction} LambdaFunction */
/** @typedef {import("./function.js").Content} Content */

/**
 * Saves code and config as the next version, and returns the function as it is then; null where somebody else had saved
 * one, and the caller rather goes on editing.
 * @param {LambdaFunction} fn as it was read
 * @param {Content} content
 * @param {AbortSignal} signal
 * @returns {Promise<LambdaFunction | null>}
 */
export async function saveVersion(fn, content, signal) {
  for (let seen = fn; ;) {
    try {
      return await told(await ask("PUT", functionPath(fn.name), { json: content, headers: { "If-Match": seen.etag }, signal }));
    } catch (error) {
      if (!(error instanceof Problem && error.status === 412)) throw error;
    }
    const theirs = await readFunction(fn.name, signal);
    // Where the version is the same, only an alias was moved.
    if (theirs.version !== seen.version && !(await wantsIt(theirs, content, signal))) return null;
    seen = theirs;
  }
}

/** @param {LambdaFunction} theirs @param {Content} mine @param {AbortSignal} signal */
async function wantsIt({ name, version, config, updated_at }, mine, signal) {
  const code = await readCode(name, version, signal);
  return confirm(`v${version} was saved before yours`, [
    h("p", {}, "Somebody saved it ", time(updated_at), ". What you typed stays here, whatever you choose."),
    h("div", { class: "compare" }, compare({ code, config }, mine, { before: `v${version}`, after: "yours" })),
  ], { verb: `Save as v${version + 1}`, class: "wide" });
}

/**
 * What changed of the code, and of the config.
 * @param {Content} before
 * @param {Content} after
 * @param {{ before: string, after: string }} labels
 */
export function compare(before, after, labels) {
  return [
    h("h3", {}, "Code"), diffView(before.code, after.code, labels),
    h("h3", {}, "Config"), diffView(configText(before.config), configText(after.config), labels),
  ];
}

/** A line for each field and each variable, in the order of their names. @param {Record<string, any>} config */
function configText({ environment = {}, ...config }) {
  const variables = Object.entries(environment).map(([name, value]) => [`environment.${name}`, value]);
  return [...Object.entries(config), ...variables].map(([name, value]) => `${name}: ${JSON.stringify(value)}`).sort().join("\n");
}

/**
 * The button that saves, and its key.
 * @param {AbortSignal} signal
 * @param {{
 *   isChanged: () => boolean, content: () => Content,
 *   done: (fn: LambdaFunction, stored: Content) => void, failed: (error: unknown) => void,
 * }} edited
 */
export function saver(signal, { isChanged, content, done, failed }) {
  /** @type {LambdaFunction | null} */
  let fn = null;
  let isBusy = false;
  const mark = () => {
    button.disabled = !fn || !isChanged();
    replace(button, fn ? `Save as v${fn.version + 1}` : "Save", kbd("mod+s"));
  };
  const save = async () => {
    if (isBusy || !fn || !isChanged()) return;
    isBusy = true;
    const stored = content();
    const saved = await saveVersion(fn, stored, signal).catch((error) => { if (!signal.aborted) failed(error); });
    isBusy = false;
    if (saved) {
      fn = saved;
      setCrumbs(functionCrumbs(fn.name, fn));
      toast(`Saved v${fn.version}.`);
      done(fn, stored);
    }
    mark();
  };
  const button = h("button", { class: "button", type: "button", hidden: !allows("manage"), on: { click: save } });
  mark();
  if (allows("manage")) bind("mod+s", "Save as a new version", save, { signal });
  addEventListener("beforeunload", (event) => { if (fn && isChanged()) event.preventDefault(); }, { signal });
  return { button, mark, begin(/** @type {LambdaFunction} */ now) { fn = now; mark(); } };
}

// Code and config that are being edited: checked and kept while they are typed, and saved, also where somebody else was faster.

import { allows, ask, functionPath, Problem, send } from "../base/api.js";
import { confirm } from "../base/dialog.js";
import { bind, kbd } from "../base/keys.js";
import { announce, button, bytes, h, replace, time, toast } from "../base/parts.js";
import { debounced } from "../base/poll.js";
import { diffView } from "../diff/diff.js";
import { makeEditor } from "../editor/editor.js";
import { setCrumbs } from "../frame/frame.js";
import { visible } from "../run/text.js";
import { functionCrumbs, readCode, readFunction, told } from "./function.js";

/** @typedef {import("./function.js").LambdaFunction} LambdaFunction */
/** @typedef {import("./function.js").Content} Content */
/** The version that somebody begins with. @typedef {{ version: number, etag: string }} Basis */

/**
 * What was edited and is not saved: this browser keeps it, with the version it was begun with.
 * @template T
 * @param {string} name
 * @param {Basis} fn
 */
export function draftOf(name, fn) {
  const key = `badlambda.${name}`;
  /** @type {Basis & { content: T } | null} */
  let kept = JSON.parse(localStorage.getItem(key) ?? "null");
  const basis = () => kept ?? fn;
  return {
    basis, content: () => kept?.content,
    /** @param {T | null} content null where nothing differs */
    keep(content) {
      const { version, etag } = basis();
      kept = content === null ? null : { content, version, etag };
      try {
        if (kept) localStorage.setItem(key, JSON.stringify(kept));
        else localStorage.removeItem(key);
      } catch {
        // The browser has no room left: it is kept as long as it is shown.
      }
    },
  };
}

/** Tells that something differs from what is saved, and offers to undo that. @param {Element} place @param {false | string} savedAs @param {() => void} undo */
export function showDiffers(place, savedAs, undo) {
  replace(place, savedAs && [`Differs from ${savedAs} · `, button("Undo all", undo)]);
}

/**
 * An editor for code. What is typed there is kept as the `draft` of this name. `saved` is what it differs from, and `savedAs`
 * what that is called; `config` is what it is checked with.
 * @param {{
 *   fn: Basis, draft: string, saved: string, savedAs: () => string, label: string, readOnly?: boolean, signal: AbortSignal,
 *   name: () => string, config: () => Record<string, any>, changed?: () => void,
 * }} given
 */
export function editSource({ fn, draft: draftName, saved, savedAs, label, readOnly, signal, name, config, changed = () => {} }) {
  /** @type {ReturnType<typeof draftOf<string>>} */
  const draft = draftOf(`code.${draftName}`, fn);
  const [verdict, state] = [h("span"), h("span")];
  const isChanged = () => editor.value !== saved;
  const change = (/** @type {string} */ code) => {
    draft.keep(isChanged() ? code : null);
    showDiffers(state, isChanged() && savedAs(), () => { editor.setValue(saved); editor.focus(); });
    if (!readOnly) check(code);
    changed();
  };
  const editor = makeEditor({ language: "ruby", value: draft.content() ?? saved, label, readOnly, onChange: change, signal });
  const check = checkIn(verdict, editor, name, config, signal);
  const settle = (/** @type {string} */ now) => {
    const isOwn = isChanged();
    saved = now;
    draft.keep(null);
    if (isOwn) change(editor.value);
    else editor.setValue(now);
  };
  // Once the caller has what is returned.
  queueMicrotask(() => change(editor.value));
  const foot = h("div.foot", verdict, state);
  return { editor, isChanged, settle, basis: draft.basis, elements: [editor.element, foot] };
}

/**
 * Returns what checks a text once nobody has typed for a moment. The answer stands in `place`, and its line is marked,
 * unless something was typed since.
 * @param {Element} place
 * @param {import("../editor/editor.js").Editor} editor
 * @param {() => string} name
 * @param {() => Record<string, any>} config
 * @param {AbortSignal} signal
 */
function checkIn(place, editor, name, config, signal) {
  let isMarked = false;
  return debounced(300, async (/** @type {string} */ code) => {
    /** @type {[string | Node, number | null, string]} */
    let [text, line, message] = ["", null, ""];
    try {
      const { form, code_bytes } = await send("PUT", functionPath(name()), { query: { dry_run: true }, json: { code, config: config() }, signal });
      text = `${form} form · ${bytes(code_bytes)}`;
    } catch (error) {
      if (!(error instanceof Problem && error.status === 422)) return;
      const { line: at = null, column } = error.told;
      [line, message] = [at, error.message];
      text = button(visible(message).replace(/^line/, "Line"), () => editor.goToLine(at ?? 1, column), "bad");
    }
    if (code !== editor.value) return;
    replace(place, text);
    if (line || isMarked) editor.mark(line, message);
    isMarked = Boolean(line);
    announce(message);
  });
}

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
    const { version, config, updated_at } = theirs;
    if (version !== seen.version) {
      const code = await readCode(fn.name, theirs, signal);
      const isWanted = await confirm(`v${version} was saved before yours`, [
        h("p", "Somebody saved it ", time(updated_at), ". What you typed stays here, whatever you choose."),
        h("div.stack.compare", compare({ code, config }, content, { before: `v${version}`, after: "yours" })),
      ], { verb: `Save as v${version + 1}`, class: "wide" });
      if (!isWanted) return null;
    }
    seen = theirs;
  }
}

/**
 * What changed of the code, and of the config.
 * @param {Content} before
 * @param {Content} after
 * @param {{ before: string, after: string }} labels
 */
export function compare(before, after, labels) {
  return [
    h("h3", "Code"), diffView(before.code, after.code, labels),
    h("h3", "Config"), diffView(configText(before.config), configText(after.config), labels),
  ];
}

/** @param {Record<string, any>} config */
const configText = (config) => JSON.stringify(Object.fromEntries(Object.entries(config).sort()), null, 2);

/**
 * The button that saves, and its key. The function is as it is saved from then on.
 * @param {LambdaFunction} fn
 * @param {AbortSignal} signal
 * @param {{
 *   basis?: () => Basis, content: () => Content, isChanged: () => boolean,
 *   saved: (stored: Content) => void, failed: (error: unknown) => void,
 * }} edited
 */
export function saver(fn, signal, { basis = () => fn, content, isChanged, saved, failed }) {
  let isBusy = false;
  const mark = () => {
    element.disabled = isBusy || !isChanged();
    replace(element, `Save as v${fn.version + 1}`, kbd("mod+s"));
  };
  const save = async () => {
    if (isBusy || !isChanged()) return;
    isBusy = true;
    const stored = content();
    try {
      const now = await saveVersion({ ...fn, ...basis() }, stored, signal);
      if (now) {
        Object.assign(fn, now);
        setCrumbs(functionCrumbs(fn.name, fn));
        toast(`Saved v${fn.version}.`);
        saved(stored);
      }
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
    isBusy = false;
    mark();
  };
  const element = button("", save, "", { hidden: !allows("manage") });
  if (allows("manage")) bind("mod+s", "Save as a new version", save, signal);
  return { button: element, mark };
}

// A function's code, and beside it what it does with an input.

import { functionPath, get } from "../base/api.js";
import { allows } from "../base/caller.js";
import { h, put, replace } from "../base/dom.js";
import { time } from "../base/format.js";
import { menuButton } from "../base/menu.js";
import { button } from "../base/parts.js";
import { address, go } from "../base/router.js";
import { failure } from "../base/states.js";
import { makeEditor } from "../editor/editor.js";
import { setCrumbs } from "../frame/frame.js";
import { runPane } from "../run/pane.js";
import { save as saveFile } from "../run/text.js";
import { deleteFunction } from "./ask.js";
import { checkCode } from "./check.js";
import { editInstead, unsavedCode } from "./drafts.js";
import { readCode } from "./function.js";
import { saver } from "./save.js";
import { functionCrumbs, functionView } from "./tabs.js";

/** @typedef {import("./function.js").LambdaFunction} LambdaFunction */
/** @typedef {{ left: HTMLElement, right: HTMLElement, signal: AbortSignal }} Panes */

/** @type {import("../base/router.js").Open} */
export function open(at) {
  const { parts: { name }, query, signal } = at;
  let text = () => "";
  const more = menuButton("More", () => [
    { label: "Download the code", act: () => saveFile(`${name}.rb`, text()) },
    ...(allows("manage") ? [{ label: `Delete ${name}`, act: () => deleteFunction(name) }] : []),
  ]);
  /** @type {ReturnType<typeof edit>} */
  let edited;
  const save = saver(signal, {
    isChanged: () => edited.isChanged(),
    content: () => edited.content(),
    done: (fn, { code }) => edited.settle(fn, code),
    failed: (error) => put(edited.notice, failure(error)),
  });
  return functionView("", at, [more, save.button], async (fn, left, right) => {
    const version = Number(query.get("version")) || fn.version;
    const isOld = version !== fn.version;
    const reading = isOld ? get(functionPath(name, "versions", String(version)), { signal }) : fn;
    const [shown, code] = await Promise.all([reading, readCode(name, version, signal)]);
    setCrumbs(functionCrumbs(name, fn, version));
    text = () => code;
    save.button.hidden ||= isOld;
    if (save.button.hidden) return showOnly(fn, shown, code, { left, right, signal });
    edited = edit(fn, code, { left, right, signal }, save.mark);
    text = () => edited.content().code;
    save.begin(fn);
  });
}

/**
 * The newest version, to be changed.
 * @param {LambdaFunction} fn
 * @param {string} code
 * @param {Panes} panes
 * @param {() => void} changed
 */
function edit(fn, code, { left, right, signal }, changed) {
  const unsaved = unsavedCode(fn, code, signal);
  const [notice, verdict, state] = [h("div", { class: "notices" }), h("span"), h("span")];
  const change = (/** @type {string} */ text) => {
    unsaved.change(text);
    check(text);
    mark();
  };
  const set = (/** @type {string} */ text) => {
    editor.setValue(text);
    change(text);
    editor.focus();
  };
  const editor = makeEditor({ language: "ruby", value: unsaved.text, label: `Code of ${fn.name}`, onChange: change, signal });
  const check = checkCode(editor, verdict, () => [fn.name, fn.config], signal);
  const mark = () => {
    const { isChanged, offer, saved } = unsaved;
    replace(notice, offer && [h("span", {}, "Your unsaved code of ", time(new Date(offer.at).toISOString())),
      button("Restore", () => set(unsaved.restore())), button("Drop", () => { unsaved.drop(); mark(); editor.focus(); })]);
    replace(state, isChanged && [`Differs from v${fn.version} · `, button("Undo all", () => set(saved))]);
    changed();
  };
  const content = () => ({ code: editor.value, config: fn.config });
  replace(left, notice, editor.element, h("div", { class: "foot" }, verdict, state));
  const target = () => (unsaved.isChanged ? content() : { version: fn.version });
  replace(right, runPane({ functionName: fn.name, target, signal, goToLine: editor.pointAt }).element);
  check(unsaved.text);
  mark();
  const settle = (/** @type {LambdaFunction} */ saved, /** @type {string} */ stored) => {
    fn = saved;
    unsaved.settle(fn.version, stored);
    mark();
  };
  return { notice, content, settle, isChanged: () => unsaved.isChanged };
}

/**
 * A version that can't be changed here.
 * @param {LambdaFunction} fn
 * @param {import("./function.js").Version} shown
 * @param {string} code
 * @param {Panes} panes
 */
function showOnly(fn, { version, created_at }, code, { left, right, signal }) {
  const newest = address(["functions", fn.name]);
  const editor = makeEditor({ language: "ruby", value: code, label: `Code of ${fn.name}, v${version}`, readOnly: true, signal });
  const notice = h("div", { class: "notices" }, h("span", {}, `v${version} of `, time(created_at), ", read-only"),
    allows("manage") && button("Edit as new version", () => { editInstead(fn, code); go(newest); }),
    h("a", { class: "button quiet", href: newest }, `Show v${fn.version}`));
  replace(left, version !== fn.version && notice, editor.element);
  replace(right, runPane({ functionName: fn.name, target: () => ({ version }), signal, goToLine: editor.pointAt }).element);
}

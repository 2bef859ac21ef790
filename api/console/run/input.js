// The input of a run: an editor for JSON, and the last inputs of the function.

import { functionPath, get } from "../base/api.js";
import { h } from "../base/dom.js";
import { menuButton } from "../base/menu.js";
import { debounced } from "../base/poll.js";
import { makeEditor } from "../editor/editor.js";
import { findError, LONG } from "./json.js";
import { card, clip } from "./text.js";
import { textOf } from "./value.js";

const KEY = "badlambda.inputs";
const MOST = { functions: 20, inputs: 8, length: 4000 };

/**
 * The card with the input. `take` returns it, and null where it is no JSON.
 * @param {string} name
 * @param {AbortSignal} signal
 * @param {Node[]} actions
 */
export function inputCard(name, signal, actions) {
  const { element, editor, check } = jsonEditor(keptInputs(name)[0] ?? "{}", "Input", signal);
  /** @type {string[]} */
  let last = [];
  const use = (/** @type {string} */ text) => { editor.setValue(text); check(); };
  lastInputs(name, signal).then((inputs) => {
    last = inputs;
    if (inputs.length && !keptInputs(name).length && editor.value === "{}") use(inputs[0]);
  }, () => {});
  const menu = menuButton("Last inputs", () => {
    const all = [...new Set([...keptInputs(name), ...last])];
    const items = all.map((text) => ({ label: clip(text, 80), title: clip(text, 1000), act: () => { use(text); editor.focus(); } }));
    return items.length ? items : [{ label: "None yet", act: () => {} }];
  });
  const head = h("span", { class: "end" }, actions, menu);
  return {
    head, use, element: card("Input", head, element),
    take() {
      const text = editor.value.trim() || "null";
      if (check()) return editor.focus(), null;
      keepInput(name, text);
      return text;
    },
  };
}

/** An editor for JSON that tells what is wrong as it is typed. @param {string} value @param {string} label @param {AbortSignal} signal */
export function jsonEditor(value, label, signal) {
  const wrong = h("p", { class: "wrong", role: "status" });
  const check = () => {
    const error = editor.value.trim() ? findError(editor.value) : null;
    wrong.textContent = error?.message ?? "";
    editor.mark(error?.line ?? null, error?.message);
    return error !== null;
  };
  const checkLater = debounced(300, check);
  const onChange = (/** @type {string} */ text) => { if (text.length > LONG) checkLater(); else check(); };
  const editor = makeEditor({ language: "json", value, label, onChange, signal });
  return { editor, check, element: h("div", { class: "input" }, editor.element, wrong) };
}

/** Those that were typed here, by function. @returns {Record<string, string[]>} */
function typed() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {string} name */
function keptInputs(name) {
  return typed()[name] ?? [];
}

/** @param {string} name @param {string} text */
export function keepInput(name, text) {
  if (text.length > MOST.length) return;
  const { [name]: before = [], ...others } = typed();
  const inputs = [text, ...before.filter((other) => other !== text)].slice(0, MOST.inputs);
  const kept = [...Object.entries(others), [name, inputs]].slice(-MOST.functions);
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(kept)));
  } catch {
    // There is no room left: the input runs all the same.
  }
}

/** Those of the last executions. @param {string} name @param {AbortSignal} signal */
async function lastInputs(name, signal) {
  const { executions } = await get(functionPath(name, "executions"), { query: { limit: 5 }, signal });
  const whole = await Promise.all(executions.map((/** @type {{ url: string }} */ { url }) => get(url, { signal })));
  return [...new Set(whole.filter(({ input }) => input !== null).map(({ input }) => textOf(input)))];
}

// The input of a run: an editor for JSON, and the last inputs of the function.

import { functionPath } from "../base/api.js";
import { h } from "../base/dom.js";
import { menuButton } from "../base/menu.js";
import { debounced } from "../base/poll.js";
import { makeEditor } from "../editor/editor.js";
import { askExecution, pathOf, readPage, textOf } from "./execution.js";
import { findError } from "./json.js";
import { clip } from "./text.js";

const MOST = 8;
const LONGEST = 4000;

/**
 * An editor for JSON that tells what is wrong. `take` returns its text, and null where it is no JSON.
 * @param {string} value
 * @param {string} label
 * @param {AbortSignal} signal
 */
export function jsonEditor(value, label, signal) {
  const wrong = h("p.wrong", { role: "status" });
  const check = () => {
    const error = editor.value.trim() ? findError(editor.value) : null;
    wrong.textContent = error?.message ?? "";
    editor.mark(error?.line ?? null, error?.message);
    return !error;
  };
  const editor = makeEditor({ language: "json", value, label, onChange: debounced(200, check), signal });
  return {
    editor,
    element: h("div.input", editor.element, wrong),
    take: () => (check() ? editor.value.trim() || "null" : (editor.focus(), null)),
    use(/** @type {string} */ text) {
      editor.setValue(text);
      check();
    },
  };
}

/**
 * A menu of the inputs that were typed here, and of those of the last executions. The last is used.
 * @param {string} name
 * @param {ReturnType<typeof jsonEditor>} input
 * @param {AbortSignal} signal
 */
export function lastInputs(name, { editor, use }, signal) {
  /** @type {string[]} */
  let last = [];
  const all = () => [...new Set([...keptInputs(name), ...last, "{}"])];
  const useNewest = () => { if (editor.value === "{}") use(all()[0]); };
  useNewest();
  readInputs(name, signal).then((inputs) => { last = inputs; useNewest(); }, () => {});
  const choose = (/** @type {string} */ text) => { use(text); editor.focus(); };
  return menuButton("Last inputs", () => all().map((text) => ({ label: clip(text, 80), act: () => choose(text) })));
}

/** @param {string} name */
const keyOf = (name) => `badlambda.inputs.${name}`;

/** @param {string} name @returns {string[]} */
function keptInputs(name) {
  return JSON.parse(localStorage.getItem(keyOf(name)) ?? "[]");
}

/** @param {string} name @param {string} text */
export function keepInput(name, text) {
  if (text.length > LONGEST) return;
  const others = keptInputs(name).filter((other) => other !== text);
  try {
    localStorage.setItem(keyOf(name), JSON.stringify([text, ...others].slice(0, MOST)));
  } catch {
    // There is no room left: the input runs all the same.
  }
}

/** Those of the last executions. @param {string} name @param {AbortSignal} signal */
async function readInputs(name, signal) {
  const { executions } = await readPage(functionPath(name, "executions"), { query: { limit: 5 }, signal });
  const whole = await Promise.all(executions.map((execution) => askExecution("GET", pathOf(execution), { signal })));
  return whole.flatMap((execution) => textOf(execution, "input") ?? []);
}

// Whether code is Ruby: the API says so while it is typed.

import { functionPath, Problem, send } from "../base/api.js";
import { announce, h, replace } from "../base/dom.js";
import { bytes } from "../base/format.js";
import { debounced } from "../base/poll.js";
import { visible } from "../run/text.js";

/**
 * Returns what checks a text once nobody has typed for a moment. The newest answer counts: it stands in `place`, and its
 * line is marked.
 * @param {import("../editor/editor.js").Editor} editor
 * @param {Element} place
 * @param {() => [string, Record<string, any>]} about the function's name and config
 * @param {AbortSignal} signal
 */
export function checkCode(editor, place, about, signal) {
  let asking = new AbortController();
  let isMarked = false;
  const show = (/** @type {string | Node} */ verdict, /** @type {any} */ problem) => {
    replace(place, verdict);
    if (problem?.told.line || isMarked) editor.mark(problem?.told.line ?? null, problem?.message);
    isMarked = Boolean(problem?.told.line);
    if (problem) announce(problem.message);
  };
  return debounced(300, async (/** @type {string} */ code) => {
    asking.abort();
    asking = new AbortController();
    const [name, config] = about();
    try {
      const options = { query: { dry_run: true }, json: { code, config }, signal: AbortSignal.any([signal, asking.signal]) };
      const fn = await send("PUT", functionPath(name), options);
      const turns = /[\u202a-\u202e\u2066-\u2069]/.test(code) ? " · Unseen characters turn the direction of text in it." : "";
      show(`${fn.form} form · ${bytes(fn.code_bytes)}${turns}`, null);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 422) return;
      const { line, column } = error.told;
      const text = visible(line ? `Line ${line}, column ${column}: ${error.errors[0]?.detail ?? error.message}` : error.message);
      show(h("button", { class: "bad", type: "button", on: { click: () => editor.goToLine(line ?? 1, column) } }, text), error);
    }
  });
}

// Where a function is tried: its input, the button that runs it, and what comes of it.

/** @import { Execution } from "./execution.js" */
/** @import { Request } from "./submit.js" */
import { functionPath, get, Problem } from "../base/api.js";
import { allows } from "../base/caller.js";
import { h, replace } from "../base/dom.js";
import { bind, kbd } from "../base/keys.js";
import { empty, failure } from "../base/states.js";
import { inputCard } from "./input.js";
import { outcome } from "./outcome.js";
import { cancelButton, newKey, submit } from "./submit.js";
import { textOf } from "./value.js";

/** @typedef {{ version: number | null } | { code: string, config: object }} Target */

/** @typedef {(line: number | null, message?: string) => void} GoToLine */

/** @param {{ functionName: string, target: () => Target, signal: AbortSignal, goToLine: GoToLine, actions?: Node[] }} options */
export function runPane({ functionName, target, signal, goToLine, actions = [] }) {
  const input = inputCard(functionName, signal, actions);
  const came = h("div", { class: "outcome" }, empty("Run the function: what comes of it stands here."));
  const cancel = cancelButton();
  let before = new AbortController();

  /** What comes next stands in place of what was there. */
  function begin() {
    goToLine(null);
    before.abort();
    before = new AbortController();
    const ends = AbortSignal.any([signal, before.signal]);
    const result = outcome({ signal: ends, goToLine });
    replace(came, result.element);
    return { result, ends };
  }

  const run = () => {
    const text = input.take();
    if (text !== null) follow(requestOf(functionName, target(), text), text);
  };

  /** @param {Request} request @param {string} text */
  async function follow(request, text) {
    const { result, ends } = begin();
    try {
      await submit(request, { result, functionName, input: text, cancel, signal: ends });
    } catch (error) {
      if (ends.aborted) return;
      replace(came, failure(error, () => follow(request, text)));
      if (error instanceof Problem && error.told.line && error.type === "syntax_error") goToLine(error.told.line, error.message);
    }
  }

  const showExecution = (/** @type {Execution} */ execution) => {
    if (execution.input !== null) input.use(textOf(execution.input));
    begin().result.show(execution);
  };
  if (allows("execute")) {
    bind("mod+Enter", "Run", run, { signal });
    input.head.append(cancel, h("button", { class: "button main", type: "button", on: { click: run } }, "Run", kbd("mod+Enter")));
  }
  // The address of the code may name an execution of it.
  const id = new URLSearchParams(location.hash.split("?")[1]).get("execution");
  if (id) get(functionPath(functionName, "executions", id), { signal }).then(showExecution, (error) => replace(came, failure(error)));
  return { element: h("div", { class: "outcome" }, input.element, came), run, showExecution };
}

/**
 * The input goes into the body as it was typed, so that its numbers stay as they are.
 * @param {string} name
 * @param {Target} target
 * @param {string} text
 * @returns {Request}
 */
function requestOf(name, target, text) {
  const headers = newKey();
  if ("version" in target) return { path: functionPath(name, "executions"), options: { text, query: { version: target.version }, headers } };
  const body = `{"code":${JSON.stringify(target.code)},"config":${JSON.stringify(target.config)},"input":${text}}`;
  return { path: "/v1/run", options: { text: body, headers: { ...headers, "Content-Type": "application/json" } } };
}

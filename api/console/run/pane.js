// Where a function is tried: its input, the button that runs it, and what comes of it.

/** @import { Execution, GoToLine } from "./execution.js" */
/** @import { Timings } from "./stations.js" */
import { allows, functionPath } from "../base/api.js";
import { bind, kbd } from "../base/keys.js";
import { announce, button, card, empty, failure, h, replace, toast } from "../base/parts.js";
import { turns } from "../base/poll.js";
import { askExecution, isFinal, newKey, pathOf, watch } from "./execution.js";
import { jsonEditor, keepInput, lastInputs } from "./input.js";
import { outcome } from "./outcome.js";

/** @typedef {{ version: number | null } | { code: string, config: object }} Target */

/** What stands there until the API has answered. @type {any} */
const SENDING = { status: "sending", version: null };

/** @param {{ functionName: string, target: () => Target, signal: AbortSignal, goToLine: GoToLine }} options */
export function runPane({ functionName, target, signal, goToLine }) {
  const requestOf = (/** @type {string} */ text) => {
    keepInput(functionName, text);
    return requestFor(functionName, target(), text);
  };
  const { input, head, place, follow, element } = runner({ title: "Input", name: "Input", value: "{}", label: "Run", requestOf, signal, goToLine });
  head.prepend(lastInputs(functionName, input, signal));
  place.append(empty("Run the function: what comes of it stands here."));
  // The address of the code may name an execution of it.
  const id = new URLSearchParams(location.hash.split("?")[1]).get("execution");
  if (id) follow((signal) => askExecution("GET", functionPath(functionName, "executions", id), { signal }));
  return { element: h("div.stack", element, place) };
}

/**
 * Path and body. The input goes into the body as it was typed, so that its numbers stay as they are.
 * @param {string} name
 * @param {Target} target
 * @param {string} text
 * @returns {[string, string]}
 */
function requestFor(name, target, text) {
  if ("code" in target) return ["/v1/run", `{"code":${JSON.stringify(target.code)},"config":${JSON.stringify(target.config)},"input":${text}}`];
  const path = functionPath(name, "executions");
  return [target.version ? `${path}?version=${target.version}` : path, text];
}

/**
 * `requestOf` makes path and body of the input; `ended` is told of what is final.
 * @typedef {{
 *   title: string, name: string, value: string, label: string, requestOf: (text: string) => [string, string], signal: AbortSignal,
 *   goToLine?: GoToLine, ended?: (execution: Execution, signal: AbortSignal) => Promise<void>,
 * }} Runner
 */

/** A card with an input, what runs it and what cancels it, and the place where the outcome stands. @param {Runner} options */
export function runner(options) {
  const { title, name, value, label, requestOf, signal } = options;
  const input = jsonEditor(value, name, signal);
  const [place, head] = [h("div.stack"), h("span.end")];
  const cancel = cancelButton();
  const follow = follower(place, cancel, options);
  const run = () => {
    const text = input.take();
    if (text === null) return;
    announce("running");
    const [path, body] = requestOf(text);
    const headers = { ...newKey(), "Content-Type": "application/json" };
    follow((signal) => askExecution("POST", path, { text: body, headers, signal }), true);
  };
  if (allows("execute")) {
    head.append(cancel.element, button([label, kbd("mod+Enter")], run, "main"));
    bind("mod+Enter", label, run, signal);
  }
  return { input, head, place, follow, element: card(title, head, input.element) };
}

/**
 * Follows one execution after the other: each stands in place of the one before. `isNew` says that `ask` sends it.
 * @param {Element} place
 * @param {ReturnType<typeof cancelButton>} cancel
 * @param {Runner} options
 */
function follower(place, cancel, { signal, goToLine, ended }) {
  const next = turns(signal);
  return async function follow(/** @type {(signal: AbortSignal) => Promise<Execution>} */ ask, isNew = false) {
    const ends = next();
    const result = outcome({ signal: ends, goToLine });
    /** @type {Timings | undefined} */
    const timings = isNew ? { pressed: performance.now() } : undefined;
    let latest = SENDING;
    const show = (/** @type {Execution} */ execution) => {
      latest = execution;
      if (timings && isFinal(execution)) timings.told ??= performance.now();
      cancel.offer(execution, show);
      result.show(execution, timings);
    };
    goToLine?.(null);
    replace(place, result.element);
    try {
      if (timings) show(SENDING);
      const execution = await ask(ends);
      if (timings) timings.sent = performance.now();
      show(execution);
      if (!isFinal(execution)) await watch(execution, { signal: ends, show, addLogs: result.addLogs });
      announce([latest.status, latest.error?.kind].join(" "));
      await ended?.(latest, ends);
    } catch (/** @type {any} */ error) {
      if (ends.aborted) return;
      cancel.offer(SENDING, show);
      replace(place, failure(error, () => follow(ask, isNew)));
      if (error.told?.line) goToLine?.(error.told.line, error.message);
    }
  };
}

/** A button that cancels what it was offered for last, while that is not final. */
export function cancelButton() {
  const element = h("button.button", { type: "button", hidden: true }, "Cancel");
  return {
    element,
    /** @param {Execution} execution @param {(execution: Execution) => void} show */
    offer(execution, show) {
      const isOver = !execution.id || isFinal(execution) || !allows("execute");
      element.hidden = isOver;
      element.onclick = () => isOver || askExecution("DELETE", pathOf(execution), {}).then(show, ({ message }) => toast(message));
    },
  };
}

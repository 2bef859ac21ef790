// An execution: its stations, input and outcome, live until it is final; and what comes of it when it runs again.

/** @import { Execution, Name } from "../run/execution.js" */
import { allows, Problem } from "../base/api.js";
import { bind } from "../base/keys.js";
import { address, empty, failure, go, h, link, replace, skeleton } from "../base/parts.js";
import { sleep } from "../base/poll.js";
import { askExecution, exactText, isFinal, pathOf, watch } from "../run/execution.js";
import { outcome, replayAddress } from "../run/outcome.js";
import { replayCard } from "../run/replay.js";
import { cancelButton } from "../run/pane.js";
import { valueCard, valueView } from "../run/value.js";

/** @typedef {{ body: Element, cancel: ReturnType<typeof cancelButton>, signal: AbortSignal, replays: boolean }} View */

/** An execution that no worker has told of is asked for again, ever more seldom, for about a minute: in ms. */
const FIRST_PAUSE = 2000;
const LAST_PAUSE = 20_000;

/** @type {import("../base/router.js").Open} */
export function open({ parts: { name, id }, query, signal }) {
  const body = h("div", skeleton());
  const cancel = cancelButton();
  const load = () => follow({ function: name, id }, { body, cancel, signal, replays: query.has("replay") }).catch((error) => {
    if (!signal.aborted) replace(body, failure(error, load));
  });
  load();
  const steps = name.startsWith("_") ? [["Executions", "executions"]]
    : [["Functions", "functions"], [name, "functions", name], ["Executions", "functions", name, "executions"]];
  const [, ...list] = steps[steps.length - 1];
  bind("Escape", "Back to the list", () => go(address(list)), signal);
  const crumbs = steps.flatMap(([label, ...parts]) => [link(parts, label), h("span", " / ")]);
  return { crumbs: [...crumbs, id], title: id, actions: [cancel.element], body, place: "executions", padded: true };
}

/** Shows the execution until it is final. @param {Name} asked @param {View} view */
async function follow(asked, { body, cancel, signal, replays }) {
  const found = await find(asked, body, signal);
  const result = outcome({ signal });
  const right = h("div.stack");
  replace(body, h("div.execution", result.element, right));
  let shown = "";
  const show = (/** @type {Execution} */ execution) => {
    cancel.offer(execution, show);
    result.show(execution);
    if (shown === execution.status) return;
    shown = execution.status;
    replace(right, valueCard("Input", null, signal, () => inputOf(execution, signal)));
    if (!isFinal(execution) || !allows("execute")) return;
    bind("r", "Replay", () => go(replayAddress(execution)), signal);
    if (replays) addReplay(execution, right, signal);
  };
  show(found);
  if (!isFinal(found)) await watch(found, { signal, show, addLogs: result.addLogs });
}

/** @param {Execution} execution @param {Element} right @param {AbortSignal} signal */
async function addReplay(execution, right, signal) {
  const text = await exactText(execution, "input", signal).catch(() => "null");
  const { input, element, place } = replayCard(execution, text, signal);
  right.append(element, place);
  input.editor.focus();
}

/**
 * The execution, once the API knows of it. One that was sent to the queue directly is not known until a worker has it.
 * @param {Name} asked
 * @param {Element} body
 * @param {AbortSignal} signal
 * @returns {Promise<Execution>}
 */
async function find(asked, body, signal) {
  for (let pause = FIRST_PAUSE; ; pause *= 1.5) {
    try {
      return await askExecution("GET", pathOf(asked), { signal });
    } catch (error) {
      if (pause > LAST_PAUSE || !(error instanceof Problem && / yet\b/.test(error.message))) throw error;
      replace(body, empty(`No worker has told of ${asked.id} yet. If it was sent to the queue directly, it shows here once a worker has taken it.`));
      await sleep(pause, signal);
    }
  }
}

/** What was put in, or why that is not at hand. @param {Execution} execution @param {AbortSignal} signal */
async function inputOf(execution, signal) {
  const note = (/** @type {string} */ why) => h("p.muted", why);
  if (execution.input === null && !isFinal(execution)) return note("The input shows here once the execution has ended.");
  if (execution.input === null && !execution.started_at) return note("The input was not kept: no worker has run this.");
  return exactText(execution, "input", signal).then((text) => valueView(text, "input"), ({ message }) => note(message));
}

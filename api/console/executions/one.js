// An execution: its stations, input and outcome, live until it is final; and what comes of it when it runs again.

/** @import { Execution, Name } from "../run/execution.js" */
import { functionPath, get, Problem } from "../base/api.js";
import { allows } from "../base/caller.js";
import { h, replace } from "../base/dom.js";
import { bind } from "../base/keys.js";
import { sleep } from "../base/poll.js";
import { address, rewrite } from "../base/router.js";
import { empty, failure, skeleton } from "../base/states.js";
import { exactText, isFinal, pathOf, watch } from "../run/execution.js";
import { outcome } from "../run/outcome.js";
import { replayCard } from "../run/replay.js";
import { cancelOne } from "../run/submit.js";
import { card } from "../run/text.js";
import { textOf, valueView } from "../run/value.js";

/** @type {import("../base/router.js").Open} */
export function open({ parts: { name, id }, query, signal }) {
  const body = h("div", {}, skeleton());
  const cancel = h("button", { class: "button", type: "button", hidden: true }, "Cancel");
  const load = () => follow({ function: name, id }, { body, cancel, signal, replays: query.has("replay") }).catch((error) => {
    if (!signal.aborted) replace(body, failure(error, load));
  });
  load();
  const steps = [["Functions", "functions"], [name, "functions", name], ["Executions", "functions", name, "executions"]];
  const links = name.startsWith("_") ? [["Executions", "executions"]] : steps;
  const crumbs = links.flatMap(([label, ...parts]) => [h("a", { href: address(parts) }, label), h("span", {}, " / ")]);
  return { crumbs: [...crumbs, id], title: id, actions: [cancel], body, place: "executions", padded: true };
}

/**
 * Shows the execution until it is final.
 * @param {Name} asked
 * @param {{ body: Element, cancel: HTMLElement, signal: AbortSignal, replays: boolean }} view
 */
async function follow(asked, { body, cancel, signal, replays }) {
  const found = await find(asked, body, signal);
  const [result, input] = [outcome({ signal }), inputCard(signal)];
  const right = h("div", { class: "outcome" }, input.element);
  const place = h("div", { class: "execution" }, result.element, right);
  replace(body, place);
  let isOver = false;
  const show = (/** @type {Execution} */ execution) => {
    cancel.hidden = isFinal(execution) || !allows("execute");
    result.show(execution);
    input.show(execution);
    if (!isFinal(execution) || isOver || !allows("execute")) return;
    isOver = true;
    const replay = async () => {
      if (!right.querySelector("textarea")) {
        const { elements, compared } = replayCard(execution, (await input.text()) ?? "null", signal);
        right.append(...elements);
        place.append(compared);
        rewrite(address(["functions", asked.function, "executions", asked.id], { replay: "1" }));
      }
      right.querySelector("textarea")?.focus();
    };
    bind("r", "Replay", replay, { signal });
    if (replays) replay();
  };
  cancel.onclick = async () => {
    const cancelled = await cancelOne(asked);
    if (cancelled) show(cancelled);
  };
  show(found);
  if (!isFinal(found)) await watch(found, { signal, show, addLogs: result.addLogs });
}

/**
 * The execution, once the API knows of it. One that was sent to the queue directly is not known until a worker has it.
 * @param {Name} asked
 * @param {Element} body
 * @param {AbortSignal} signal
 * @returns {Promise<Execution>}
 */
async function find(asked, body, signal) {
  for (;;) {
    try {
      return await get(pathOf(asked), { signal });
    } catch (error) {
      if (!(error instanceof Problem) || error.type !== "execution_not_found" || !/ yet\b/.test(error.message)) throw error;
      if (!body.querySelector(".empty")) {
        const all = h("a", { class: "button", href: address(["executions"]) }, "Show all executions");
        replace(body, empty(`No worker has told of ${asked.id} yet. If it was sent to the queue directly, it shows here once a worker has taken it.`, all));
      }
      await sleep(2000, signal);
      signal.throwIfAborted();
    }
  }
}

/** @param {AbortSignal} signal */
function inputCard(signal) {
  const body = h("div", { class: "body" }, skeleton(2));
  /** @type {Promise<string | null> | null} */
  let loaded = null;
  const load = async (/** @type {Execution} */ execution) => {
    try {
      const reason = await whyNotKept(execution, signal);
      if (reason) return say(`The input was not kept: ${reason}.`);
      const text = (await exactText(execution, "input", signal))?.text ?? textOf(execution.input);
      replace(body, valueView(undefined, { text, name: "input" }));
      return text;
    } catch (error) {
      if (!signal.aborted) replace(body, failure(error));
      return null;
    }
  };
  const say = (/** @type {string} */ what) => {
    replace(body, h("p", { class: "muted" }, what));
    return null;
  };
  return {
    element: card("Input", [], body),
    show(/** @type {Execution} */ execution) {
      if (isFinal(execution) || execution.input !== null) loaded ??= load(execution);
      else say("The input shows here once the execution has ended.");
    },
    text: async () => loaded,
  };
}

/** Null is an input, too, and stands for one that is too large for the record. @param {Execution} execution @param {AbortSignal} signal */
async function whyNotKept({ input, started_at: started, function: name, version }, signal) {
  if (input !== null) return null;
  if (!started) return "no worker has run this";
  const { config } = version ? await get(functionPath(name, "versions", String(version)), { signal }) : { config: null };
  return config?.keep_input === false ? "keep_input is false" : null;
}

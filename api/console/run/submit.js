// Asks for an execution, and shows what becomes of it until it is final.

/** @import { Options } from "../base/api.js" */
/** @import { Execution, Name } from "./execution.js" */
/** @import { Outcome } from "./outcome.js" */
/** @import { Timings } from "./stations.js" */
import { send } from "../base/api.js";
import { announce, h } from "../base/dom.js";
import { duration } from "../base/format.js";
import { kbd } from "../base/keys.js";
import { toast } from "../base/toast.js";
import { isFinal, pathOf, watch } from "./execution.js";

/** @typedef {{ path: string, options: Options }} Request */

/** What stands there until the API has answered. */
const NOTHING = {
  id: "", version: null, status: "sending", attempts: 0, submitted_at: "", started_at: null, finished_at: null, usage: null, error: null,
};

/**
 * Sends, and returns the execution once it is final. `cancel` is a button that shows meanwhile; Escape does the same.
 * @param {Request} request
 * @param {{ result: Outcome, functionName: string, input: string, cancel: HTMLButtonElement, signal: AbortSignal }} shown
 */
export async function submit({ path, options }, { result, functionName, input, cancel, signal }) {
  /** @type {Timings} */
  const timings = { pressed: performance.now(), input };
  const over = new AbortController();
  const ends = AbortSignal.any([signal, over.signal]);
  /** @type {Execution} */
  let latest = { ...NOTHING, function: functionName };
  let isUnwanted = false;
  const show = (/** @type {Execution} */ execution) => {
    latest = execution;
    if (isFinal(execution)) timings.told ??= performance.now();
    result.show(execution, timings);
  };
  const stop = async () => {
    isUnwanted = true;
    const cancelled = latest.id && (await cancelOne(latest));
    if (!cancelled) return;
    show(cancelled);
    over.abort();
  };
  offerCancel(cancel, stop, ends);
  show(latest);
  announce("running");
  try {
    const sent = await send("POST", path, { ...options, signal });
    timings.sent = performance.now();
    show(sent);
    if (isUnwanted) await stop();
    const watching = isFinal(latest) ? null : watch(latest, { signal: ends, show, addLogs: result.addLogs });
    await watching?.catch((error) => { if (!isFinal(latest)) throw error; });
    announce(`${latest.status}${latest.error ? `, ${latest.error.kind}` : ""}, ${duration(latest.usage?.wall_ms)}`);
    return latest;
  } finally {
    over.abort();
  }
}

/** Offers to cancel, until the signal aborts. @param {HTMLButtonElement} button @param {() => void} stop @param {AbortSignal} signal */
function offerCancel(button, stop, signal) {
  Object.assign(button, { onclick: stop, hidden: false });
  // Editors keep Escape to themselves; dialogs and menus close by it.
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && !document.querySelector("dialog[open], :popover-open")) stop();
  }, { capture: true, signal });
  signal.addEventListener("abort", () => {
    if (button.onclick !== stop) return;
    if (document.activeElement === button) /** @type {HTMLElement | null} */ (button.nextElementSibling)?.focus();
    button.hidden = true;
  });
}

/** With the same key, it is the same execution. */
export function newKey() {
  return { "Idempotency-Key": crypto.getRandomValues(new Uint32Array(4)).join("-") };
}

/**
 * Returns what the execution is then; nothing where it could not be cancelled.
 * @param {Name} execution
 * @returns {Promise<Execution | undefined>}
 */
export async function cancelOne(execution) {
  try {
    return await send("DELETE", pathOf(execution));
  } catch (error) {
    toast(error instanceof Error ? error.message : "It could not be cancelled.");
  }
}

/** A button for `submit`. */
export function cancelButton() {
  return h("button", { class: "button", type: "button", hidden: true }, "Cancel", kbd("Escape"));
}

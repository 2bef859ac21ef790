// An execution, as the API tells of it; how it is watched, and how the parts are fetched that its record lacks.

import { ask, events, functionPath } from "../base/api.js";

/** @typedef {{ kind: string, type: string | null, message: string, backtrace: string[] }} Failure */
/** @typedef {{ wall_ms: number, cpu_ms: number, max_rss_bytes: number }} Usage */
/** @typedef {{ function: string, id: string }} Name */
/**
 * @typedef {Name & { version: number | null, status: string, submitted_at: string, started_at: string | null, finished_at: string | null,
 *   attempts: number, usage: Usage | null, error: Failure | null, [more: string]: any }} Execution
 */

const WHOLE = 1024 * 1024;
const BEGINNING = 64 * 1024;
/** Numbers that JavaScript may have rounded. */
const INEXACT = /\d(?:\.?\d){15}|\d[eE]/;

/** @param {{ status: string }} execution */
export function isFinal({ status }) {
  return ["succeeded", "failed", "cancelled"].includes(status);
}

/** @param {Name} execution @param {...string} below */
export function pathOf(execution, ...below) {
  return functionPath(execution.function, "executions", execution.id, ...below);
}

/**
 * Listens until the execution is final.
 * @param {Name} execution
 * @param {{ signal: AbortSignal, show: (execution: Execution) => void, addLogs: (text: string, offset: number) => void }} listener
 */
export async function watch(execution, { signal, show, addLogs }) {
  for await (const { event, data } of events(pathOf(execution, "events"), { signal })) {
    if (event === "logs") addLogs(data.text, data.offset);
    if (event !== "status") continue;
    show(data);
    if (isFinal(data)) return;
  }
}

/**
 * The text of an input or a result, to the digit; null where the value that the record has says the same.
 * @param {Execution} execution
 * @param {"input" | "result"} part
 * @param {AbortSignal} signal
 */
export async function exactText(execution, part, signal) {
  const value = execution[part] ?? null;
  return value !== null && !INEXACT.test(JSON.stringify(value)) ? null : fetchText(execution, part, signal);
}

/**
 * The text of a part: up to 1 MiB of it, or the first 64 KiB of a result that is larger.
 * @param {Execution} execution
 * @param {"input" | "result" | "logs"} part
 * @param {AbortSignal} signal
 */
export async function fetchText(execution, part, signal) {
  const most = part === "result" && execution.result_bytes > WHOLE ? BEGINNING : WHOLE;
  const { body } = await ask("GET", pathOf(execution, part), { query: { redirect: "false" }, signal });
  const reader = /** @type {NonNullable<typeof body>} */ (body).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { text, isCut: false };
    text += value;
    if (text.length <= most) continue;
    reader.cancel().catch(() => {});
    return { text: text.slice(0, most), isCut: true };
  }
}

// An execution, as the API tells of it; how it is watched, and how the parts are fetched that its record lacks.

import { ask, events, functionPath } from "../base/api.js";

/** @typedef {{ kind: string, type: string | null, message: string, backtrace: string[] }} Failure */
/** @typedef {{ wall_ms: number, cpu_ms: number, max_rss_bytes: number }} Usage */
/** @typedef {{ function: string, id: string }} Name */
/**
 * @typedef {Name & { version: number | null, status: string, submitted_at: string, started_at: string | null, finished_at: string | null,
 *   attempts: number, usage: Usage | null, error: Failure | null, [more: string]: any }} Execution
 */
/** @typedef {(line: number | null, message?: string) => void} GoToLine marks a line that failed with this message; without one, goes there */

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

/** With the same key, it is the same execution. */
export function newKey() {
  return { "Idempotency-Key": crypto.getRandomValues(new Uint32Array(4)).join("-") };
}

/**
 * Listens until the execution is final, and tells all of its logs; also where it has ended before.
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

/** The JSON of an input or a result that the record holds; null where it is to be fetched to be exact. @param {any} value */
export function textOf(value) {
  try {
    const text = JSON.stringify(value ?? null);
    return text === "null" || INEXACT.test(text) ? null : text;
  } catch {
    // It is nested too deeply.
    return null;
  }
}

/** The text of an input or a result, to the digit. @param {Execution} execution @param {"input" | "result"} part @param {AbortSignal} signal */
export async function exactText(execution, part, signal) {
  return textOf(execution[part]) ?? fetchText(execution, part, signal);
}

/** @param {Execution} execution @param {"input" | "result" | "logs"} part @param {AbortSignal} signal */
export async function fetchText(execution, part, signal) {
  return (await ask("GET", pathOf(execution, part), { query: { redirect: false }, signal })).text();
}

// An execution, as the API tells of it; how it is watched, and how the parts are fetched that its record lacks.

import { ask, functionPath } from "../base/api.js";
import { events } from "../base/stream.js";
import { entries, members } from "./json.js";

/** @typedef {{ kind: string, type: string | null, message: string, backtrace: string[] }} Failure */
/** @typedef {{ wall_ms: number, cpu_ms: number, max_rss_bytes: number }} Usage */
/** @typedef {{ function: string, id: string }} Name */
/**
 * @typedef {Name & { version: number | null, status: string, submitted_at: string, started_at: string | null, finished_at: string | null,
 *   attempts: number, usage: Usage | null, error: Failure | null, texts: Record<string, string>, [more: string]: any }} Execution
 */
/** @typedef {(line: number | null, message?: string) => void} GoToLine marks a line that failed with this message; without one, goes there */

/** @param {{ status: string }} execution */
export function isFinal({ status }) {
  return ["succeeded", "failed", "cancelled"].includes(status);
}

/** @param {Name} execution @param {...string} below */
export function pathOf(execution, ...below) {
  return functionPath(execution.function, "executions", execution.id, ...below);
}

/** An execution, with the texts of what its record holds: JavaScript rounds numbers. @param {string} text @returns {Execution} */
export function readExecution(text) {
  return { ...JSON.parse(text), texts: members(text) };
}

/** Asks for an execution, or makes one. @param {string} method @param {string} path @param {import("../base/api.js").Options} options */
export async function askExecution(method, path, options) {
  return readExecution(await (await ask(method, path, options)).text());
}

/** A page of a list of executions. @typedef {{ executions: Execution[], next: string | null }} Page */

/** Reads a page, whose results are null where they are long. @param {string} path @param {import("../base/api.js").Options} options @returns {Promise<Page>} */
export async function readPage(path, options) {
  const { executions, next } = members(await (await ask("GET", path, options)).text());
  return { executions: [...entries(executions, 0)].map(({ start, end }) => readExecution(executions.slice(start, end))), next: JSON.parse(next) };
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
    if (event === "logs") {
      const { text, offset } = JSON.parse(data);
      addLogs(text, offset);
    }
    if (event !== "status") continue;
    const now = readExecution(data);
    show(now);
    if (isFinal(now)) return;
  }
}

/** The JSON of an input or a result, to the digit; null where the record does not hold it. @param {Execution} execution @param {"input" | "result"} part */
export function textOf({ texts }, part) {
  return texts[part] === "null" ? null : texts[part];
}

/** The same, fetched where the record does not hold it. @param {Execution} execution @param {"input" | "result"} part @param {AbortSignal} signal */
export async function exactText(execution, part, signal) {
  return textOf(execution, part) ?? fetchText(execution, part, signal);
}

/** @param {Execution} execution @param {"input" | "result" | "logs"} part @param {AbortSignal} signal */
export async function fetchText(execution, part, signal) {
  return (await ask("GET", pathOf(execution, part), { query: { redirect: false }, signal })).text();
}

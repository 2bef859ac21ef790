// Which function an execution is of, where only its id is known.

import { readPage } from "../run/execution.js";
import { functionNames, learnNames } from "./names.js";

/** The digits of ids; `toString(32)` has others from 18 on. */
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
/** An id of the API: what checks it, together with its function's name, stands behind the rest. */
const ISSUED = /^([0-9a-hjkmnp-tv-z]{23})([0-9a-hjkmnp-tv-z]{8})$/;

/** Whether it looks as an execution's id does: one of the API's, or a message's. @param {string} text */
export function isId(text) {
  return ISSUED.test(text) || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/**
 * The functions that may have an execution of this id: one where the id or the newest executions tell; else all, since to ask
 * each would fill the browser's log with what was not found.
 * @param {string} id @param {AbortSignal} signal
 */
export async function findExecution(id, signal) {
  const { executions } = await readPage("/v1/executions", { query: { limit: 1000 }, signal });
  const found = executions.find((execution) => execution.id === id);
  if (found) return [found.function];
  await learnNames();
  const names = ["_run", ...functionNames()];
  const [, body, check] = ISSUED.exec(id) ?? [];
  // A page that came without TLS, from elsewhere, has no digests.
  if (!body || !crypto.subtle) return names;
  const checks = await Promise.all(names.map((name) => checkOf(name, body)));
  return names.filter((_, at) => checks[at] === check);
}

/** What checks an id, as the API makes it (`shared/src/execution/id.rs`). @param {string} name @param {string} body */
async function checkOf(name, body) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`badlambda execution id\0${name}\0${body}`));
  const number = new Uint8Array(digest).slice(0, 5).reduce((number, byte) => number * 256 + byte, 0);
  return number.toString(32).padStart(8, "0").replace(/./g, (digit) => DIGITS[parseInt(digit, 32)]);
}

// Who the API takes this page for, and what that allows.

import { get } from "./api.js";

/** @typedef {"read" | "execute" | "manage"} Scope */
/** @typedef {{ name: string | null, scopes: Scope[], functions: string[] | null, per_second: number | null }} Caller */

/** @type {Caller} */
let caller = { name: null, scopes: [], functions: null, per_second: null };

/** Asks the API. */
export async function learnCaller() {
  caller = await get("/v1/token");
}

/**
 * Whether the caller may use what needs this scope. What is not allowed is not shown.
 * @param {Scope} scope
 */
export function allows(scope) {
  return caller.scopes.includes(scope);
}

/** The caller. */
export function who() {
  return caller;
}

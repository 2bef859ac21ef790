// A function as the API tells of it, and the numbers that are made of it.

import { ask, functionPath } from "../base/api.js";
import { percent } from "../base/format.js";

/** @typedef {{ version: number, weights: Record<string, number> }} Target */
/** @typedef {{ version: number, code_bytes: number, form: string, config: Record<string, any>, created_at: string }} Version */
/** @typedef {Version & { name: string, aliases: Record<string, number | Target>, updated_at: string, etag: string }} LambdaFunction */
/** @typedef {{ code: string, config: Record<string, any> }} Content */
/** @typedef {{ succeeded: number, failed: number, cancelled: number, run_ms: { p50: number, p99: number } | null }} Ended */

/**
 * The function that an answer tells of, with its entity tag.
 * @param {Response} response
 * @returns {Promise<LambdaFunction>}
 */
export async function told(response) {
  return { ...(await response.json()), etag: response.headers.get("etag") };
}

/** @param {string} name @param {AbortSignal} signal */
export async function readFunction(name, signal) {
  return told(await ask("GET", functionPath(name), { signal }));
}

/** @param {string} name @param {number} version @param {AbortSignal} signal */
export async function readCode(name, version, signal) {
  return (await ask("GET", functionPath(name, "versions", String(version), "code"), { signal })).text();
}

/** What an alias points at. @param {number | Target} target @returns {Target} */
export function targetOf(target) {
  return typeof target === "number" ? { version: target, weights: {} } : target;
}

/** As `live → 6 (10 % 7)`. @param {string} alias @param {number | Target} target */
export function aliasText(alias, target) {
  const { version, weights } = targetOf(target);
  const shares = Object.entries(weights).map(([other, share]) => `${percent(share)} ${other}`).join(", ");
  return `${alias} → ${version}${shares && ` (${shares})`}`;
}

/** @param {Ended | undefined} of */
export function failureRate(of) {
  return of && of.succeeded + of.failed ? percent(of.failed / (of.succeeded + of.failed)) : "–";
}

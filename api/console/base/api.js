// Requests to the API, and what it allows whoever uses this page.

import { queryText } from "./router.js";
import { askForToken, token } from "./token.js";

/** Who wants to know whether the API can be reached: event "change", with `detail` true or false. */
export const reachability = new EventTarget();
let reachable = true;

/** An answer that is an error, as RFC 9457 has them, or no answer at all (`status` 0). */
export class Problem extends Error {
  /** @param {{ type?: string, title?: string, status: number, detail?: string, errors?: {pointer?: string, parameter?: string, detail: string}[], request_id?: string, line?: number, column?: number, retry_after?: number }} told */
  constructor(told) {
    super(told.detail ?? told.title ?? `The API answered ${told.status}.`);
    this.type = told.type ?? "unknown";
    this.title = told.title ?? "";
    this.status = told.status;
    this.errors = told.errors ?? [];
    this.requestId = told.request_id ?? null;
    /** The seconds that the API asks to wait, if it does. */
    this.retryAfter = told.retry_after ?? null;
    /** All that the answer says. */
    this.told = told;
  }

  /** Whether the same may go well in a while: there was no answer, or too much is under way. */
  get isTemporary() {
    return [0, 429, 502, 503, 504].includes(this.status);
  }
}

/**
 * @typedef {object} Options
 * @property {AbortSignal} [signal]
 * @property {import("./router.js").Query} [query]
 * @property {Record<string, string>} [headers]
 * @property {any} [json] the body, as a value
 * @property {string | Blob} [text] the body, as it is
 */

/**
 * Sends a request, and returns the answer once it is no error.
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<Response>}
 */
export async function ask(method, path, options = {}) {
  const url = path + queryText(options.query);
  for (;;) {
    const sent = token();
    /** @type {Record<string, string>} */
    const headers = { ...options.headers };
    if (sent) headers["Authorization"] = `Bearer ${sent}`;
    if (options.json !== undefined) headers["Content-Type"] = "application/json";
    const body = options.json !== undefined ? JSON.stringify(options.json) : options.text;
    const response = await fetch(url, { method, headers, body, signal: options.signal ?? null, cache: "no-store" }).catch(
      (error) => {
        if (options.signal?.aborted) throw error;
        tell(false);
        throw noAnswer();
      },
    );
    tell(true);
    if (response.ok) return response;
    if (response.status === 401) {
      await askForToken(sent);
      continue;
    }
    throw await problemOf(response);
  }
}

/** What is told where the API does not answer. */
export function noAnswer() {
  return new Problem({ status: 0, title: "No answer", detail: "The API can't be reached. Is it running? The page tries again by itself." });
}

/** @param {Response} response */
async function problemOf(response) {
  const told = await response.json().catch(() => ({}));
  const requestId = response.headers.get("x-request-id") ?? undefined;
  const retryAfter = Number(response.headers.get("retry-after")) || undefined;
  return new Problem({ request_id: requestId, ...told, status: response.status, retry_after: retryAfter });
}

/** @param {boolean} now */
function tell(now) {
  if (now === reachable) return;
  reachable = now;
  reachability.dispatchEvent(new CustomEvent("change", { detail: now }));
}

/**
 * GET, as JSON.
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function get(path, options) {
  return (await ask("GET", path, options)).json();
}

/**
 * What a list holds, so many pages of it, and whether there is more.
 * @param {string} path
 * @param {string} name of the list in an answer
 * @param {number} most
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ all: any[], isMore: boolean }>}
 */
export async function readPages(path, name, most, signal) {
  const all = [];
  /** @type {string | null} */
  let cursor = "";
  for (let page = 0; page < most && cursor !== null; page++) {
    /** @type {any} */
    const read = await get(path, { query: { limit: 200, cursor }, signal });
    all.push(...read[name]);
    cursor = read.next;
  }
  return { all, isMore: cursor !== null };
}

/**
 * Another method, as JSON; null where the answer has no body.
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function send(method, path, options) {
  const response = await ask(method, path, options);
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/**
 * The path of a function, or of what is below it.
 * @param {string} name
 * @param {...string} below
 */
export function functionPath(name, ...below) {
  return ["/v1/functions", name, ...below].map((part, at) => (at ? encodeURIComponent(part) : part)).join("/");
}

/** @typedef {"read" | "execute" | "manage"} Scope */

/** @type {Scope[]} */
let scopes = [];

/** Asks the API for whom it takes this page, and what that allows. */
export async function learnCaller() {
  ({ scopes } = await get("/v1/token"));
}

/**
 * Whether the caller may use what needs this scope. What is not allowed is not shown.
 * @param {Scope} scope
 */
export function allows(scope) {
  return scopes.includes(scope);
}

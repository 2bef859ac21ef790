// Requests to the API: JSON, lines, and server-sent events.

import { askForToken } from "./token.js";
import { token } from "./session.js";

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
}

/**
 * @typedef {object} Options
 * @property {AbortSignal} [signal]
 * @property {Record<string, string | number | boolean | null | undefined>} [query]
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
  const query = Object.entries(options.query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const url = query.length ? `${path}?${new URLSearchParams(query.map(([name, value]) => [name, String(value)]))}` : path;
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
 * The values of an answer in lines of JSON, as they come.
 * @param {string} method
 * @param {string} path
 * @param {Options} [options]
 * @returns {AsyncGenerator<any, void, void>}
 */
export async function* lines(method, path, options) {
  for await (const line of textLines(await ask(method, path, options))) {
    if (line.trim()) yield JSON.parse(line);
  }
}

/**
 * @typedef {{ id: string | null, event: string, data: any }} ServerEvent
 */

/**
 * Server-sent events, until the API says that there are no more. A stream that breaks off is taken up where it ended.
 * @param {string} path
 * @param {{ signal: AbortSignal }} options
 * @returns {AsyncGenerator<ServerEvent, void, void>}
 */
export async function* events(path, { signal }) {
  /** @type {string | null} */
  let last = null;
  let pause = 250;
  while (!signal.aborted) {
    try {
      const response = await ask("GET", path, { signal, headers: last ? { "Last-Event-ID": last } : {} });
      if (response.status === 204) return;
      for await (const event of eventsOf(response)) {
        last = event.id ?? last;
        pause = 250;
        yield event;
      }
    } catch (error) {
      const temporary = error instanceof Problem ? error.status === 0 || error.status >= 500 || error.status === 429 : true;
      if (signal.aborted || !temporary) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, 5000);
  }
}

/** @param {Response} response */
async function* eventsOf(response) {
  /** @type {ServerEvent} */
  let event = { id: null, event: "message", data: "" };
  for await (const line of textLines(response)) {
    if (line === "") {
      if (event.data) yield { ...event, data: JSON.parse(event.data) };
      event = { id: null, event: "message", data: "" };
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") event.id = value;
    else if (field === "event") event.event = value;
    else if (field === "data") event.data += event.data ? `\n${value}` : value;
  }
}

/**
 * The lines of an answer, as they come.
 * @param {Response} response
 */
export async function* textLines(response) {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  /** @type {string[]} */
  let begun = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const parts = value.split(/\r?\n/);
      for (let at = 0; at < parts.length - 1; at++) {
        begun.push(parts[at]);
        yield begun.join("");
        begun = [];
      }
      begun.push(parts[parts.length - 1]);
    }
    if (begun.join("")) yield begun.join("");
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * The path of a function, or of what is below it.
 * @param {string} name
 * @param {...string} below
 */
export function functionPath(name, ...below) {
  return ["/v1/functions", name, ...below].map((part, at) => (at ? encodeURIComponent(part) : part)).join("/");
}

// Answers that come bit by bit: lines, JSON in lines, and server-sent events.

import { ask, Problem } from "./api.js";
import { sleep } from "./poll.js";

/** @typedef {import("./api.js").Options} Options */

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
 * @typedef {{ id: string | null, event: string, data: string }} ServerEvent
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
      // What is no problem that the API tells of is a stream that broke off.
      if (signal.aborted || (error instanceof Problem && !error.isTemporary)) throw error;
    }
    await sleep(pause, signal);
    pause = Math.min(pause * 2, 5000);
  }
}

/** @param {Response} response */
async function* eventsOf(response) {
  /** @type {ServerEvent} */
  let event = { id: null, event: "message", data: "" };
  for await (const line of textLines(response)) {
    if (line === "") {
      if (event.data) yield event;
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

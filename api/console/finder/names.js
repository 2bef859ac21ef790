// The names of the functions, asked for again when they are older than half a minute.

import { get } from "../base/api.js";

const [FRESH_MS, MOST] = [30_000, 20_000];
let [names, learnedAt] = [/** @type {string[]} */ ([]), -Infinity];
/** @type {Promise<void> | null} */
let asking = null;

/** The names, as far as they are known. */
export function functionNames() {
  return names;
}

/** Asks for them, unless that was done a moment ago. */
export async function learnNames() {
  if (performance.now() - learnedAt > FRESH_MS) await (asking ??= ask().finally(() => { asking = null; }));
  return names;
}

async function ask() {
  const found = [];
  let cursor = null;
  do {
    /** @type {{ functions: { name: string }[], next: string | null }} */
    const page = await get("/v1/functions", { query: { limit: 200, cursor } });
    found.push(...page.functions.map(({ name }) => name));
    cursor = page.next;
  } while (cursor && found.length < MOST);
  [names, learnedAt] = [found, performance.now()];
}

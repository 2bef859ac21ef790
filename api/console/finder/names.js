// The names of the functions, asked for again when they are older than half a minute.

import { readPages } from "../base/api.js";

const [FRESH_MS, MOST_PAGES] = [30_000, 100];
let [names, asking, askedAt] = [/** @type {string[]} */ ([]), Promise.resolve(), -Infinity];

/** The names, as far as they are known. */
export function functionNames() {
  return names;
}

/** Asks for them, unless that was done a moment ago. */
export function learnNames() {
  if (performance.now() - askedAt > FRESH_MS) {
    askedAt = performance.now();
    asking = ask();
    asking.catch(() => { askedAt = -Infinity; });
  }
  return asking;
}

async function ask() {
  const { all } = await readPages("/v1/functions", "functions", MOST_PAGES);
  names = all.map(({ name }) => name);
}

// Code that was typed and not saved. It is kept in this browser, by function, and offered again.

import { debounced } from "../base/poll.js";

/** @typedef {{ code: string, base: number, at: number }} Draft */

const KEY = "badlambda.drafts";
const MOST = { characters: 300_000, functions: 16, drafts: 3 };
/** Those of this page, also where the browser has no room for them. @type {Map<string, Draft[]>} */
const ofPage = new Map();

/** @returns {Record<string, Draft[]>} */
function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** The newest first. @param {string} name */
const draftsOf = (name) => ofPage.get(name) ?? stored()[name] ?? [];

/**
 * Keeps these, and no others, of the function; those of the function that was typed last are dropped last.
 * @param {string} name
 * @param {Draft[]} drafts
 */
function keep(name, drafts) {
  ofPage.set(name, drafts.slice(0, MOST.drafts));
  const { [name]: _, ...others } = stored();
  const small = drafts.slice(0, MOST.drafts).filter(({ code }) => code.length < MOST.characters);
  const all = [...Object.entries(others), ...(small.length ? [[name, small]] : [])];
  for (let most = MOST.functions; most > 0; most >>= 1) {
    try {
      return localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(all.slice(-most))));
    } catch {
      // The browser has no room for so many.
    }
  }
}

/** Has this code edited as the next version. @param {{ name: string, version: number }} fn @param {string} code */
export function editInstead({ name, version }, code) {
  keep(name, [{ code, base: version, at: Date.now() }, ...draftsOf(name)]);
}

/**
 * The text to begin with, and what keeps each that follows. Code that was typed since the page was opened goes on being
 * edited; older code is offered.
 * @param {{ name: string, version: number }} fn
 * @param {string} saved
 * @param {AbortSignal} signal
 */
export function unsavedCode({ name, version }, saved, signal) {
  const offers = draftsOf(name).filter(({ code }) => code !== saved);
  let text = ofPage.has(name) && offers[0]?.base === version ? offers.shift()?.code ?? saved : saved;
  let isKept = true;
  const current = () => (text === saved ? [] : [{ code: text, base: version, at: Date.now() }]);
  const flush = () => {
    if (!isKept) keep(name, [...current(), ...offers]);
    isKept = true;
  };
  const flushSoon = debounced(400, flush);
  signal.addEventListener("abort", flush, { once: true });
  addEventListener("pagehide", flush, { signal });
  const change = (/** @type {string} */ now) => {
    text = now;
    isKept = false;
    flushSoon();
  };
  return {
    change,
    get text() { return text; },
    get saved() { return saved; },
    get isChanged() { return text !== saved; },
    get offer() { return offers[0]; },
    /** Returns what was offered; what stands there now is offered in its place. */
    restore() {
      const code = offers.shift()?.code ?? text;
      offers.unshift(...current());
      return code;
    },
    drop() {
      offers.shift();
      change(text);
    },
    /** @param {number} now the version @param {string} code that it has */
    settle(now, code) {
      [version, saved] = [now, code];
      change(text);
      flush();
    },
  };
}

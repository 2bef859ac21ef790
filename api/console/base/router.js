// Each view has an address behind the `#`. A view lives until the address names another.

/**
 * What a view is opened with: the parts of its address that its route names, its query, and a signal that aborts when it
 * is left.
 * @typedef {{ parts: Record<string, string>, query: URLSearchParams, signal: AbortSignal }} Place
 */
/** @typedef {{ crumbs: (Node | string)[], title: string, actions?: (Node | null | false)[], body: Node, place: string, padded?: boolean }} View */
/** @typedef {(place: Place) => View | Promise<View>} Open */

/** @type {{ pattern: string[], open: Open }[]} */
const routes = [];
/** @type {AbortController | null} */
let living = null;
/** The address that stands there already, so that writing it opens nothing. */
let written = "";

/**
 * @param {string} path such as `/functions/:name/config`
 * @param {Open} open
 */
export function route(path, open) {
  routes.push({ pattern: path.split("/").slice(1), open });
}

/** A query is written without what is empty in it. @typedef {Record<string, string | number | boolean | null | undefined>} Query */

/**
 * An address within the page.
 * @param {string[]} parts
 * @param {Query} [query]
 */
export function address(parts, query) {
  return `#/${parts.map(encodeURIComponent).join("/")}${queryText(query)}`;
}

/** @param {Query} [query] */
export function queryText(query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => (value ?? "") !== "");
  return pairs.length ? `?${new URLSearchParams(/** @type {[string, string][]} */ (pairs))}` : "";
}

/** @param {string} hash */
export function go(hash) {
  location.hash = hash;
}

/**
 * Writes the address of what is shown already, in place of the one before.
 * @param {string} hash
 */
export function rewrite(hash) {
  if (location.hash === hash) return;
  written = hash;
  history.replaceState(null, "", hash);
}

/**
 * Opens views as the address says, and gives them to `show`. `fail` is told why a view does not open, and how to try again.
 * @param {(view: View) => void} show
 * @param {(error: unknown, again: () => void) => void} fail
 */
export function start(show, fail) {
  const open = async () => {
    if (location.hash === written) return;
    written = "";
    const found = find(location.hash);
    if (!found) return go("#/functions");
    living?.abort();
    const controller = new AbortController();
    living = controller;
    try {
      const view = await found.open({ parts: found.parts, query: found.query, signal: controller.signal });
      if (!controller.signal.aborted) show(view);
    } catch (error) {
      if (!controller.signal.aborted) fail(error, open);
    }
  };
  addEventListener("hashchange", open);
  open();
}

/** @param {string} hash */
function find(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?", 2);
  const given = path.split("/").map(decoded);
  for (const { pattern, open } of routes) {
    if (pattern.length !== given.length) continue;
    /** @type {Record<string, string>} */
    const parts = {};
    const fits = pattern.every((part, at) => {
      if (!part.startsWith(":")) return part === given[at];
      parts[part.slice(1)] = given[at];
      return given[at] !== "";
    });
    if (fits) return { open, parts, query: new URLSearchParams(query ?? "") };
  }
  return null;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

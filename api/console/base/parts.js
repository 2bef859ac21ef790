// What views are made of. Elements, numbers, times, toasts and addresses come from here, too.

import { Problem } from "./api.js";
import { h, put, replace } from "./dom.js";
import { address } from "./router.js";
import { copy } from "./toast.js";

export * from "./dom.js";
export * from "./format.js";
export * from "./toast.js";
export { address, go, rewrite } from "./router.js";

/** @typedef {import("./dom.js").Child} Child */

/**
 * A button that does something.
 * @param {Child | Child[]} label
 * @param {() => void} act
 * @param {string} [kind] `main`, `bad`, `quiet`
 * @param {import("./dom.js").Attributes} [more]
 */
export function button(label, act, kind = "", more = {}) {
  return h("button", { class: `button ${kind}`, type: "button", onclick: () => act(), ...more }, label);
}

/**
 * Facts in a line, each with its name.
 * @param {([string, Child] | "" | null | false)[]} pairs
 */
export function facts(pairs) {
  return h("dl.facts", pairs.map((pair) => pair && h("div", h("dt", pair[0]), h("dd", pair[1]))));
}

/**
 * A table with its head; names of numbers end with `#`.
 * @param {string[]} names
 * @param {HTMLElement} body
 * @param {string} [kind]
 */
export function table(names, body, kind) {
  const head = (/** @type {string} */ name) => h("th", { scope: "col", class: name.endsWith("#") ? "number" : "" }, name.replace(/#$/, ""));
  return h("table", { class: kind }, h("thead", h("tr", names.map(head))), body);
}

/**
 * A card with its heading.
 * @param {Child} title
 * @param {Child | Child[]} head what stands beside the title
 * @param {...(Child | Child[])} rest
 */
export function card(title, head, ...rest) {
  return h("section.card", h("header", h("h2", title), head), ...rest);
}

/** An input with its label. @param {string} label @param {HTMLElement} input */
export function field(label, input) {
  return h("label.field", label, input);
}

/** A form. @param {string} kind its classes @param {() => unknown} submit @param {...(Child | Child[])} rest */
export function form(kind, submit, ...rest) {
  return h("form", { class: kind, onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); submit(); } }, ...rest);
}

/** What is folded, and made once it is opened. @param {Child | Child[]} summary @param {() => Child[]} make @param {boolean} [isOpen] */
export function folded(summary, make, isOpen = false) {
  const details = h("details", { open: isOpen }, h("summary", summary));
  details.addEventListener("toggle", () => { if (details.childElementCount === 1) put(details, make()); });
  return details;
}

/** A link within the page. @param {string[]} parts of the address @param {...Child} children */
export function link(parts, ...children) {
  return h("a", { href: address(parts) }, children);
}

/**
 * One sentence on what belongs here, and the one thing to do.
 * @param {string} sentence
 * @param {...HTMLElement} actions
 */
export function empty(sentence, ...actions) {
  return h("div.empty", h("p", sentence), actions);
}

/**
 * What happened, what to do, and the request's id.
 * @param {unknown} error
 * @param {() => void} [again]
 */
export function failure(error, again) {
  const problem = error instanceof Problem ? error : null;
  const id = problem?.requestId;
  return h("div.problem", { role: "alert" },
    h("strong", problem?.title || "That did not work"),
    h("p", error instanceof Error ? error.message : String(error)),
    problem?.errors.length ? h("ul", problem.errors.map(({ pointer, parameter, detail }) => h("li", `${pointer ?? parameter ?? ""} ${detail}`.trim()))) : null,
    id && h("p.id", `Request ${id} `, button("Copy", () => copy(id, "the request's id"), "quiet")),
    again && button("Try again", again));
}

/**
 * Lines in place of what is not there yet. They show after 400 ms, so that what is fast does not flicker.
 * @param {number} [rows]
 */
export function skeleton(rows = 5) {
  const place = h("div.waiting", { "aria-busy": "true" }, h("span.unseen", "Loading"));
  setTimeout(() => {
    for (let row = 0; row < rows; row++) place.append(h("div.skeleton", { css: { width: `${90 - ((row * 17) % 40)}%` } }));
  }, 400);
  return place;
}

/**
 * Does something. What it returns stands in `place` once it is done; where it fails, why it did.
 * @param {Element} place
 * @param {AbortSignal} signal
 * @param {() => Promise<Child | Child[] | void>} work
 */
export async function attempt(place, signal, work) {
  try {
    replace(place, /** @type {Child} */ (await work()));
  } catch (error) {
    if (!signal.aborted) replace(place, failure(error, () => attempt(place, signal, work)));
  }
}

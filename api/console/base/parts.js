// What many views are made of.

import { h, put } from "./dom.js";
import { address } from "./router.js";

/** @typedef {import("./dom.js").Child} Child */

/**
 * A button that does something.
 * @param {string} label
 * @param {() => void} act
 * @param {string} [kind] `main`, `bad`, `quiet`
 * @param {import("./dom.js").Attributes} [more]
 */
export function button(label, act, kind = "", more = {}) {
  return h("button", { class: `button ${kind}`, type: "button", on: { click: () => act() }, ...more }, label);
}

/**
 * Facts in a line, each with its name.
 * @param {([string, Child] | "" | null | false)[]} pairs
 */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.map((pair) => pair && h("div", {}, h("dt", {}, pair[0]), h("dd", {}, pair[1]))));
}

/**
 * A table with its head; names of numbers end with `#`.
 * @param {string[]} names
 * @param {HTMLElement} body
 * @param {string} [kind]
 */
export function table(names, body, kind) {
  const head = (/** @type {string} */ name) => h("th", { scope: "col", class: name.endsWith("#") ? "number" : "" }, name.replace(/#$/, ""));
  return h("table", { class: kind }, h("thead", {}, h("tr", {}, names.map(head))), body);
}

/**
 * A card with its heading.
 * @param {Child} title
 * @param {Child | Child[]} head what stands beside the title
 * @param {...(Child | Child[])} rest
 */
export function card(title, head, ...rest) {
  return h("section", { class: "card" }, h("header", {}, h("h2", {}, title), head), ...rest);
}

/** An input with its label. @param {string} label @param {HTMLElement} input */
export function field(label, input) {
  return h("label", { class: "field" }, label, input);
}

/** What is folded, and made once it is opened. @param {Child | Child[]} summary @param {() => Child[]} make @param {boolean} [isOpen] */
export function folded(summary, make, isOpen = false) {
  const details = h("details", { open: isOpen }, h("summary", {}, summary));
  details.addEventListener("toggle", () => { if (details.childElementCount === 1) put(details, make()); });
  return details;
}

/** A link within the page. @param {string[]} parts of the address @param {...Child} children */
export function link(parts, ...children) {
  return h("a", { href: address(parts) }, children);
}

// The sixteen colours and the styles of a terminal (SGR), as logs may have them. Other sequences are dropped; an escape that begins none
// is shown.

import { h } from "../base/dom.js";
import { visible } from "./text.js";

const SEQUENCE = /\x1b\[([\d;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|\x1b[()*+]\w|\x1b[=>78cDEHMNOZ]/g;
/** A sequence that goes on in the next piece. */
const BEGUN = /\x1b(?:\[[\d;:]{0,50})?$/;
/** The eight colours, as this page has them. */
const COLOURS = ["muted", "failed", "succeeded", "cancelled", "running", "code-keyword", "code-string", "text"]
  .map((name) => `var(--${name})`);
/** @type {Record<number, string>} */
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline" };

/** @param {string} text */
export function withoutAnsi(text) {
  return text.replace(SEQUENCE, "");
}

/** Turns the pieces of a log into nodes, one after the other. */
export function ansiReader() {
  const look = { styles: /** @type {Set<string>} */ (new Set()), ink: "", back: "" };
  let begun = "";
  return (/** @type {string} */ piece) => {
    const whole = begun + piece;
    begun = BEGUN.exec(whole)?.[0] ?? "";
    /** @type {Node[]} */
    const nodes = [];
    // Texts and the codes between them, in turn; other sequences have none.
    whole.slice(0, whole.length - begun.length).split(SEQUENCE).forEach((part, at) => {
      if (at % 2 === 0) part && nodes.push(make(part, look));
      else if (part !== undefined) change(look, part.split(/[;:]/).map(Number));
    });
    return nodes;
  };
}

/** @typedef {{ styles: Set<string>, ink: string, back: string }} Look */

/** @param {string} text @param {Look} look */
function make(text, { styles, ink, back }) {
  const names = [...styles, (back || ink) && "ink", back && "tint"].join(" ");
  return h("span", { class: names, css: { "--ink": back || ink } }, visible(text));
}

/** @param {Look} look @param {number[]} codes */
function change(look, codes) {
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at];
    const tens = Math.floor(code / 10);
    const colour = COLOURS[code % 10] ?? "";
    if (code === 0) {
      look.styles.clear();
      look.ink = look.back = "";
    } else if (code < 10) look.styles.add(STYLES[code] ?? "");
    else if (code < 30) look.styles.delete(STYLES[code - 20]);
    // 30 to 37 and 90 to 97 are colours of text, 40 to 47 and 100 to 107 those behind it; 39 and 49 end them.
    else if (tens === 3 || tens === 9) look.ink = colour;
    else if (tens === 4 || tens === 10) look.back = colour;
    if (code === 22) look.styles.delete("bold");
    // One of 256 colours, or red, green and blue, is passed over.
    if (code === 38 || code === 48) at += codes[at + 1] === 5 ? 2 : 4;
  }
}

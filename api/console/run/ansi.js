// Colours and styles of a terminal (SGR), as logs may have them. Other sequences are dropped; an escape that begins none
// is shown.

import { h } from "../base/dom.js";
import { visible } from "./text.js";

const SEQUENCE = /\x1b\[([\d;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|\x1b[()*+]\w|\x1b[=>78cDEHMNOZ]/g;
/** A sequence that goes on in the next piece. */
const BEGUN = /\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]{0,2000}\x1b?|[()*+])?$/;
/** The eight colours, as this page has them. */
const COLOURS = ["muted", "failed", "succeeded", "cancelled", "running", "code-keyword", "code-string", "text"].map((name) => `var(--${name})`);
/** @type {Record<number, string>} */
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike" };

/** @param {string} text */
export function withoutAnsi(text) {
  return text.replace(SEQUENCE, "");
}

/** Turns the pieces of a log into nodes, one after the other. */
export class AnsiReader {
  /** @type {Set<string>} */
  #styles = new Set();
  #ink = "";
  #back = "";
  #begun = "";

  /** @param {string} piece */
  read(piece) {
    const whole = this.#begun + piece;
    this.#begun = BEGUN.exec(whole.slice(-2100))?.[0] ?? "";
    // Texts and the codes between them, in turn; other sequences have none.
    const parts = whole.slice(0, whole.length - this.#begun.length).split(SEQUENCE);
    /** @type {Node[]} */
    const nodes = [];
    parts.forEach((part, at) => {
      if (at % 2 === 0) part && nodes.push(this.#make(part));
      else if (part !== undefined) this.#set(part.split(/[;:]/).map(Number));
    });
    return nodes;
  }

  /** @param {string} text */
  #make(text) {
    const tint = this.#styles.has("inverse") ? this.#ink || COLOURS[7] : this.#back;
    const ink = tint || this.#ink;
    if (!ink && !this.#styles.size) return document.createTextNode(visible(text));
    return h("span", { class: [...this.#styles, tint && "tint", ink && "ink"].join(" "), css: { "--ink": ink } }, visible(text));
  }

  /** @param {number[]} codes */
  #set(codes) {
    for (let at = 0; at < codes.length; at++) {
      const code = codes[at];
      const colour = code % 10 === 8 ? colourOf(codes.slice(at + 1)) : COLOURS[code % 10] ?? "";
      if (code === 38 || code === 48) at += codes[at + 1] === 5 ? 2 : 4;
      if (code === 0) {
        this.#styles.clear();
        this.#ink = this.#back = "";
      } else if (STYLES[code]) this.#styles.add(STYLES[code]);
      else if (code === 22) ["bold", "dim"].forEach((style) => this.#styles.delete(style));
      else if (code < 30) this.#styles.delete(STYLES[code - 20]);
      // 30 to 37 and 90 to 97 are colours of text, 40 to 47 and 100 to 107 those behind it; 39 and 49 end them.
      else if ([3, 9].includes(Math.floor(code / 10))) this.#ink = colour;
      else if ([4, 10].includes(Math.floor(code / 10))) this.#back = colour;
    }
  }
}

/** One of 256 colours, or red, green and blue. @param {number[]} codes */
function colourOf([kind, code, ...more]) {
  if (kind !== 5) return rgb([code, ...more]);
  if (!(code > 15)) return COLOURS[code % 8] ?? "";
  if (code > 231) return rgb(Array(3).fill(8 + (code - 232) * 10));
  return rgb([36, 6, 1].map((size) => Math.floor((code - 16) / size) % 6).map((step) => step && 55 + step * 40));
}

/** @param {number[]} parts */
function rgb(parts) {
  return `rgb(${[0, 1, 2].map((at) => Math.min(255, parts[at] | 0)).join(" ")})`;
}

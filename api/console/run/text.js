// Text that functions wrote: shown as text, in pieces, with nothing in it that hides or turns what is around it.

import { button, bytes, copy, h } from "../base/parts.js";

/** Control characters, and those that turn the direction of text or have no width. */
export const UNSEEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const PIECE = 16 * 1024;
const MORE = 256 * 1024;

/** The text with what can't be seen made visible: `‹U+202E›`. @param {string} text */
export function visible(text) {
  return text.replaceAll("\r\n", "\n").replace(UNSEEN, (found) => `‹U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
}

/** The text in one line, cut to so many characters. @param {string} text @param {number} most */
export function clip(text, most) {
  const line = visible(text.slice(0, most + 1).replace(/\s+/g, " "));
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

/**
 * Where a piece ends that begins at `from`: behind a line if that is possible, never within a character.
 * @param {string} text
 * @param {number} from
 * @param {number} size
 */
export function pieceEnd(text, from, size) {
  const most = from + size;
  if (most >= text.length) return text.length;
  const line = text.lastIndexOf("\n", most - 1) + 1;
  if (line > from + size / 2) return line;
  return text.charCodeAt(most - 1) >> 10 === 0x36 ? most - 1 : most;
}

/** Text of any length: its beginning, and a button that shows more. @param {string} text @param {number} [first] */
export function longText(text, first = 10_000) {
  let at = 0;
  const more = button("", () => add(MORE));
  const add = (/** @type {number} */ size) => {
    const end = pieceEnd(text, at, size);
    while (at < end) {
      const to = Math.min(end, pieceEnd(text, at, PIECE));
      more.before(h("div.piece", { dir: "auto" }, visible(text.slice(at, to))));
      at = to;
    }
    more.hidden = at === text.length;
    more.textContent = `Show ${bytes(Math.min(MORE, text.length - at))} more of ${bytes(text.length)}`;
  };
  const element = h("div.long.mono", more);
  add(first);
  return element;
}

/** Buttons that copy a text, and that save it. @param {string} name @param {() => string} end of the file's name @param {() => string} text */
export function textTools(name, end, text) {
  return h("span.tools", button("Copy", () => copy(text(), `the ${name}`), "quiet"),
    button("Download", () => save(`${name}.${end()}`, text()), "quiet"));
}

/** Has the browser save a file. @param {string} name @param {BlobPart} text */
export function save(name, text) {
  const url = URL.createObjectURL(new Blob([text]));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// What can't be seen in code, or turns the text around it: marked, and told.

import { h, setText } from "../base/dom.js";
import { UNSEEN, visible } from "../run/text.js";
import { Token } from "../vendor/prism-code-editor.js";

/** Prism's own, which is made by `new`. @type {any} */
const Mark = Token;
/** So many are marked. */
const MOST = 500;

/** A line that tells of it, and what marks it among the tokens of a text. */
export function invisibleMarker() {
  const told = h("p.wrong", { role: "status" });
  const mark = (/** @type {any[]} */ tokens, /** @type {string} */ _language, /** @type {string} */ text) => {
    const all = text.match(UNSEEN) ?? [];
    const line = text.slice(0, text.search(UNSEEN)).split("\n").length;
    const names = visible([...new Set(all)].slice(0, 5).join(" "));
    setText(told, all.length ? `From line ${line} on: ${names} can't be seen, or turns the text around it.` : "");
    if (all.length) split(tokens, MOST);
  };
  return { told, mark };
}

/** Makes a token of each, and returns how many more may be made. @param {any[]} tokens @param {number} left @returns {number} */
function split(tokens, left) {
  tokens.splice(0, tokens.length, ...tokens.flatMap((token) => {
    if (typeof token !== "string") {
      token.content = [token.content].flat();
      left = split(token.content, left);
      return token;
    }
    let at = 0;
    const pieces = [...token.matchAll(UNSEEN)].slice(0, left).flatMap(({ 0: one, index }) => {
      const before = token.slice(at, index);
      at = index + 1;
      return [before, new Mark("invisible", one, one)];
    });
    left -= pieces.length / 2;
    return [...pieces, token.slice(at)].filter(Boolean);
  }));
  return left;
}

// A JSON value: folded, built as far as it is opened, with its numbers to the digit.

/** @import { Child } from "../base/parts.js" */
/** @import { Entry } from "./json.js" */
import { attempt, button, bytes, card, count, folded, h, replace, skeleton } from "../base/parts.js";
import { entries, parseError, rootOf } from "./json.js";
import { clip, longText, textTools, visible } from "./text.js";

const PAGE = 100;
/** Longer strings are cut, larger texts shown as they are. */
const LONG = 10_000;
const LARGEST = 2 * 1024 * 1024;

/** @param {string} text @param {string} name what it is called, and its file */
export function valueView(text, name) {
  const isTree = text.length <= LARGEST && parseError(text) === null;
  /** @type {string | null} */
  const string = isTree && /^\s*"/.test(text) ? JSON.parse(text) : null;
  const image = string && imageOf(string);
  const body = scrollBox("value-body", name);
  let isRaw = isTree;
  const shown = () => (isRaw ? text : string ?? text);
  const raw = button("Raw", () => {
    isRaw = !isRaw;
    raw.setAttribute("aria-pressed", String(isRaw));
    replace(body, isTree && !isRaw && string === null ? h("div.tree.mono", node(text, rootOf(text), 0)) : longText(shown()));
  }, "quiet");
  raw.hidden = !isTree;
  raw.click();
  const tools = textTools(name, () => (isTree && (isRaw || string === null) ? "json" : image ? "svg" : "txt"), shown);
  tools.prepend(image ? button("Show as image", () => replace(body, picture(image, text.length)), "quiet") : "", raw);
  return h("div.value", tools, body);
}

/**
 * A card with what `load` makes; the tools of a value stand beside the title.
 * @param {string} title
 * @param {Child} beside
 * @param {AbortSignal} signal
 * @param {() => Promise<Element>} load
 */
export function valueCard(title, beside, signal, load) {
  const body = h("div.body", skeleton(2));
  const element = card(title, beside, body);
  attempt(body, signal, async () => {
    const made = await load();
    element.firstElementChild?.append(...made.querySelectorAll(".tools"));
    return made;
  });
  return element;
}

/** What scrolls for itself, also by keys. @param {string} kind @param {string} label @param {...Node} content */
export function scrollBox(kind, label, ...content) {
  return h("div", { class: kind, tabindex: "0", role: "group", "aria-label": label }, content);
}

/** @param {string} text @param {Entry} entry @param {number} level @returns {HTMLElement} */
function node(text, { key, start, end }, level) {
  const label = key !== null && [h("span", { class: key.startsWith('"') ? "key" : "muted", dir: "auto" }, clip(key, 200)), ": "];
  const whole = text.slice(start, end);
  const [open, close] = { "{": "{}", "[": "[]" }[text[start]] ?? "";
  if (!open) return h("div.row", label, scalar(whole));
  let number = 0;
  for (const _ of entries(text, start)) number++;
  const size = h("span.muted", `${open}${count(number)}${close}`);
  return folded(label ? [...label, size] : size, () => [pages(text, start, number, level + 1)], !level || (level < 3 && number <= 20));
}

/** What stands in an array or object, 100 at a time. @param {string} text @param {number} start @param {number} left @param {number} level */
function pages(text, start, left, level) {
  const rest = entries(text, start);
  const more = button("", () => add());
  const add = () => {
    for (let at = 0; at < PAGE && left > 0; at++, left--) {
      const { value } = rest.next();
      if (value) more.before(node(text, value, level));
    }
    more.hidden = left === 0;
    more.textContent = `Show ${Math.min(PAGE, left)} of ${count(left)} more`;
  };
  const element = h("div.children", more);
  add();
  return element;
}

/** @param {string} text */
function scalar(text) {
  if (text.length > LONG) return longText(text);
  const kind = text.startsWith('"') ? "string" : /^[-\d]/.test(text) ? "digits" : "muted";
  return h("span", { class: kind, dir: "auto" }, visible(text));
}

/** The URL of an image that a string is. @param {string} string */
function imageOf(string) {
  if (/^data:image\/[\w+.-]+[;,]/i.test(string)) return string;
  // A surrogate alone can't be encoded.
  return /^\s*(?:<[?!][^]*)?<svg[\s>]/i.test(string) && `data:image/svg+xml;charset=utf-8,${encodeURIComponent(string.replace(/\p{Surrogate}/gu, "�"))}`;
}

/** An image by its URL. Within an `<img>`, no script of it runs and it loads nothing. @param {string} url @param {number} size */
function picture(url, size) {
  const caption = h("figcaption.muted", bytes(size));
  const load = () => { caption.textContent = `${image.naturalWidth} × ${image.naturalHeight} px · ${bytes(size)}`; };
  const error = () => { caption.textContent = "The browser can't draw this. Raw shows its text."; };
  const image = h("img", { alt: "The result as an image", src: url, onload: load, onerror: error });
  return h("figure.picture", image, caption);
}

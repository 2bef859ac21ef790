// A JSON value: folded, built as far as it is opened, with its numbers to the digit where its text is given.

/** @import { Entry } from "./json.js" */
import { h, replace } from "../base/dom.js";
import { bytes, count } from "../base/format.js";
import { copy } from "../base/toast.js";
import { entries, parseError, rootOf } from "./json.js";
import { clip, longText, quiet, save, visible } from "./text.js";

const PAGE = 100;
const DEEPEST = 40;
const SHORT = 80;
/** Longer strings are cut, larger texts shown as they are. */
const LONG = 10_000;
const LARGEST = 2 * 1024 * 1024;

/**
 * @param {any} value what is shown, where there is no text of it
 * @param {{ text?: string, name: string }} options `name` is what it is called, and its file
 */
export function valueView(value, { text: given, name }) {
  const text = given ?? textOf(value);
  const isTree = text.length <= LARGEST && parseError(text) === null;
  /** @type {string | null} */
  const string = isTree && /^\s*"/.test(text) ? JSON.parse(text) : null;
  const image = string && imageOf(string);
  const body = h("div", { class: "value-body", tabindex: "0", role: "group", "aria-label": name });
  let isRaw = isTree;
  const shown = () => (isRaw ? text : string ?? text);
  const raw = quiet("Raw", () => {
    isRaw = !isRaw;
    raw.setAttribute("aria-pressed", String(isRaw));
    replace(body, isRaw || string !== null || !isTree ? longText(shown()) : h("div", { class: "tree mono" }, node(text, rootOf(text), 0)));
  });
  raw.hidden = !isTree;
  raw.click();
  const end = isTree ? string === null ? "json" : image ? "svg" : "txt" : "txt";
  return h("div", { class: "value" },
    h("div", { class: "tools" },
      image && quiet("Show as image", () => replace(body, picture(image, text.length))),
      raw,
      quiet("Copy", () => copy(shown(), `the ${name}`)),
      quiet("Download", () => save(`${name.replace(/[^\w-]+/g, "-")}.${end}`, shown()))),
    body);
}

/** @param {any} value */
export function textOf(value) {
  try {
    return JSON.stringify(value) ?? "null";
  } catch {
    return "This value is nested too deeply to be shown here.";
  }
}

/** @param {string} text @param {Entry} entry @param {number} level @returns {HTMLElement} */
function node(text, { key, start, end }, level) {
  const label = key !== null && [h("span", { class: key.startsWith('"') ? "key" : "muted", dir: "auto" }, clip(key, 200)), ": "];
  const whole = () => text.slice(start, end);
  const [open, close] = { "{": "{}", "[": "[]" }[text[start]] ?? "";
  if (!open) return h("div", { class: "row" }, label, scalar(whole()));
  let number = 0;
  for (const _ of entries(text, start)) number++;
  const isShort = end - start <= SHORT;
  const preview = isShort && h("span", { class: "preview muted", dir: "auto" }, visible(whole().replace(/\s*\n\s*/g, " ")));
  const details = h("details", {}, h("summary", {}, label, h("span", { class: "muted" }, `${open}${count(number)}${close}`), " ", preview));
  const fill = () => {
    if (details.open && details.childElementCount === 1) details.append(level < DEEPEST ? pages(text, start, number, level + 1) : longText(whole()));
  };
  details.addEventListener("toggle", fill);
  details.open = level === 0 || (level < 3 && !isShort && number <= 20 && text.length <= 4000);
  fill();
  return details;
}

/** What stands in an array or object, 100 at a time. @param {string} text @param {number} start @param {number} left @param {number} level */
function pages(text, start, left, level) {
  const rest = entries(text, start);
  const more = h("button", { class: "button", type: "button", on: { click: () => add() } });
  const element = h("div", { class: "children" }, more);
  const add = () => {
    for (let at = 0; at < PAGE && left > 0; at++, left--) {
      const { value } = rest.next();
      if (value) more.before(node(text, value, level));
    }
    more.hidden = left === 0;
    more.textContent = `Show ${Math.min(PAGE, left)} of ${count(left)} more`;
  };
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
  if (/^data:image\/(?:png|jpeg|gif|webp|svg\+xml)[;,]/i.test(string)) return string;
  if (!/^\s*<(?:\?xml|!--|!doctype svg|svg[\s>])/i.test(string) || !/<svg[\s>]/i.test(string)) return null;
  // A surrogate alone can't be encoded.
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(string.replace(/\p{Surrogate}/gu, "�"))}`;
}

/** An image by its URL. Within an `<img>`, no script of it runs and it loads nothing. @param {string} url @param {number} size */
function picture(url, size) {
  const caption = h("figcaption", { class: "muted" }, bytes(size));
  const load = () => { caption.textContent = `${image.naturalWidth} × ${image.naturalHeight} px · ${bytes(size)}`; };
  const error = () => { caption.textContent = "The browser can't draw this. Raw shows its text."; };
  const image = h("img", { alt: "The result as an image", src: url, on: { load, error } });
  return h("figure", { class: "picture" }, image, caption);
}

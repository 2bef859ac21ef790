// The fields of a function's config: numbers with their range, switches, choices, text, and the environment.

import { h, setText } from "../base/dom.js";
import { bytes, count, duration } from "../base/format.js";
import { button } from "../base/parts.js";
import { PLAIN } from "./ask.js";

/** @typedef {ReturnType<typeof makeField>} Field */

/**
 * @param {string} name
 * @param {Record<string, any>} schema with the field's description, default and range
 * @param {any} given
 * @param {() => void} changed
 */
export function makeField(name, schema, given, changed) {
  const id = `config-${name}`;
  const usual = schema.default ?? (schema.type === "object" ? {} : null);
  const wrong = h("p", { class: "wrong", id: `${id}-wrong` });
  const isGroup = schema.type === "object";
  const [control, read] = controlOf(name, schema, given ?? usual, { id, "aria-describedby": `${id}-hint ${id}-wrong` });
  const [least, most, common] = [schema.minimum, schema.maximum, usual].map((value) => amount(name, value));
  const range = schema.maximum === undefined ? "" : ` From ${least} to ${most}, ${common} by default.`;
  const label = h(isGroup ? "span" : "label", { class: "label mono", for: isGroup ? null : id }, name);
  const hint = h("p", { class: "hint", id: `${id}-hint` }, schema.description.replaceAll("`", ""), range);
  const element = h("div", { class: "field" }, label, control, hint, wrong);
  const refuse = (/** @type {string} */ pointer, /** @type {string} */ detail) => {
    const [, , field, escaped = ""] = pointer.split("/");
    const variable = escaped.replaceAll("~1", "/").replaceAll("~0", "~");
    if (field !== name) return false;
    setText(wrong, variable ? `${variable} ${detail}` : detail);
    for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (element.querySelectorAll("input, select"))) {
      input.setAttribute("aria-invalid", String(detail !== "" && (!variable || input.value === variable)));
    }
    return true;
  };
  for (const event of ["input", "click"]) element.addEventListener(event, () => {
    if (wrong.textContent) refuse(`/config/${name}`, "");
    changed();
  });
  return {
    name, element, read, refuse, usual, value: given ?? usual,
    settle() {
      this.value = read();
      refuse(`/config/${name}`, "");
    },
  };
}

/**
 * The control, and what reads it.
 * @param {string} name
 * @param {Record<string, any>} schema
 * @param {any} value
 * @param {Record<string, string>} named
 * @returns {[HTMLElement, () => any]}
 */
function controlOf(name, schema, value, named) {
  if (schema.type === "object") return environment(value, named);
  if (schema.type === "boolean") {
    const input = h("input", { type: "checkbox", checked: value, ...named });
    return [h("div", { class: "check" }, input), () => input.checked];
  }
  if (schema.enum) {
    const select = h("select", named, schema.enum.map((/** @type {string} */ one) => h("option", { selected: one === value }, one)));
    return [select, () => select.value];
  }
  if (schema.type !== "integer") {
    const input = h("input", { type: "text", value, ...named, ...PLAIN });
    return [input, () => input.value || null];
  }
  const shown = h("output", { class: "muted", for: named.id });
  const show = () => setText(shown, /_(ms|bytes|mb)$/.test(name) ? amount(name, read()) : "");
  const input = h("input", { type: "number", min: schema.minimum, max: schema.maximum, value, ...named, on: { input: show } });
  const read = () => (input.value === "" ? schema.default : Number(input.value));
  show();
  return [h("div", { class: "amount" }, input, shown), read];
}

/**
 * @param {Record<string, string>} variables
 * @param {Record<string, string>} named
 * @returns {[HTMLElement, () => Record<string, string>]}
 */
function environment(variables, named) {
  const rows = h("div", { class: "variables" });
  const add = (name = "", value = "") => {
    const inputs = Object.entries({ Name: name, Value: value }).map(([label, text]) => h("input", {
      type: "text", value: text, placeholder: label, "aria-label": label, "aria-describedby": named["aria-describedby"], ...PLAIN,
    }));
    const remove = () => { row.remove(); more.focus(); };
    const row = h("div", {}, inputs, button("×", remove, "icon", { "aria-label": `Remove ${name || "the variable"}` }));
    rows.append(row);
    return inputs[0];
  };
  const more = button("Add a variable", () => add().focus());
  for (const [name, value] of Object.entries(variables)) add(name, value);
  const pairs = () => [...rows.children].map((row) => [...row.querySelectorAll("input")].map((input) => input.value));
  const read = () => Object.fromEntries(pairs().filter(([name, value]) => name || value));
  return [h("div", { role: "group", "aria-label": "Environment", id: named.id }, rows, more), read];
}

/** A number with its unit, as the field's name tells it. @param {string} name @param {number} value */
function amount(name, value) {
  if (name.endsWith("_ms")) return duration(value);
  if (name.endsWith("_bytes")) return bytes(value);
  return name.endsWith("_mb") ? bytes(value * 1024 * 1024) : count(value);
}

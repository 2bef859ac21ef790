// A function's config as a form, made of what the API's OpenAPI document says of each field.

import { get, Problem } from "../base/api.js";
import { button, bytes, count, duration, failure, h, replace, setText } from "../base/parts.js";
import { draftOf, saver, showDiffers } from "./edit.js";
import { functionView, PLAIN, readCode } from "./function.js";

/** What the document says of a field: its description, default and range. @typedef {Record<string, any>} Schema */

/** @typedef {Record<string, any>} Config */
/** @typedef {ReturnType<typeof makeField>} Field */

/** What is set most stands first; other fields stand behind. */
const ORDER = ["timeout_ms", "memory_mb", "retries", "handler", "network", "subprocesses"];

/** @type {import("../base/router.js").Open} */
export function open(at) {
  const { signal } = at;
  return functionView("config", at, async (fn) => {
    const [makeFields, code] = await Promise.all([readFields(signal), readCode(fn.name, fn, signal)]);
    /** @type {ReturnType<typeof draftOf<Config>>} */
    const draft = draftOf(`config.${fn.name}`, fn);
    let [saved, fields] = [valuesOf(makeFields(fn.config)), /** @type {Field[]} */ ([])];
    const content = () => ({ code, config: valuesOf(fields) });
    const isZip = fn.code_type === "zip";
    const isChanged = () => !isZip && JSON.stringify(valuesOf(fields)) !== JSON.stringify(saved);
    const [wrong, state] = [h("div"), h("p.foot")];
    const mark = () => {
      draft.keep(isChanged() ? valuesOf(fields) : null);
      showDiffers(state, isChanged() && `v${fn.version}`, () => show(saved));
      save.mark();
    };
    const show = (/** @type {Config} */ config) => {
      fields = makeFields(config);
      replace(form, fields.map(({ element }) => element));
      for (const input of form.querySelectorAll("input, select, button")) input.toggleAttribute("disabled", isZip);
      mark();
    };
    const save = saver(fn, signal, {
      content, isChanged, basis: draft.basis,
      saved({ config }) {
        saved = config;
        draft.keep(null);
        replace(wrong);
        mark();
      },
      failed: (error) => refuse(fields, error) || replace(wrong, failure(error)),
    });
    const form = h("form", { oninput: mark, onclick: mark, onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); save.button.click(); } });
    show(draft.content() ?? fn.config);
    const target = () => (isChanged() ? content() : { version: null });
    return { left: [isZip && h("p.muted", "The code is a zip. Its config is set where it is deployed."), wrong, form, state], run: { target, goToLine() {} }, actions: [save.button] };
  });
}

/** Reads which fields there are, and returns what makes them with the values of a config. @param {AbortSignal} signal */
async function readFields(signal) {
  const { components: { schemas: { FunctionConfigRequest: { properties }, ...schemas } } } = await get("/openapi.json", { signal });
  return (/** @type {Config} */ config) => [...new Set([...ORDER, ...Object.keys(properties)])].map((name) => {
    const field = properties[name];
    return makeField(name, { ...schemas[field.$ref?.split("/").pop()], ...field }, config[name]);
  });
}

/** @param {Field[]} fields @returns {Config} */
function valuesOf(fields) {
  return Object.fromEntries(fields.map(({ name, read }) => [name, read()]));
}

/** Shows against each field what the API says of it, and goes to the first; false where it says nothing of any. @param {Field[]} fields @param {unknown} error */
function refuse(fields, error) {
  const [first] = fields.filter((field) => error instanceof Problem && error.errors.some((one) => field.refuse(one)));
  first?.focus();
  return Boolean(first);
}

/** @param {string} name @param {Schema} schema @param {any} value */
function makeField(name, schema, value = schema.default) {
  const id = `config-${name}`;
  const isGroup = schema.type === "object" || schema.type === "array";
  const wrong = h("p.wrong", { id: `${id}-wrong` });
  const [control, read] = controlOf(schema, value, { id, "aria-describedby": `${id}-hint ${id}-wrong` });
  const [least, most, usual] = [schema.minimum, schema.maximum, schema.default].map((number) => amount(name, number));
  const range = schema.maximum === undefined ? "" : ` From ${least} to ${most}, ${usual} by default.`;
  const element = h("div.field", { oninput: () => tell("") },
    h(isGroup ? "span" : "label", { class: "label mono", for: isGroup ? null : id }, name), control,
    h("p.hint", { id: `${id}-hint` }, schema.description.replaceAll("`", ""), range), wrong);
  const inputs = () => /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("input, select"));
  const tell = (/** @type {string} */ text) => {
    setText(wrong, text);
    for (const input of inputs()) input.setAttribute("aria-invalid", String(text !== ""));
  };
  /** Shows what the API says against the field, and returns whether it does. @param {{ pointer?: string, detail: string }} problem */
  const refuse = ({ pointer = "", detail }) => {
    const [, , field, variable] = pointer.split("/");
    if (field !== name) return false;
    tell(variable ? `${variable} ${detail}` : detail);
    return true;
  };
  return { name, element, read, refuse, focus: () => inputs()[0]?.focus() };
}

/**
 * The control, and what reads it.
 * @param {Schema} schema
 * @param {any} value
 * @param {Record<string, string>} named
 * @returns {[HTMLElement, () => any]}
 */
function controlOf(schema, value, named) {
  if (schema.type === "object") return environment(value, named);
  // Layers: only AWS Lambda's API chooses them.
  if (schema.type === "array") return [h("p.mono", named, value?.map((/** @type {Config} */ { arn }) => arn).join(", ") || "none"), () => value];
  if (schema.type === "boolean") {
    const input = h("input", { type: "checkbox", checked: value, ...named });
    return [input, () => input.checked];
  }
  if (schema.enum) {
    const select = h("select", named, schema.enum.map((/** @type {string} */ one) => h("option", { selected: one === value }, one)));
    return [select, () => select.value];
  }
  if (schema.type !== "integer") {
    const input = h("input", { value, ...named, ...PLAIN });
    return [input, () => input.value || undefined];
  }
  const input = h("input", { type: "number", min: schema.minimum, max: schema.maximum, value, ...named });
  return [input, () => (input.value ? Number(input.value) : schema.default)];
}

/**
 * @param {Record<string, string>} variables
 * @param {Record<string, string>} named
 * @returns {[HTMLElement, () => Record<string, string>]}
 */
function environment(variables, named) {
  const rows = h("div.variables");
  const add = (name = "", value = "") => {
    const input = (/** @type {string} */ label, /** @type {string} */ value) =>
      h("input", { value, placeholder: label, "aria-label": label, ...PLAIN });
    const first = input("Name", name);
    const remove = () => { row.remove(); more.focus(); };
    const row = h("div", first, input("Value", value), button("×", remove, "icon", { "aria-label": `Remove ${name || "the variable"}` }));
    rows.append(row);
    return first;
  };
  const more = button("Add a variable", () => add().focus());
  for (const [name, value] of Object.entries(variables)) add(name, value);
  const read = () => {
    const pairs = [...rows.children].map((row) => [...row.querySelectorAll("input")].map((input) => input.value));
    return Object.fromEntries(pairs.filter(([name, value]) => name || value));
  };
  return [h("div", { role: "group", "aria-label": "Environment", ...named }, rows, more), read];
}

/** A number with its unit, as the field's name tells it. @param {string} name @param {number} value */
function amount(name, value) {
  if (name.endsWith("_ms")) return duration(value);
  if (name.endsWith("_bytes")) return bytes(value);
  return name.endsWith("_mb") ? bytes(value * 2 ** 20) : count(value);
}

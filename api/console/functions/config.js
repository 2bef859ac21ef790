// A function's config as a form, made of what the API's OpenAPI document says of each field.

import { get, Problem } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { failure } from "../base/states.js";
import { runPane } from "../run/pane.js";
import { makeField } from "./fields.js";
import { readCode } from "./function.js";
import { saver } from "./save.js";
import { functionView } from "./tabs.js";

/** What is set most stands first; other fields stand behind, before the environment. */
const FIRST = "timeout_ms memory_mb retries handler network subprocesses max_processes keep_input store_result".split(" ");

/** @type {import("../base/router.js").Open} */
export function open(at) {
  const { signal } = at;
  /** @type {import("./fields.js").Field[]} */
  let fields = [];
  const wrong = h("div");
  let code = "";
  const isChanged = () => fields.some((field) => !isSame(field.read(), field.value));
  const unusual = () => fields.filter(({ read, usual }) => !isSame(read(), usual)).map(({ name, read }) => [name, read()]);
  const content = () => ({ code, config: Object.fromEntries(unusual()) });
  const save = saver(signal, {
    isChanged, content,
    done() { for (const field of fields) field.settle(); replace(wrong); },
    failed(error) {
      replace(wrong);
      const wrongs = error instanceof Problem ? error.errors : [];
      const meant = wrongs.flatMap(({ pointer = "", detail }) => fields.filter((field) => field.refuse(pointer, detail)));
      if (meant.length) /** @type {HTMLElement | null} */ (meant[0].element.querySelector("[aria-invalid=true]"))?.focus();
      else replace(wrong, failure(error));
    },
  });
  return functionView("config", at, [save.button], async (fn, left, right) => {
    const [document, text] = await Promise.all([get("/openapi.json", { signal }), readCode(fn.name, fn.version, signal)]);
    const { schemas } = document.components;
    code = text;
    fields = Object.entries(schemas.FunctionConfigRequest.properties).map(([name, field]) =>
      makeField(name, { ...schemas[field.$ref?.split("/").pop()], ...field }, fn.config[name], save.mark));
    const rank = (/** @type {string} */ name) => (name === "environment" ? 100 : (FIRST.indexOf(name) + 50) % 50);
    fields.sort((a, b) => rank(a.name) - rank(b.name));
    const submit = (/** @type {Event} */ event) => { event.preventDefault(); save.button.click(); };
    replace(left, wrong, h("form", { on: { submit } }, fields.map(({ element }) => element)));
    const target = () => (isChanged() ? content() : { version: null });
    replace(right, runPane({ functionName: fn.name, target, signal, goToLine: () => {} }).element);
    save.begin(fn);
  });
}

/** @param {any} a @param {any} b */
function isSame(a, b) {
  const text = (/** @type {any} */ value) => JSON.stringify(value && typeof value === "object" ? Object.entries(value).sort() : value ?? null);
  return text(a) === text(b);
}

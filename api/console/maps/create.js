// A new map: a function, and its inputs from a file or pasted.

import { functionPath, get, send } from "../base/api.js";
import { openDialog } from "../base/dialog.js";
import { h, replace } from "../base/dom.js";
import { bytes } from "../base/format.js";
import { button } from "../base/parts.js";
import { address, go } from "../base/router.js";
import { failure } from "../base/states.js";

/** Opens the dialog. */
export function openCreate() {
  const controller = new AbortController();
  const { signal } = controller;
  const names = h("datalist", { id: "map-functions" });
  const name = h("input", { type: "text", list: "map-functions", required: true, autocomplete: "off", spellcheck: "false" });
  const file = h("input", { type: "file", accept: ".ndjson,.jsonl,.json,.txt" });
  const text = h("textarea", { rows: 6, class: "mono", spellcheck: "false", placeholder: '{"name": "Ada"}\n{"name": "Grace"}' });
  const chunk = h("input", { type: "number", min: 1, max: 10_000, placeholder: "as many as take some seconds" });
  const start = h("button", { class: "button main" }, "Start");
  const told = h("div");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    // A file is sent as it is read, not held in memory.
    const body = file.files?.[0] ?? new Blob([text.value]);
    start.disabled = true;
    replace(told, `Sending ${bytes(body.size)}…`);
    try {
      const headers = { "Content-Type": "application/x-ndjson" };
      const map = await send("POST", functionPath(name.value.trim(), "maps"), { text: body, headers, query: { chunk: chunk.value }, signal });
      close();
      go(address(["functions", map.function, "maps", map.id]));
    } catch (error) {
      if (!signal.aborted) replace(told, failure(error));
      start.disabled = false;
    }
  };
  const field = (/** @type {string} */ label, /** @type {HTMLElement} */ input) => h("label", { class: "field" }, label, input);
  const { close } = openDialog("New map", (close) => [h("form", { class: "stack", on: { submit } },
    field("Function", name), names, field("File with an input on each line", file), field("or the inputs, a line each", text),
    field("Inputs that a worker takes at once", chunk), told, h("div", { class: "buttons" }, button("Cancel", close), start))], { closed: () => controller.abort() });
  const option = (/** @type {{ name: string }} */ { name }) => h("option", { value: name });
  get("/v1/functions", { query: { limit: 200 }, signal }).then(({ functions }) => replace(names, functions.map(option)), () => {});
}

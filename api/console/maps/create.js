// A new map: a function, and its inputs from a file or pasted.

import { functionPath, send } from "../base/api.js";
import { openDialog } from "../base/dialog.js";
import { h, replace } from "../base/dom.js";
import { bytes } from "../base/format.js";
import { button, field } from "../base/parts.js";
import { address, go } from "../base/router.js";
import { attempt } from "../base/states.js";
import { functionNames, learnNames } from "../finder/names.js";

/** Opens the dialog. */
export function openCreate() {
  const controller = new AbortController();
  const { signal } = controller;
  const names = h("datalist", { id: "map-functions" });
  const name = h("input", { list: "map-functions", required: true, autocomplete: "off", spellcheck: "false" });
  const file = h("input", { type: "file" });
  const text = h("textarea", { rows: 6, class: "mono", spellcheck: "false", placeholder: '{"name": "Ada"}\n{"name": "Grace"}' });
  const chunk = h("input", { type: "number", min: 1, max: 10_000, placeholder: "as many as take some seconds" });
  const start = h("button", { class: "button main" }, "Start");
  const told = h("div");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    // A file is sent as it is read, not held in memory.
    const body = file.files?.[0] ?? new Blob([text.value]);
    start.disabled = true;
    await attempt(told, signal, async () => {
      replace(told, `Sending ${bytes(body.size)}…`);
      const headers = { "Content-Type": "application/x-ndjson" };
      const map = await send("POST", functionPath(name.value.trim(), "maps"), { text: body, headers, query: { chunk: chunk.value }, signal });
      close();
      go(address(["functions", map.function, "maps", map.id]));
    });
    start.disabled = false;
  };
  const { close } = openDialog("New map", (close) => [h("form", { class: "stack", on: { submit } },
    field("Function", name), names, field("File with an input on each line", file), field("or the inputs, a line each", text),
    field("Inputs that a worker takes at once", chunk), told, h("div", { class: "buttons" }, button("Cancel", close), start)),
  ], { closed: () => controller.abort() });
  learnNames().then(() => replace(names, functionNames().map((value) => h("option", { value }))), () => {});
}

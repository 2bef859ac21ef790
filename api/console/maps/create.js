// A new map: a function, and its inputs from a file or pasted.

import { functionPath, send } from "../base/api.js";
import { openForm } from "../base/dialog.js";
import { address, bytes, field, go, h, replace } from "../base/parts.js";
import { functionNames, learnNames } from "../finder/names.js";

/** Opens the dialog. */
export function openCreate() {
  const names = h("datalist", { id: "map-functions" });
  const name = h("input", { list: names.id, required: true, autocomplete: "off", spellcheck: "false" });
  const file = h("input", { type: "file" });
  const text = h("textarea.mono", { rows: 6, spellcheck: "false", placeholder: '{"name": "Ada"}\n{"name": "Grace"}' });
  const chunk = h("input", { type: "number", min: 1, max: 10_000, placeholder: "as many as take some seconds" });
  openForm("New map", [
    field("Function", name), names, field("File with an input on each line", file), field("or the inputs, a line each", text),
    field("Inputs that a worker takes at once", chunk),
  ], h("button.button.main", "Start"), async (signal, told) => {
    // A file is sent as it is read, not held in memory.
    const body = file.files?.[0] ?? new Blob([text.value]);
    replace(told, `Sending ${bytes(body.size)}…`);
    const headers = { "Content-Type": "application/x-ndjson" };
    const map = await send("POST", functionPath(name.value.trim(), "maps"), { text: body, headers, query: { chunk: chunk.value }, signal });
    go(address(["functions", map.function, "maps", map.id]));
  });
  learnNames().then(() => replace(names, functionNames().map((value) => h("option", { value }))), () => {});
}

// One dead letter: why it is there, and a way to run it all the same.

import { allows, ask, functionPath, get, send } from "../base/api.js";
import { confirm } from "../base/dialog.js";
import { address, attempt, button, card, facts, field, form, go, h, link, replace, skeleton, time, toast } from "../base/parts.js";
import { jsonEditor } from "../run/input.js";
import { members, parseError } from "../run/json.js";
import { clip } from "../run/text.js";
import { valueCard, valueView } from "../run/value.js";

/** @typedef {import("./groups.js").Letter} Letter */

/** @type {import("../base/router.js").Open} */
export function open({ parts: { id }, signal }) {
  const [state, body] = [h("div", skeleton(6)), h("div.stack")];
  const [path, short] = [`/v1/dead-letters/${encodeURIComponent(id)}`, id.slice(0, 8)];
  const run = (/** @type {() => Promise<void>} */ work) => attempt(state, signal, work);
  const redrive = async () => {
    const { function: name, execution } = await send("POST", `${path}/redrive`, { signal });
    leave("It is in the queue again.", name, execution);
  };
  const remove = async () => {
    if (!await confirm("Delete the dead letter", ["It is gone for good, with its input."], { verb: "Delete", isBad: true })) return;
    await send("DELETE", path, { signal });
    leave("The dead letter is gone.");
  };
  run(async () => show(body, await get(path, { signal }), state, signal));
  return {
    crumbs: [link(["dead-letters"], "Dead letters"), h("span", " / "), short],
    title: `Dead letter ${short}`,
    actions: allows("manage") ? [button("Delete", () => run(remove), "bad"), button("Redrive", () => run(redrive), "main")] : [],
    body: h("div.stack", state, body), place: "dead-letters", padded: true,
  };
}

/** @param {string} said @param {string} [name] @param {string} [execution] */
function leave(said, name, execution) {
  toast(said);
  go(address(name && execution ? ["functions", name, "executions", execution] : ["dead-letters"]));
}

/** @param {HTMLElement} body @param {Letter} letter @param {HTMLElement} state @param {AbortSignal} signal */
function show(body, letter, state, signal) {
  const { id, reason, kind, function: name, execution, received_at: at } = letter;
  const text = letter.body ?? "";
  const asked = readBody(text);
  replace(body,
    card("Why it is here", [], h("div.body.stack",
      h("bdi", clip(reason, 1100)),
      facts([
        ["kind", h("bdi", clip(kind ?? "none: SQS moved it", 60))], ["came", time(at)],
        ["function", name ? link(["functions", name], name) : "none that can be read"],
        name && execution && ["execution", link(["functions", name, "executions", execution], `${execution.slice(0, 12)}…`)], ["letter", id]]))),
    valueCard("Message", null, signal, async () => valueView(text, "message")),
    asked.isChunk ? h("p.muted", "It asks for a part of a map. Redrive it: it can't be edited.")
      : allows("execute") && editForm(letter, asked, state, signal));
}

/** @param {Letter} letter @param {ReturnType<typeof readBody>} asked @param {HTMLElement} state @param {AbortSignal} signal */
function editForm({ id, function: owner, execution }, { input, name, isApart }, state, signal) {
  const into = h("input", { value: owner ?? name, required: true, spellcheck: "false" });
  const { editor, take, element } = jsonEditor(input, "Input", signal);
  const submit = () => {
    const text = take();
    if (text === null) return;
    attempt(state, signal, async () => {
      const headers = { "Content-Type": "application/json" };
      const made = await send("POST", functionPath(into.value.trim(), "executions"), { text, headers, signal });
      if (allows("manage")) await send("DELETE", `/v1/dead-letters/${id}`, { signal }).catch(() => toast("The dead letter could not be deleted."));
      leave("It runs as a new execution.", made.function, made.id);
    });
  };
  // A large input lies apart, with its execution.
  if (isApart && owner && execution) {
    const path = functionPath(owner, "executions", execution, "input");
    attempt(state, signal, async () => editor.setValue(await (await ask("GET", path, { query: { redirect: false }, signal })).text()));
  }
  const run = h("button.button", allows("manage") ? "Run, and delete the letter" : "Run");
  return form("", submit, card("Edit and run", h("div.end", run),
    h("div.body.stack", field("Function", into), h("span.muted", "Input")), element));
}

/** What a message asks for: an envelope's input, to the digit, or all of it. @param {string} text */
function readBody(text) {
  if (parseError(text)) return { input: JSON.stringify(text), name: "" };
  const value = JSON.parse(text);
  if (typeof value?.function !== "string") return { input: text, name: "" };
  const { input = "null" } = members(text);
  return { input, name: value.function, isApart: "input_key" in value, isChunk: "map" in value && "chunk" in value };
}

// One dead letter: why it is there, and a way to run it all the same.

import { ask, functionPath, get, send } from "../base/api.js";
import { allows } from "../base/caller.js";
import { confirm } from "../base/dialog.js";
import { h, replace } from "../base/dom.js";
import { time } from "../base/format.js";
import { button, facts } from "../base/parts.js";
import { address, go } from "../base/router.js";
import { failure, skeleton } from "../base/states.js";
import { toast } from "../base/toast.js";
import { makeEditor } from "../editor/editor.js";
import { entries, findError, rootOf } from "../run/json.js";
import { clip } from "../run/text.js";
import { valueView } from "../run/value.js";

/** @typedef {import("./groups.js").Letter} Letter */
/** @typedef {(work: () => Promise<any>) => Promise<void>} Attempt does something, and shows what failed */

/** @type {import("../base/router.js").Open} */
export function open({ parts: { id }, signal }) {
  const [trouble, body] = [h("div"), h("div", { class: "stack" }, skeleton(6))];
  const path = `/v1/dead-letters/${encodeURIComponent(id)}`;
  /** @type {Attempt} */
  const attempt = async (work) => {
    replace(trouble);
    await work().catch((error) => { if (!signal.aborted) replace(trouble, failure(error)); });
  };
  const redrive = async () => {
    const { function: name, execution } = await send("POST", `${path}/redrive`, { signal });
    leave("It is in the queue again.", name, execution);
  };
  const remove = async () => {
    if (!await confirm("Delete the dead letter", ["It is gone for good, with its input."], { verb: "Delete", isBad: true })) return;
    await send("DELETE", path, { signal });
    leave("The dead letter is gone.");
  };
  attempt(async () => show(body, await get(path, { signal }), attempt, signal)).then(() => body.querySelector(".waiting")?.remove());
  return {
    crumbs: [h("a", { href: "#/dead-letters" }, "Dead letters"), h("span", {}, " / "), id.slice(0, 8)],
    title: `Dead letter ${id.slice(0, 8)}`,
    actions: allows("manage") ? [button("Delete", () => attempt(remove), "bad"), button("Redrive", () => attempt(redrive), "main")] : [],
    body: h("div", { class: "stack" }, trouble, body), place: "dead-letters", padded: true,
  };
}

/** @param {string} said @param {string} [name] @param {string} [execution] */
function leave(said, name, execution) {
  toast(said);
  go(name && execution ? address(["functions", name, "executions", execution]) : "#/dead-letters");
}

/** @param {HTMLElement} body @param {Letter} letter @param {Attempt} attempt @param {AbortSignal} signal */
function show(body, letter, attempt, signal) {
  const { id, reason, kind, function: name, execution, received_at: at } = letter;
  const text = letter.body ?? "";
  const asked = readBody(text);
  const link = (/** @type {string} */ shown, /** @type {string[]} */ ...parts) => h("a", { href: address(parts) }, shown);
  replace(body,
    h("section", { class: "card" }, h("header", {}, h("h2", {}, "Why it is here")), h("div", { class: "body stack" },
      h("p", {}, h("bdi", {}, clip(reason, 1100))),
      facts([
        ["kind", kind ? h("bdi", {}, clip(kind, 60)) : "none: SQS moved it"], ["came", time(at)],
        ["function", name ? link(name, "functions", name) : "none that can be read"],
        name && execution && ["execution", link(`${execution.slice(0, 12)}…`, "functions", name, "executions", execution)], ["letter", id]]))),
    h("section", { class: "card" }, h("header", {}, h("h2", {}, "Message")),
      h("div", { class: "body" }, valueView(undefined, { text, name: "message" }))),
    asked.isChunk ? h("p", { class: "muted" }, "It asks for a part of a map. Redrive it: it can't be edited.")
      : allows("execute") && editCard(letter, asked, attempt, signal));
}

/** @param {Letter} letter @param {ReturnType<typeof readBody>} asked @param {Attempt} attempt @param {AbortSignal} signal */
function editCard({ id, function: owner, execution }, { input, name, isApart }, attempt, signal) {
  const field = h("input", { type: "text", value: owner ?? name, required: true, spellcheck: "false" });
  const run = h("button", { class: "button" }, allows("manage") ? "Run, and delete the letter" : "Run");
  const check = (/** @type {string} */ text) => {
    const wrong = findError(text);
    editor.mark(wrong?.line ?? null, wrong?.message);
    run.disabled = wrong !== null;
  };
  const editor = makeEditor({ language: "json", value: input, label: "Input", signal, onChange: check });
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    attempt(async () => {
      const headers = { "Content-Type": "application/json" };
      const made = await send("POST", functionPath(field.value.trim(), "executions"), { text: editor.value, headers, signal });
      if (allows("manage")) await send("DELETE", `/v1/dead-letters/${id}`, { signal }).catch(() => toast("The dead letter could not be deleted."));
      leave("It runs as a new execution.", made.function, made.id);
    });
  };
  // A large input lies apart, with its execution.
  if (isApart && owner && execution) {
    const path = functionPath(owner, "executions", execution, "input");
    attempt(async () => editor.setValue(await (await ask("GET", path, { query: { redirect: false }, signal })).text()));
  }
  return h("form", { class: "card", on: { submit } },
    h("header", {}, h("h2", {}, "Edit and run"), h("div", { class: "end" }, run)),
    h("label", { class: "body field" }, "Function", field), h("div", { class: "body muted" }, "Input"), h("div", { class: "input" }, editor.element));
}

/** What a message asks for: an envelope's input, to the digit, or all of it. @param {string} text */
function readBody(text) {
  if (findError(text)) return { input: JSON.stringify(text), name: "" };
  const value = JSON.parse(text);
  if (typeof value?.function !== "string") return { input: text, name: "" };
  const found = [...entries(text, rootOf(text).start)].find(({ key }) => key === '"input"');
  const input = found ? text.slice(found.start, found.end) : "null";
  return { input, name: value.function, isApart: "input_key" in value, isChunk: "map" in value && "chunk" in value };
}

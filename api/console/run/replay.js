// Runs an execution again, with another input or version, and shows what came of both beside one another.

/** @import { Execution } from "./execution.js" */
/** @import { Request } from "./submit.js" */
import { functionPath, get } from "../base/api.js";
import { h, put, replace } from "../base/dom.js";
import { bind, kbd } from "../base/keys.js";
import { failure } from "../base/states.js";
import { diffView } from "../diff/diff.js";
import { withoutAnsi } from "./ansi.js";
import { exactText, fetchText, pathOf } from "./execution.js";
import { jsonEditor } from "./input.js";
import { sorted } from "./json.js";
import { outcome } from "./outcome.js";
import { cancelButton, newKey, submit } from "./submit.js";
import { card } from "./text.js";
import { textOf } from "./value.js";

/** @param {Execution} original @param {string} input @param {AbortSignal} signal */
export function replayCard(original, input, signal) {
  const { element, editor, check } = jsonEditor(input, "Input of the replay", signal);
  const same = original.version ? `v${original.version}, as before` : "the same code";
  const version = h("select", { "aria-label": "Version" }, h("option", { value: "" }, same));
  if (original.version) addVersions(version, original, signal).catch(() => {});
  const [came, compared, cancel] = [h("div", { class: "outcome" }), h("div", { class: "outcome wide" }), cancelButton()];
  let before = new AbortController();
  const run = () => {
    if (check()) return editor.focus();
    const text = editor.value.trim() || "null";
    const body = `{${version.value && `"version":${JSON.stringify(version.value)},`}"input":${text}}`;
    follow({ path: pathOf(original, "replay"), options: { text: body, headers: { ...newKey(), "Content-Type": "application/json" } } }, text);
  };
  const follow = async (/** @type {Request} */ request, /** @type {string} */ text) => {
    before.abort();
    before = new AbortController();
    const ends = AbortSignal.any([signal, before.signal]);
    const result = outcome({ signal: ends });
    replace(came, result.element);
    replace(compared);
    try {
      const replay = await submit(request, { result, functionName: original.function, input: text, cancel, signal: ends });
      replace(compared, await compare(original, replay, ends));
    } catch (error) {
      if (!ends.aborted) replace(compared, failure(error, () => follow(request, text)));
    }
  };
  bind("mod+Enter", "Run the replay", run, { signal });
  const button = h("button", { class: "button main", type: "button", on: { click: run } }, "Run again", kbd("mod+Enter"));
  return { editor, compared, elements: [card("Replay", h("span", { class: "end" }, version, cancel, button), element), came] };
}

/** @param {Element} select @param {Execution} original @param {AbortSignal} signal */
async function addVersions(select, { function: name, version }, signal) {
  const asked = [functionPath(name, "versions"), functionPath(name)].map((path) => get(path, { signal }));
  const [{ versions }, { aliases }] = await Promise.all(asked);
  for (const alias of Object.keys(aliases)) put(select, h("option", { value: alias }, alias));
  for (const { version: value } of versions) if (value !== version) put(select, h("option", { value }, `v${value}`));
}

/** @param {Execution} before @param {Execution} after @param {AbortSignal} signal */
async function compare(before, after, signal) {
  const [old, now] = await Promise.all([before, after].map((execution) => partsOf(execution, signal)));
  const names = /** @type {const} */ (["error", "result", "logs"]);
  return names.filter((name) => old[name] || now[name]).map((name) =>
    card(`Old and new ${name}`, [], h("div", { class: "body" }, diffView(old[name], now[name], { before: `old ${name}`, after: `new ${name}` }))));
}

/** @param {Execution} execution @param {AbortSignal} signal */
async function partsOf(execution, signal) {
  const { error, status, result, logs_url: logs } = execution;
  return {
    error: error ? [`${error.type ?? error.kind}: ${error.message}`, ...error.backtrace].join("\n") : "",
    result: status === "succeeded" ? sorted((await exactText(execution, "result", signal))?.text ?? textOf(result)) : "",
    logs: logs ? withoutAnsi((await fetchText(execution, "logs", signal)).text) : "",
  };
}

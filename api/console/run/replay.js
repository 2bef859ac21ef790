// Runs an execution again, with another input or version, and shows what came of both beside one another.

/** @import { Execution } from "./execution.js" */
import { functionPath, get } from "../base/api.js";
import { card, h } from "../base/parts.js";
import { diffView } from "../diff/diff.js";
import { withoutAnsi } from "./ansi.js";
import { exactText, fetchText, pathOf } from "./execution.js";
import { inLines } from "./json.js";
import { runner } from "./pane.js";

const MOST = 1024 * 1024;

/** @param {Execution} original @param {string} input @param {AbortSignal} signal */
export function replayCard(original, input, signal) {
  const same = original.version ? `v${original.version}, as before` : "the same code";
  const version = h("select", { "aria-label": "Version" }, h("option", { value: "" }, same));
  if (original.version) addVersions(version, original, signal).catch(() => {});
  /** @returns {[string, string]} */
  const requestOf = (/** @type {string} */ text) => {
    const other = version.value ? `"version":${JSON.stringify(version.value)},` : "";
    return [pathOf(original, "replay"), `{${other}"input":${text}}`];
  };
  const ended = async (/** @type {Execution} */ replay, /** @type {AbortSignal} */ until) => {
    made.place.append(...(await compare(original, replay, until)));
  };
  const made = runner({ title: "Replay", name: "Input of the replay", value: input, label: "Run again", requestOf, signal, ended });
  made.head.prepend(version);
  return made;
}

/** @param {Element} select @param {Execution} original @param {AbortSignal} signal */
async function addVersions(select, { function: name, version }, signal) {
  const { versions } = await get(functionPath(name, "versions"), { signal });
  for (const { version: value } of versions) if (value !== version) select.append(h("option", { value }, `v${value}`));
}

/** @param {Execution} before @param {Execution} after @param {AbortSignal} signal */
async function compare(before, after, signal) {
  const [old, now] = await Promise.all([before, after].map((execution) => partsOf(execution, signal)));
  const names = /** @type {const} */ (["error", "result", "logs"]);
  return names.filter((name) => old[name] || now[name]).map((name) =>
    card(`Old and new ${name}`, null, h("div.body",
      diffView(old[name], now[name], { before: `old ${name}`, after: `new ${name}` }))));
}

/** What is compared: the beginning of what is long. @param {Execution} execution @param {AbortSignal} signal */
async function partsOf(execution, signal) {
  const { error, status, logs_url: logs } = execution;
  return {
    error: error ? [`${error.type ?? error.kind}: ${error.message}`, ...error.backtrace].join("\n") : "",
    result: status === "succeeded" ? inLines((await exactText(execution, "result", signal)).slice(0, MOST)) : "",
    logs: logs ? withoutAnsi((await fetchText(execution, "logs", signal)).slice(0, MOST)) : "",
  };
}

// What came of an execution: how it stands, how long each station took, what it used; its error, result and logs.

/** @import { Execution, Failure, GoToLine } from "./execution.js" */
/** @import { Timings } from "./stations.js" */
import { allows } from "../base/api.js";
import { menuButton } from "../base/menu.js";
import { address, button, bytes, card, dollars, duration, facts, h, link, pill, replace, time } from "../base/parts.js";
import { copyAs } from "./copy_as.js";
import { costOf } from "./cost.js";
import { exactText, isFinal } from "./execution.js";
import { logsCard } from "./logs.js";
import { stations } from "./stations.js";
import { clip, longText } from "./text.js";
import { valueCard, valueView } from "./value.js";

/** `show` is told of one execution, again and again. @param {{ signal: AbortSignal, goToLine?: GoToLine }} options */
export function outcome({ signal, goToLine }) {
  const [bars, logs] = [stations(signal), logsCard()];
  const [head, rest] = [h("header"), h("div.stack")];
  let used = facts([]);
  let shown = "";

  /** @param {Execution} execution @param {Timings} [timings] where this page has sent it */
  function show(execution, timings) {
    const { error, status, result_bytes: size, result_encoding: encoding } = execution;
    bars.show(execution, timings);
    const before = used;
    used = factsOf(execution);
    before.replaceWith(used);
    if (shown === status) return;
    shown = status;
    replace(head, h("h2.unseen", "Outcome"), pill(status), error && h("span", error.kind),
      isFinal(execution) && actions(execution));
    const beside = encoding ? `${bytes(size)} of ${encoding}` : bytes(size);
    replace(rest, error && failureCard(error, execution, goToLine), status === "succeeded" &&
      valueCard("Result", beside, signal, async () => valueView(await exactText(execution, "result", signal), "result")));
    const line = error && failingLine(error);
    if (line) goToLine?.(line, error.message);
    logs.show(execution, signal);
  }

  const summary = h("section.card", head, h("div.body.stack", bars.element, used));
  return { element: h("div.outcome.stack", summary, rest, logs.element), show, addLogs: logs.add };
}

/** @param {Execution} execution */
function actions(execution) {
  return h("span.end", time(execution.finished_at),
    !execution.function.startsWith("_") && menuButton("Copy as", () => copyAs(execution)),
    allows("execute") && h("a.button", { href: replayAddress(execution) }, "Replay"));
}

/** Where it runs again. @param {Execution} execution */
export function replayAddress({ id, function: name }) {
  return address(["functions", name, "executions", id], { replay: "1" });
}

/** @param {Execution} execution */
function factsOf(execution) {
  const { usage, isolation, version, attempts, replay_of: original, function: name } = execution;
  return facts([
    usage && ["CPU", duration(usage.cpu_ms)],
    usage && ["memory", bytes(usage.max_rss_bytes)],
    isolation && ["isolation", h("span", { title: isolation.layers.join(", ") }, `tier ${isolation.tier}`)],
    version !== null && ["version", version],
    attempts > 1 && ["attempts", attempts],
    isFinal(execution) && attempts > 0 && ["cost", dollars(costOf(execution))],
    original && ["replay of", link(["functions", name, "executions", original], original)],
  ]);
}

/**
 * Why it failed: type, message and backtrace. Lines of the function's own code lead to it.
 * @param {Failure} error
 * @param {Execution} execution
 * @param {GoToLine} [goToLine] where the code is beside this
 */
function failureCard({ type, message, backtrace }, { id, function: name, version }, goToLine) {
  const lines = backtrace.map((text) => {
    const [line, shown] = [lineOf(text), clip(text, 600)];
    if (line && goToLine) return button(shown, () => goToLine(line), "", { class: "" });
    if (!line || !version) return shown;
    return h("a", { href: address(["functions", name], { version: String(version), execution: id }) }, shown);
  });
  return card("Error", null, h("div.body.failure.mono",
    longText(type ? `${type}: ${message}` : message, 1000), h("ol", { dir: "auto" }, lines.map((line) => h("li", line)))));
}

/** The line of the function's code where it failed. @param {Failure} error */
function failingLine({ kind, message, backtrace }) {
  return lineOf(backtrace.find(lineOf) ?? (kind === "syntax" ? message : ""));
}

/** @param {string} text */
function lineOf(text) {
  return Number(/^function\.rb:(\d+)/.exec(text)?.[1]) || null;
}

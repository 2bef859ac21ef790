// What came of an execution: how it stands, how long each station took, what it used; its error, result and logs.

/** @import { Execution } from "./execution.js" */
/** @import { Timings } from "./stations.js" */
import { allows } from "../base/caller.js";
import { h, put, replace } from "../base/dom.js";
import { bytes, dollars, duration, pill, time } from "../base/format.js";
import { menuButton } from "../base/menu.js";
import { address } from "../base/router.js";
import { failure, skeleton } from "../base/states.js";
import { copyAs } from "./copy_as.js";
import { costOf } from "./cost.js";
import { exactText, isFinal } from "./execution.js";
import { failingLine, failureCard } from "./failure.js";
import { Logs } from "./logs.js";
import { stations } from "./stations.js";
import { card, longText } from "./text.js";
import { textOf, valueView } from "./value.js";

/** @typedef {ReturnType<typeof outcome>} Outcome */

/** @param {{ signal: AbortSignal, goToLine?: (line: number | null, message?: string) => void }} options */
export function outcome({ signal, goToLine }) {
  const [bars, logs] = [stations(signal), new Logs()];
  const [head, facts, rest] = [h("header"), h("dl", { class: "facts" }), h("div", { class: "outcome" })];
  let [id, status] = ["", ""];
  let loading = new AbortController();

  /** @param {Execution} execution @param {Timings} [timings] where this page has sent it */
  function show(execution, timings) {
    const { error } = execution;
    bars.show(execution, timings);
    replace(facts, factsOf(execution));
    if (id !== execution.id) {
      loading.abort();
      loading = new AbortController();
      logs.reset();
    }
    const ends = AbortSignal.any([signal, loading.signal]);
    if (id !== execution.id || status !== execution.status) {
      ({ id, status } = execution);
      const hadFocus = head.contains(document.activeElement);
      replace(head, heading(execution, timings?.input));
      if (hadFocus) head.querySelector("button")?.focus();
      replace(rest, error && failureCard(error, codeOf(execution), goToLine), status === "succeeded" && resultCard(execution, ends));
      const line = error && failingLine(error);
      if (line) goToLine?.(line, error.message);
    }
    logs.show(execution, isFinal(execution), ends).catch((failed) => { if (!ends.aborted) put(rest, failure(failed)); });
  }

  const summary = h("section", { class: "card" }, head, h("div", { class: "body run" }, bars.element, facts));
  return { element: h("div", { class: "outcome" }, summary, rest, logs.element), show, addLogs: logs.add.bind(logs) };
}

/** Where its code is shown, with the failing line marked; nowhere for a one-shot. @param {Execution} execution */
function codeOf({ id, function: name, version }) {
  return version ? address(["functions", name], { version: String(version), execution: id }) : "";
}

/** @param {Execution} execution @param {string} [sent] the input as it was sent */
function heading(execution, sent) {
  const { id, function: name, status, error, finished_at, submitted_at, input } = execution;
  const replay = address(["functions", name, "executions", id], { replay: "1" });
  const text = () => sent ?? (input === null ? null : textOf(input));
  return [
    h("h2", { class: "unseen" }, "Outcome"), pill(status), error && h("span", {}, error.kind),
    h("span", { class: "end" },
      id && time(finished_at ?? submitted_at),
      id && !name.startsWith("_") && menuButton("Copy as", () => copyAs(execution, text())),
      isFinal(execution) && allows("execute") && h("a", { class: "button", href: replay }, "Replay")),
  ];
}

/** @param {Execution} execution */
function factsOf(execution) {
  const { usage, isolation, version, attempts, replay_of: original, function: name } = execution;
  const facts = {
    CPU: usage && duration(usage.cpu_ms),
    memory: usage && bytes(usage.max_rss_bytes),
    isolation: isolation && tierOf(isolation),
    version: version !== null && String(version),
    attempts: attempts > 1 && String(attempts),
    cost: isFinal(execution) && attempts > 0 && dollars(costOf(execution)),
    "replay of": original && h("a", { class: "link", href: address(["functions", name, "executions", original]) }, original),
  };
  return Object.entries(facts).map(([label, fact]) => fact && h("div", {}, h("dt", {}, label), h("dd", {}, fact)));
}

/** @param {{ tier: number, layers: string[] }} isolation */
function tierOf({ tier, layers }) {
  const told = h("span", { class: "layers" }, ` ${layers.join(", ") || "no layers"}`);
  const button = h("button", { class: "tier", type: "button" }, `tier ${tier}`, told);
  button.onkeydown = ({ key }) => { if (key === "Escape") button.blur(); };
  return button;
}

/** @param {Execution} execution @param {AbortSignal} signal */
function resultCard(execution, signal) {
  const { result, result_url: href, result_bytes: size } = execution;
  const body = h("div", { class: "body" }, skeleton(2));
  const load = async () => {
    try {
      const fetched = await exactText(execution, "result", signal);
      if (!fetched?.isCut) return replace(body, valueView(result, { text: fetched?.text, name: "result" }));
      const { text } = fetched;
      const whole = href && h("a", { class: "button", href, download: "" }, "Download");
      replace(body,
        h("div", { class: "value-body", tabindex: "0", role: "group", "aria-label": "result" }, longText(text, text.length)),
        h("p", { class: "muted" }, `The first ${bytes(text.length)} of ${bytes(size)}. `, whole));
    } catch (error) {
      if (!signal.aborted) replace(body, failure(error, load));
    }
  };
  load();
  return card("Result", h("span", {}, bytes(size)), body);
}

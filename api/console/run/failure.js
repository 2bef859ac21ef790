// Why an execution failed: type, message and backtrace. Lines of the function's own code lead to it.

/** @import { Failure } from "./execution.js" */
import { h } from "../base/dom.js";
import { card, clip, longText } from "./text.js";

/**
 * @param {Failure} error
 * @param {string} href where the code is shown, if it is not beside this
 * @param {(line: number | null, message?: string) => void} [goToLine]
 */
export function failureCard({ type, message, backtrace }, href, goToLine) {
  const lines = backtrace.map((text) => {
    const [line, shown] = [lineOf(text), clip(text, 600)];
    if (line && goToLine) return h("button", { type: "button", title: `Go to line ${line}`, on: { click: () => goToLine(line) } }, shown);
    return line && href ? h("a", { href, title: "Show the code" }, shown) : shown;
  });
  return card("Error", [], h("div", { class: "body failure mono" },
    longText(type ? `${type}: ${message}` : message, 1000), h("ol", { dir: "auto" }, lines.map((line) => h("li", {}, line)))));
}

/** The line of the function's code where it failed. @param {Failure} error */
export function failingLine({ kind, message, backtrace }) {
  return lineOf(backtrace.find(lineOf) ?? (kind === "syntax" ? message : ""));
}

/** @param {string} text */
function lineOf(text) {
  return Number(/^function\.rb:(\d+)/.exec(text)?.[1]) || null;
}

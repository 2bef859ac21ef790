// The filter box: completes what is typed, and tells what is wrong with it.

import { combobox } from "../base/combobox.js";
import { announce, h, setText } from "../base/dom.js";
import { bind } from "../base/keys.js";
import { debounced } from "../base/poll.js";
import { functionNames, learnNames } from "../finder/names.js";
import { complete, parse, wordAt } from "./filter.js";

/**
 * `apply` is called with each filter that holds. With `only`, all is of that function.
 * @param {{ text: string, only: string, apply: (filter: import("./filter.js").Filter) => void, signal: AbortSignal }} given
 */
export function filterBox({ text, only, apply, signal }) {
  const told = h("p.wrong", { id: "told" });
  const look = (/** @type {string} */ text, /** @type {number} */ cursor) =>
    complete(text, cursor, functionNames()).filter((option) => !only || !option.startsWith("function:")).map((text) => ({ text }));
  const take = (/** @type {{ text: string }} */ { text }) => {
    const [from, to] = wordAt(input.value, input.selectionStart ?? 0);
    input.setRangeText(text.endsWith(":") ? text : `${text} `, from, to + Number(input.value[to] === " "), "end");
    show();
    readSoon();
  };
  const { input, list, show, close } = combobox({ label: "Filter executions", placeholder: `status:failed ${only ? "" : "function:resize "}since:2h`, look, take });
  /** What is typed holds as soon as it can be read; what is wrong is told on Enter, or when the box is left. */
  const read = (isDone = true) => {
    const { filter, error } = parse(input.value);
    const wrong = error || (only && filter.function ? `All of these are of ${only}. Executions lists those of all functions.` : "");
    if (!isDone && (wrong || (filter.function && !functionNames().includes(filter.function)))) return;
    input.ariaInvalid = String(wrong !== "");
    if (wrong && wrong !== told.textContent) announce(wrong);
    setText(told, wrong);
    if (!wrong) apply(filter);
  };
  const readSoon = debounced(250, () => signal.aborted || read(false));
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Escape") input.blur();
    if (event.key !== "Enter") return;
    close();
    read();
  };
  const open = () => { show(); learnNames().then(() => list.hidden || show(), () => {}); };
  const on = { input: readSoon, focus: open, click: () => list.hidden && show(), blur: () => { close(); read(); }, keydown: press };
  for (const [event, listener] of Object.entries(on)) input.addEventListener(event, /** @type {EventListener} */ (listener));
  input.setAttribute("aria-describedby", told.id);
  bind("/", "Filter the list", () => { input.focus(); input.select(); }, signal);
  const set = (/** @type {string} */ text) => { input.value = text; read(); };
  set(text);
  return { element: h("div.filter", input, list, told), clear: () => set("") };
}

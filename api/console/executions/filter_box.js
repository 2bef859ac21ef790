// The filter box: completes what is typed, and tells what is wrong with it.

import { combobox } from "../base/combobox.js";
import { announce, h, setText } from "../base/dom.js";
import { bind } from "../base/keys.js";
import { debounced } from "../base/poll.js";
import { address, go } from "../base/router.js";
import { findExecution } from "../finder/find_execution.js";
import { functionNames, learnNames } from "../finder/names.js";
import { complete, parse, print } from "./filter.js";

/**
 * `apply` is called with each filter that holds. With `only`, all is of that function.
 * @param {{ text: string, only: string, apply: (filter: import("./filter.js").Filter) => void, signal: AbortSignal }} given
 */
export function filterBox({ text, only, apply, signal }) {
  const told = h("p", { class: "told", id: "told", hidden: true });
  const look = (/** @type {string} */ text, /** @type {number} */ cursor) => {
    const { from, to, options } = complete(text, cursor, functionNames());
    return { options: options.filter((option) => !only || !option.startsWith("function:")).map((text) => ({ text })), isBegun: from < to };
  };
  const take = (/** @type {{ text: string }} */ { text }) => {
    const { from, to } = complete(input.value, input.selectionStart ?? 0, []);
    input.setRangeText(text.endsWith(":") ? text : `${text} `, from, to + Number(input.value[to] === " "), "end");
    show();
    applySoon();
  };
  const { input, list, show, close } = combobox({ label: "Filter executions", placeholder: `status:failed ${only ? "" : "function:resize "}since:2h`, look, take });
  const tell = (/** @type {string} */ sentence, isWrong = true) => {
    told.hidden = !sentence;
    told.classList.toggle("wrong", isWrong);
    input.setAttribute("aria-invalid", String(isWrong && sentence !== ""));
    if (sentence && told.textContent !== sentence) announce(sentence);
    setText(told, sentence);
  };
  const read = () => {
    const parsed = parse(input.value);
    if (only && parsed.filter.function) parsed.error ||= `All of these are of ${only}. Executions lists those of all functions.`;
    return parsed;
  };
  const enter = () => {
    const { filter, id, error } = read();
    close();
    tell(error);
    if (error) return;
    if (id) return void openById(id, tell, signal);
    input.value = print(filter);
    apply(filter);
  };
  // What is typed holds as soon as it can be read; what is wrong is told on Enter, or when the box is left.
  const applySoon = debounced(250, () => {
    const { filter, id, error } = read();
    if (signal.aborted || error || id) return;
    tell("");
    apply(filter);
  });
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Enter") enter();
    if (event.key === "Escape") input.blur();
  };
  const open = () => { show(); learnNames().then(() => { if (!list.hidden) show(); }, () => {}); };
  const on = { input: applySoon, focus: open, click: () => { if (list.hidden) show(); }, blur: () => { close(); tell(read().error); }, keydown: press };
  for (const [event, listener] of Object.entries(on)) input.addEventListener(event, /** @type {EventListener} */ (listener));
  input.value = text;
  input.setAttribute("aria-describedby", told.id);
  bind("/", "Filter the list", () => { input.focus(); input.select(); }, { signal });
  const set = (/** @type {string} */ next) => { input.value = next; enter(); };
  if (text) enter();
  return { element: h("div", { class: "filter" }, input, list, told), set };
}

/** @param {string} id @param {(sentence: string, isWrong?: boolean) => void} tell @param {AbortSignal} signal */
async function openById(id, tell, signal) {
  tell("Looking for that execution.", false);
  try {
    const name = await findExecution(id, signal);
    if (signal.aborted) return;
    if (name) go(address(["functions", name, "executions", id]));
    else tell("No function has an execution of this id.");
  } catch (error) {
    if (!signal.aborted) tell(String(error));
  }
}

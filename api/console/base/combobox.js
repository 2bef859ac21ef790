// A text input with options below it, as ARIA's combobox has it: the focus stays in the input, and one option is active.

import { h, replace } from "./dom.js";

let number = 0;

/**
 * `look` tells what to offer after each key; once a word is begun, the first of it is active. With `stays`, options are always
 * shown.
 * @template {{ text: string, hint?: string }} O
 * @param {{ label: string, placeholder: string, look: (text: string, cursor: number) => O[], take: (option: O) => void, stays?: boolean }} given
 */
export function combobox({ label, placeholder, look, take, stays = false }) {
  const id = `options-${++number}`;
  const list = h("div.options", { id, role: "listbox", "aria-label": label, hidden: true });
  /** @type {O[]} */
  let options = [];
  let active = -1;
  const activate = (/** @type {number} */ at) => {
    list.children[active]?.setAttribute("aria-selected", "false");
    const option = list.children[(active = at)];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option?.id ?? "");
  };
  const set = (/** @type {O[]} */ next, isBegun = false) => {
    options = next;
    replace(list, options.map((option, at) => optionOf(`${id}-${at}`, option, () => take(option))));
    list.hidden = !options.length;
    input.ariaExpanded = String(!list.hidden);
    activate(isBegun ? 0 : -1);
  };
  const begun = () => input.value.slice(0, input.selectionStart ?? 0);
  const show = () => set(look(input.value, begun().length), stays || /\S$/.test(begun()));
  const close = () => set([]);
  const keydown = (/** @type {KeyboardEvent} */ event) => {
    const { key } = event;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (event.isComposing || event.metaKey || event.ctrlKey || event.altKey) return;
    if (step && list.hidden) show();
    else if (step) activate((Math.max(active, step < 0 ? 0 : -1) + step + options.length) % options.length);
    else if ((key === "Enter" || (key === "Tab" && !stays && !event.shiftKey)) && options[active]) take(options[active]);
    else if (key === "Escape" && !stays && !list.hidden) close();
    else return;
    event.preventDefault();
  };
  const input = h("input", {
    type: "text", role: "combobox", "aria-label": label, "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": "false",
    autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder, onkeydown: keydown, oninput: show,
  });
  return { input, list, show, close };
}

/** @param {string} id @param {{ text: string, hint?: string }} option @param {() => void} take */
function optionOf(id, { text, hint }, take) {
  // The focus stays in the input.
  const onmousedown = (/** @type {Event} */ event) => event.preventDefault();
  return h("div.option", { id, role: "option", "aria-selected": "false", onmousedown, onclick: take }, h("span", text), hint && h("span.muted", hint));
}

// A text input with options below it, as ARIA's combobox has it: the focus stays in the input, and one option is active.

import { h, replace } from "./dom.js";

let number = 0;

/**
 * `look` tells what to offer after each key, the first of it active where `isBegun`. With `stays`, options are always shown.
 * @template {{ text: string, hint?: string }} O
 * @param {{ label: string, placeholder: string, look: (text: string, cursor: number) => { options: O[], isBegun: boolean }, take: (option: O) => void, stays?: boolean }} given
 */
export function combobox({ label, placeholder, look, take, stays = false }) {
  const id = `options-${++number}`;
  const list = h("div", { class: "options", id, role: "listbox", "aria-label": label, hidden: true });
  const input = h("input", {
    type: "text", role: "combobox", "aria-label": label, "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": "false",
    autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder,
  });
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
    replace(list, options.map((option, at) => h("div", {
      class: "option", id: `${id}-${at}`, role: "option", "aria-selected": "false",
      on: { mousedown: (event) => event.preventDefault(), click: () => take(option) },
    }, h("span", {}, option.text), option.hint && h("span", { class: "muted" }, option.hint))));
    list.hidden = !options.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    activate(isBegun && options.length ? 0 : -1);
  };
  const show = () => { const { options, isBegun } = look(input.value, input.selectionStart ?? 0); set(options, isBegun); };
  const close = () => set([]);
  const press = (/** @type {KeyboardEvent} */ event) => {
    const { key } = event;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (event.isComposing || event.metaKey || event.ctrlKey || event.altKey) return;
    if (step && list.hidden) show();
    else if (step) activate((Math.max(active, step < 0 ? 0 : -1) + step + options.length) % options.length);
    else if ((key === "Enter" || (key === "Tab" && !stays && !event.shiftKey)) && active >= 0) take(options[active]);
    else if (key === "Escape" && !stays && !list.hidden) close();
    else return;
    event.preventDefault();
  };
  input.addEventListener("keydown", press);
  input.addEventListener("input", show);
  return { input, list, show, close };
}

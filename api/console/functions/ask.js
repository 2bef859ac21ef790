// A dialog with a form, and the one that deletes a function.

import { functionPath, send } from "../base/api.js";
import { openDialog } from "../base/dialog.js";
import { h, replace } from "../base/dom.js";
import { button } from "../base/parts.js";
import { go } from "../base/router.js";
import { failure } from "../base/states.js";
import { toast } from "../base/toast.js";

/** Of an input that holds no words. */
export const PLAIN = { autocomplete: "off", spellcheck: "false" };

/**
 * Closes once `submit` is through, and shows why it was not.
 * @param {string} title
 * @param {(HTMLElement | false)[]} content
 * @param {HTMLButtonElement} act
 * @param {() => Promise<void>} submit
 */
export function askInForm(title, content, act, submit) {
  const wrong = h("div");
  openDialog(title, (close) => [h("form", { class: "fields", on: {
    submit: (event) => { event.preventDefault(); submit().then(close, (error) => replace(wrong, failure(error))); },
  } }, content, wrong, h("div", { class: "buttons" }, button("Cancel", close), act))]);
}

/** A control under its label. @param {string} label @param {HTMLElement} control @param {...(Node | string)} beside */
export function field(label, control, ...beside) {
  return h("div", { class: "field" }, h("label", { for: control.id }, label), h("div", { class: "amount" }, control, beside));
}

/** Whoever deletes a function types its name. @param {string} name */
export function deleteFunction(name) {
  const act = h("button", { class: "button bad", disabled: true }, `Delete ${name}`);
  const input = h("input", { id: "delete-name", ...PLAIN, on: { input: () => { act.disabled = input.value !== name; } } });
  const about = h("p", {}, "Its versions and aliases go with it. What is queued for it ends as not_found. There is no way back.");
  askInForm(`Delete ${name}`, [about, field(`Type ${name}`, input)], act, async () => {
    await send("DELETE", functionPath(name));
    toast(`Deleted ${name}.`);
    go("#/functions");
  });
}

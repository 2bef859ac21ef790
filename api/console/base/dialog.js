// Dialogs: one asks, one shows.

import { h, replace } from "./dom.js";
import { button } from "./parts.js";
import { failure } from "./states.js";

let number = 0;

/**
 * Opens a dialog. `make` is given what closes it, and returns what stands in it. The focus goes back to where it was.
 * @param {string} title
 * @param {(close: () => void) => (Node | string | null | false)[]} make
 * @param {{ class?: string, closed?: () => void }} [options]
 */
export function openDialog(title, make, options = {}) {
  const id = `dialog-${++number}`;
  const back = document.activeElement;
  const dialog = h("dialog", { class: options.class, "aria-labelledby": id });
  const close = () => dialog.close();
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (back instanceof HTMLElement && back.isConnected) back.focus();
    options.closed?.();
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) close(); });
  replace(dialog, h("div", { class: "inside" }, h("h2", { id }, title), make(close)));
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, close };
}

/**
 * Asks before something is done, and returns whether to do it.
 * @param {string} title
 * @param {(Node | string)[]} body
 * @param {{ verb: string, isBad?: boolean, class?: string }} options
 * @returns {Promise<boolean>}
 */
export function confirm(title, body, { verb, isBad = false, class: name }) {
  return new Promise((resolve) => {
    let answer = false;
    openDialog(title, (close) => [
      ...body.map((part) => (typeof part === "string" ? h("p", {}, part) : part)),
      h("div", { class: "buttons" },
        h("button", { class: "button", type: "button", on: { click: close } }, "Cancel"),
        h("button", { class: isBad ? "button bad" : "button main", type: "button", on: { click: () => { answer = true; close(); } } }, verb)),
    ], { class: name, closed: () => resolve(answer) });
  });
}

/**
 * A dialog with a form. It closes once `submit` is through, and shows why it was not.
 * @param {string} title
 * @param {(HTMLElement | false)[]} content
 * @param {HTMLButtonElement} act
 * @param {() => Promise<unknown>} submit
 */
export function openForm(title, content, act, submit) {
  const wrong = h("div");
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    submit().then(close, (error) => replace(wrong, failure(error)));
  };
  const { close } = openDialog(title, (close) => [
    h("form", { class: "stack", on: { submit: send } }, content, wrong, h("div", { class: "buttons" }, button("Cancel", close), act)),
  ]);
}

// Dialogs: one asks, one shows.

import { attempt, button, form, h, replace } from "./parts.js";

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
  replace(dialog, h("div.inside", h("h2", { id }, title), make(close)));
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
      ...body.map((part) => (typeof part === "string" ? h("p", part) : part)),
      h("div.buttons",
        button("Cancel", close), button(verb, () => { answer = true; close(); }, isBad ? "bad" : "main")),
    ], { class: name, closed: () => resolve(answer) });
  });
}

/**
 * A dialog with a form. It closes once `submit` is through, and shows why it was not. What goes on may be told in `told`; it ends
 * with the dialog.
 * @param {string} title
 * @param {(HTMLElement | false)[]} content
 * @param {HTMLButtonElement} act
 * @param {(signal: AbortSignal, told: HTMLElement) => Promise<unknown>} submit
 */
export function openForm(title, content, act, submit) {
  const [told, controller] = [h("div"), new AbortController()];
  const send = async () => {
    act.disabled = true;
    await attempt(told, controller.signal, async () => {
      await submit(controller.signal, told);
      close();
    });
    act.disabled = false;
  };
  const { close } = openDialog(title, (close) => [
    form("stack", send, content, told, h("div.buttons", button("Cancel", close), act)),
  ], { closed: () => controller.abort() });
}

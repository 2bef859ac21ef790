// The token that requests bear, and what asks for one where the API wants it. It is kept for as long as the tab is open.

import { h } from "./dom.js";

const KEY = "badlambda.token";
/** @type {Promise<void> | null} */
let asking = null;

/** The token to send; null where there is none. */
export function token() {
  return sessionStorage.getItem(KEY);
}

/** @param {string | null} text */
export function keepToken(text) {
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
}

/**
 * Returns once there is another token than `refused`. All who wait share one dialog.
 * @param {string | null} refused
 */
export function askForToken(refused) {
  if (token() !== refused) return Promise.resolve();
  asking ??= show(refused !== null).finally(() => { asking = null; });
  return asking;
}

/** @param {boolean} isWrong */
function show(isWrong) {
  return new Promise((resolve) => {
    const input = h("input", { type: "password", id: "token", autocomplete: "off", required: true, "aria-describedby": "token-hint" });
    const hint = isWrong ? "The API does not know that token. Try another one." : "The API asks for a token. It is kept until you close this tab.";
    const accept = (/** @type {Event} */ event) => {
      event.preventDefault();
      keepToken(input.value.trim());
      dialog.remove();
      resolve(undefined);
    };
    const dialog = h("dialog.token", { "aria-labelledby": "token-title" }, h("form", { onsubmit: accept },
      h("h2", { id: "token-title" }, "Sign in"),
      h("div.field", h("label", { for: "token" }, "Token"), input, h("p", { class: isWrong ? "wrong" : "hint", id: "token-hint" }, hint)),
      h("div.buttons", h("button.button.main", "Sign in"))));
    // A browser may close it by Escape without asking.
    dialog.addEventListener("close", () => { if (dialog.isConnected) dialog.showModal(); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

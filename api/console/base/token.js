// Asks for a token where the API wants one.

import { h, replace } from "./dom.js";
import { keepToken, token } from "./session.js";

/** @type {Promise<void> | null} */
let asking = null;

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
    const dialog = h("dialog", { class: "token", "aria-labelledby": "token-title" });
    const accept = (/** @type {Event} */ event) => {
      event.preventDefault();
      keepToken(input.value.trim());
      dialog.remove();
      resolve(undefined);
    };
    replace(
      dialog,
      h("form", { on: { submit: accept } },
        h("h2", { id: "token-title" }, "Sign in"),
        h("div", { class: "field" },
          h("label", { for: "token" }, "Token"),
          input,
          h("p", { class: isWrong ? "wrong" : "hint", id: "token-hint" }, hint)),
        h("div", { class: "buttons" }, h("button", { class: "button main" }, "Sign in"))),
    );
    // A browser may close it by Escape without asking.
    dialog.addEventListener("close", () => { if (dialog.isConnected) dialog.showModal(); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

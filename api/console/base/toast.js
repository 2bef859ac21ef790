// A line at the foot of the page about something that was done, with one thing to do about it.

import { announce, h } from "./dom.js";

/**
 * @param {string} text
 * @param {{ label: string, act: () => void }} [action]
 */
export function toast(text, action) {
  let place = document.querySelector(".toasts");
  if (!place) {
    place = h("div.toasts");
    document.body.append(place);
  }
  const line = h("div.toast", h("span", text), action && h("button", { type: "button", onclick: () => { line.remove(); action.act(); } }, action.label));
  place.append(line);
  announce(text);
  // There is time to read what can be done, and to do it.
  setTimeout(() => line.remove(), action ? 20_000 : 6000);
}

/**
 * Copies text, and says so.
 * @param {string} text
 * @param {string} what
 */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied ${what}.`);
  } catch {
    toast(`The browser did not allow to copy ${what}.`);
  }
}

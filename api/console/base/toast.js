// A line at the foot of the page about something that was done, with one thing to do about it.

import { announce, h } from "./dom.js";

/**
 * @param {string} text
 * @param {{ label: string, act: () => void }} [action]
 */
export function toast(text, action) {
  let place = document.querySelector(".toasts");
  if (!place) {
    place = h("div", { class: "toasts" });
    document.body.append(place);
  }
  const line = h("div", { class: "toast" }, h("span", {}, text));
  if (action) line.append(h("button", { type: "button", on: { click: () => { line.remove(); action.act(); } } }, action.label));
  place.append(line);
  announce(text);
  setTimeout(() => line.remove(), 6000);
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

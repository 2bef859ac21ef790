// The keyboard: what each key does here, and the page that tells of it.

import { openDialog } from "./dialog.js";
import { button, h } from "./parts.js";

/** @typedef {{ keys: string, does: string, act: (event: KeyboardEvent) => void }} Binding */

/** @type {Set<Binding>} */
const bindings = new Set();
/** The key that was pressed just before, for pairs such as `g f`. */
let before = { key: "", at: 0 };
const isApple = /Mac|iPhone|iPad/.test(navigator.platform);

/**
 * Binds keys until the signal aborts: `k`, `Escape`, `mod+Enter` (⌘ on a Mac, Ctrl elsewhere), `g f` (one after the other).
 * Bare keys do nothing while somebody types.
 * @param {string} keys
 * @param {string} does what they do, for the list of keys
 * @param {(event: KeyboardEvent) => void} act
 * @param {AbortSignal} [signal]
 */
export function bind(keys, does, act, signal) {
  const binding = { keys, does, act };
  bindings.add(binding);
  signal?.addEventListener("abort", () => bindings.delete(binding), { once: true });
}

/**
 * Has `j` and `k` move the focus through what is listed in a place; Enter opens it, as ever.
 * @param {HTMLElement} place
 * @param {string} selector
 * @param {AbortSignal} signal
 */
export function bindMoves(place, selector, signal) {
  const move = (/** @type {number} */ by) => {
    const all = /** @type {HTMLElement[]} */ ([...place.querySelectorAll(selector)]);
    all[Math.max(0, Math.min(all.length - 1, all.findIndex((one) => one === document.activeElement) + by))]?.focus();
  };
  bind("j", "Next", () => move(1), signal);
  bind("k", "Before", () => move(-1), signal);
}

/**
 * Keys as they are printed on a keyboard: `⌘K` or `Ctrl K`.
 * @param {string} keys
 */
export function printed(keys) {
  const name = keys.replace("Escape", "Esc").replace("Enter", isApple ? "↵" : "Enter");
  return name.replace(/^mod\+(.)/, (_, letter) => (isApple ? "⌘" : "Ctrl ") + letter.toUpperCase());
}

/**
 * A key, to stand on a button.
 * @param {string} keys
 */
export function kbd(keys) {
  return h("kbd", { "aria-hidden": "true" }, printed(keys));
}

/** Listens to the keyboard. */
export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const typing = isTyping(event.target);
    const mod = event.metaKey || event.ctrlKey;
    const name = event.key === " " ? "Space" : event.key;
    const pressed = mod ? `mod+${name.length === 1 ? name.toLowerCase() : name}` : name;
    const pair = !mod && Date.now() - before.at < 1000 ? `${before.key} ${name}` : "";
    before = { key: name, at: Date.now() };
    // In a dialog or a menu, only its own keys count; and a button that has the focus is pressed by Enter.
    if (document.querySelector("dialog[open], :popover-open") && !mod) return;
    if (pressed === "Enter" && event.target instanceof Element && event.target.closest("a[href], button, summary")) return;
    const candidates = [...bindings].reverse().filter(({ keys }) => keys.startsWith("mod+") || !typing);
    const found = candidates.find(({ keys }) => keys === pair) ?? candidates.find(({ keys }) => keys === pressed);
    if (!found) return;
    event.preventDefault();
    found.act(event);
  });
  bind("?", "Show the keys", showKeys);
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.matches("textarea, select, input:not([type=checkbox], [type=radio])");
}

/** Shows the list of keys. */
export function showKeys() {
  const rows = [...bindings].map(({ keys, does }) => h("div", h("dt", ...keys.split(" ").map((key) => h("kbd", printed(key)))), h("dd", does)));
  openDialog("Keys", (close) => [
    h("dl.keys", rows),
    h("div.buttons", button("Close", close)),
  ]);
}

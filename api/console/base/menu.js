// Menus that open below a button.

import { h } from "./dom.js";

/** @typedef {{ label: string, act: () => void, title?: string }} MenuItem */

/**
 * A button with a menu. `items` is asked each time it opens.
 * @param {string} label
 * @param {() => MenuItem[]} items
 * @param {{ class?: string }} [options]
 */
export function menuButton(label, items, options = {}) {
  const button = h("button", { class: options.class ?? "button", type: "button", "aria-haspopup": "menu", "aria-expanded": "false" }, `${label} ▾`);
  button.addEventListener("click", () => openMenu(button, items()));
  return button;
}

/**
 * @param {HTMLElement} button
 * @param {MenuItem[]} items
 */
function openMenu(button, items) {
  const menu = h("div", { class: "menu", role: "menu", popover: "auto" });
  for (const { label, act, title } of items) {
    menu.append(h("button", { type: "button", role: "menuitem", title, on: { click: () => { menu.hidePopover(); act(); } } }, label));
  }
  document.body.append(menu);
  menu.addEventListener("toggle", (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (!open) { menu.remove(); button.focus(); }
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = /** @type {HTMLElement[]} */ ([...menu.children]);
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    all[(at + step + all.length) % all.length]?.focus();
  });
  menu.showPopover();
  const place = button.getBoundingClientRect();
  const left = Math.max(8, Math.min(place.left, innerWidth - menu.offsetWidth - 8));
  const below = place.bottom + 4 + menu.offsetHeight < innerHeight;
  menu.style.left = `${left}px`;
  menu.style.top = `${below ? place.bottom + 4 : Math.max(8, place.top - 4 - menu.offsetHeight)}px`;
  /** @type {HTMLElement | null} */ (menu.firstElementChild)?.focus();
}

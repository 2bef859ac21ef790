// Menus that open below a button.

import { button, h } from "./parts.js";

/** @typedef {{ label: string, act: () => void }} MenuItem */

/** A button with a menu. `items` is asked each time it opens. @param {string} label @param {() => MenuItem[]} items */
export function menuButton(label, items) {
  const opener = button(`${label} ▾`, () => openMenu(opener, items()), "", { "aria-haspopup": "menu", "aria-expanded": "false" });
  return opener;
}

/** @param {HTMLElement} button @param {MenuItem[]} items */
function openMenu(button, items) {
  const menu = h("div.menu", { role: "menu", popover: "auto" }, items.map(({ label, act }) =>
    h("button", { type: "button", role: "menuitem", onclick: () => { menu.hidePopover(); act(); } }, label)));
  button.after(menu);
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
  // It stands where the button was.
  addEventListener("resize", () => menu.isConnected && menu.hidePopover(), { once: true });
  menu.showPopover();
  const place = button.getBoundingClientRect();
  const left = Math.max(8, Math.min(place.left, innerWidth - menu.offsetWidth - 8));
  const below = place.bottom + 4 + menu.offsetHeight < innerHeight;
  menu.style.left = `${left}px`;
  menu.style.top = `${below ? place.bottom + 4 : Math.max(8, place.top - 4 - menu.offsetHeight)}px`;
  /** @type {HTMLElement | null} */ (menu.firstElementChild)?.focus();
}

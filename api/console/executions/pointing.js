// What the mouse and the keys do with the rows of the list. Keys act on the row that has the focus, else on the open one.

import { allows } from "../base/api.js";
import { bind, bindMoves } from "../base/keys.js";
import { go } from "../base/router.js";
import { toast } from "../base/toast.js";
import { besideList } from "./beside.js";
import { replay } from "./bulk.js";
import { addressOf } from "./rows.js";

/** @typedef {import("./feed.js").Listed} Listed */

/**
 * Makes the pane beside the list, and opens rows in it.
 * @param {HTMLElement} table
 * @param {{ rowOf: (element: Element | null) => Listed | undefined, choice: import("./choice.js").Choice,
 *   changed: () => void, reveal: (row: Listed) => void, signal: AbortSignal }} list
 */
export function pointAt(table, { rowOf, choice, changed, reveal, signal }) {
  /** @returns {HTMLElement | null} */
  const link = () => table.querySelector("[aria-current] a");
  const close = () => {
    const back = link();
    beside.show();
    back?.focus({ preventScroll: true });
  };
  const beside = besideList({ signal, changed, close });
  const current = () => rowOf(document.activeElement) ?? beside.row();
  /** Opens it beside the list; alone where there is no room, or where it is open already. @param {Listed} row @param {boolean} isByKey */
  const open = (row, isByKey) => {
    if (matchMedia("(max-width: 900px)").matches || (isByKey && row.id === beside.row()?.id)) return go(addressOf(row));
    beside.show(row);
    reveal(row);
    link()?.focus({ preventScroll: true });
  };
  table.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const row = rowOf(target);
    if (!row) return;
    if (target.closest(".choose")) return choice.toggle(row);
    if (event.metaKey || event.ctrlKey || !getSelection()?.isCollapsed) return;
    event.preventDefault();
    open(row, event.detail === 0);
  });
  // An open pane follows the focus.
  table.addEventListener("focusin", ({ target }) => { if (beside.row() && target instanceof HTMLAnchorElement) beside.show(rowOf(target)); });
  bindMoves(table, "td a", signal);
  const onRow = (/** @type {(row: Listed) => void} */ act) => () => { const row = current(); if (row) act(row); };
  bind("Enter", "Open beside the list, then alone", onRow((row) => open(row, true)), signal);
  bind("x", "Choose", onRow(choice.toggle), signal);
  if (allows("execute")) bind("r", "Replay", () => (choice.isAny() ? choice.begin("replay") : onRow(replayOne)()), signal);
  bind("Escape", "One step back", () => (beside.row() ? close() : choice.isAny() ? choice.clear() : /** @type {HTMLElement} */ (document.activeElement).blur()), signal);
  return beside;
}

/** @param {Listed} row */
async function replayOne(row) {
  try {
    const made = await replay(row);
    toast(`${row.function} runs again.`, { label: "Open", act: () => go(addressOf(made)) });
  } catch (error) {
    toast(`Not replayed. ${error instanceof Error ? error.message : error}`);
  }
}

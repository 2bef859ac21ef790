// A table of which only the rows in sight are in the page, so that ten thousand of them cost what a few dozen do.

import { h, keyed } from "../base/dom.js";

/** @typedef {import("./feed.js").Listed} Listed */

/** Rows that stand ready above and below those in sight; the most that are in the page. */
const [SPARE, MOST] = [7, 100];

/**
 * The rows of a table, all of one height, whatever that is. Either `box` scrolls, or the page does. `make` makes a row's
 * element, and `update` brings it up to date; `seen` is told how many lie below those in sight.
 * @param {{ box: HTMLElement, table: HTMLTableElement, keyOf: (row: Listed) => string, make: (row: Listed) => HTMLElement,
 *   update: (element: HTMLTableRowElement, row: Listed) => void, seen: (below: number) => void, signal: AbortSignal }} given
 */
export function rowWindow({ box, table, keyOf, make, update, seen, signal }) {
  const [above, body, below] = [h("td"), h("tbody"), h("td")];
  let [rows, from, to, height] = [/** @type {Listed[]} */ ([]), 0, 0, 37];
  table.append(space(above), body, space(below));
  /** Which rows are in sight. */
  const sight = () => {
    const [{ top, bottom }, begin] = [box.getBoundingClientRect(), above.getBoundingClientRect().top];
    return [Math.max(0, top), Math.min(innerHeight, bottom)].map((y) => Math.max(0, Math.min(rows.length, Math.floor((y - begin) / height))));
  };
  const place = (/** @type {number} */ first, /** @type {number} */ end) => {
    from = Math.max(0, first);
    to = Math.min(rows.length, from + MOST, end);
    const shown = rows.slice(from, to);
    keepFocus(body, box, () => keyed(body, shown, keyOf, make));
    for (const [at, element] of [...body.rows].entries()) {
      element.ariaRowIndex = String(from + at + 2);
      update(element, shown[at]);
    }
    above.style.height = `${from * height}px`;
    below.style.height = `${(rows.length - to) * height}px`;
    const measured = body.rows[0]?.getBoundingClientRect().height || height;
    if (Math.abs(measured - height) < 0.1) return;
    height = measured;
    draw(rows);
  };
  /** Draws these rows; none given, only those that have come into sight. @param {Listed[]} [changed] */
  const draw = (changed) => {
    rows = changed ?? rows;
    const [first, last] = sight();
    if (changed || (from && first < from + 3) || (to < rows.length && last > to - 3)) place(first - SPARE, last + SPARE);
    seen(rows.length - last);
  };
  /** Brings a row into sight. @param {number} at */
  const reveal = (at) => {
    if (at < from || at >= to) place(at - SPARE, at + MOST);
    body.rows[at - from]?.scrollIntoView({ block: "nearest" });
  };
  for (const event of ["scroll", "resize"]) addEventListener(event, () => draw(), { capture: true, passive: true, signal });
  return { body, draw, reveal, isAtTop: () => sight()[0] < 2 };
}

/** @param {Node} cell */
function space(cell) {
  return h("tbody.space", { "aria-hidden": "true" }, h("tr", cell));
}

/** A row that had the focus may be made anew, or go out of sight. @param {HTMLElement} body @param {HTMLElement} box @param {() => void} change */
function keepFocus(body, box, change) {
  const key = body.contains(document.activeElement) && document.activeElement?.closest("tr")?.dataset.key;
  change();
  if (!key || body.contains(document.activeElement)) return;
  const anew = /** @type {HTMLElement | null} */ (body.querySelector(`[data-key^="${key.split(" ")[0]}"] a`));
  (anew ?? box).focus({ preventScroll: true });
}

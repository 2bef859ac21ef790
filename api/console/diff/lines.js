// What changed between two texts, line by line: Eugene W. Myers, "An O(ND) Difference Algorithm and Its Variations".

/** @typedef {{ kind: "same" | "added" | "removed", text: string, before?: number, after?: number }} DiffLine */

/** Texts that differ by more lines than this count as replaced, so that the search stays short. */
const MOST_EDITS = 1000;

/**
 * The lines of both texts, in order, with their numbers from 1 on.
 * @param {string} before
 * @param {string} after
 * @returns {DiffLine[]}
 */
export function diffLines(before, after) {
  const [a, b] = [before, after].map((text) => (text ? text.replace(/\n$/, "").split("\n") : []));
  let [start, x, y] = [0, a.length, b.length];
  /** The last first. @type {DiffLine[]} */
  const lines = [];
  const same = () => lines.push({ kind: "same", text: a[--x], before: x + 1, after: y-- });
  const remove = () => lines.push({ kind: "removed", text: a[--x], before: x + 1 });
  const add = () => lines.push({ kind: "added", text: b[--y], after: y + 1 });
  while (start < Math.min(x, y) && a[start] === b[start]) start++;
  while (x > start && y > start && a[x - 1] === b[y - 1]) same();
  const trail = search(a.slice(start, x), b.slice(start, y));
  for (let edit = (trail?.length ?? 0) - 1; trail && edit > 0; edit--) {
    const [isAdded, from] = stepBefore(trail[edit], edit + 1, x - y, edit);
    while (x > from + start + (isAdded ? 0 : 1)) same();
    if (isAdded) add();
    else remove();
  }
  while (!trail && y > start) add();
  while (!trail && x > start) remove();
  while (x > 0) same();
  return lines.reverse();
}

/**
 * How far each diagonal had come before each edit of the shortest way; null where it is too long.
 * @param {string[]} a
 * @param {string[]} b
 */
function search(a, b) {
  const most = Math.min(a.length + b.length, MOST_EDITS);
  const [furthest, middle, trail] = [new Int32Array(2 * most + 3), most + 1, /** @type {Int32Array[]} */ ([])];
  for (let edits = 0; edits <= most; edits++) {
    trail.push(furthest.slice(middle - edits - 1, middle + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const [isAdded, from] = stepBefore(furthest, middle, k, edits);
      let x = isAdded ? from : from + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[middle + k] = x;
      if (x >= a.length && x - k >= b.length) return trail;
    }
  }
  return null;
}

/**
 * The edit by which diagonal `k` is reached: whether it adds a line, and from which line of the first text.
 * @param {Int32Array} furthest
 * @param {number} middle
 * @param {number} k
 * @param {number} edits
 * @returns {[boolean, number]}
 */
function stepBefore(furthest, middle, k, edits) {
  const isAdded = k === -edits || (k !== edits && furthest[middle + k - 1] < furthest[middle + k + 1]);
  return [isAdded, edits ? furthest[middle + k + (isAdded ? 1 : -1)] : 0];
}

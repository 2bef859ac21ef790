// Dead letters in groups: of one kind, with the same reason but for its numbers and ids. None has a frame to be grouped by:
// what fails in its code ends as a failed execution, and only what could not be run, or was lost, becomes a dead letter.

/** @typedef {{ id: string, reason: string, kind: string | null, function: string | null, execution: string | null, received_at: string, body: string | null }} Letter */
/** @typedef {{ reason?: string, function?: string }} Filter as the API takes it */
/** @typedef {{ reason: string, functions: string[], letters: Letter[] }} Group the newest letter first */

/** The largest group first. @param {Letter[]} letters */
export function groupLetters(letters) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  for (const letter of [...letters].sort((one, other) => (one.received_at < other.received_at ? 1 : -1))) {
    const alike = letter.reason.replace(/[\w-]*\d[\w.-]*/g, "…");
    const key = `${letter.kind} ${alike}`;
    const group = groups.get(key) ?? { reason: letter.reason, functions: [], letters: [] };
    groups.set(key, group);
    group.letters.push(letter);
    if (group.reason !== letter.reason) group.reason = alike;
    if (letter.function && !group.functions.includes(letter.function)) group.functions.push(letter.function);
  }
  return [...groups.values()].sort((one, other) => other.letters.length - one.letters.length);
}

/**
 * A filter of the API that means this group's letters, and no other of those that are known; null where there is none.
 * @param {Group} group @param {Letter[]} all @returns {Filter | null}
 */
export function filterOf({ letters, functions, reason }, all) {
  const reasons = [undefined, letters[0].kind ?? undefined, reason];
  const filters = [undefined, ...functions].flatMap((name) => reasons.map((reason) => ({ reason, function: name })));
  return filters.find((filter) => all.every((letter) => means(filter, letter) === letters.includes(letter))) ?? null;
}

/** As the API has it. @param {Filter} filter @param {Letter} letter */
function means({ reason, function: name }, letter) {
  const part = reason?.toLowerCase();
  return (!part || letter.kind === part || letter.reason.toLowerCase().includes(part)) && (!name || letter.function === name);
}

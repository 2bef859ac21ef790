// Dead letters in groups: of one kind, with the same reason but for its numbers and ids, from the same line of code.

import { functionPath, get } from "../base/api.js";

/** @typedef {{ id: string, reason: string, kind: string | null, function: string | null, execution: string | null, received_at: string, body: string | null }} Letter */
/** @typedef {{ reason?: string, function?: string }} Filter as the API takes it */
/** @typedef {{ key: string, reason: string, frame: string, functions: string[], letters: Letter[] }} Group the newest letter first */

/** Kinds that say nothing about a line of code. */
const NOT_IN_CODE = [null, "not_found", "bad_message", "worker_lost", "expired"];
const [READS_AT_ONCE, MOST_READS] = [4, 60];
const VARIABLE = /\b(?=[\w-]*\d)[\da-z][\w-]{11,}\b|\d+(?:[.,]\d+)*/gi;

const alike = (/** @type {Letter} */ { reason }) => reason.replace(VARIABLE, "…");
const candidateOf = (/** @type {Letter} */ letter) => JSON.stringify([letter.kind, letter.function, alike(letter)]);

/** The largest group first. @param {Letter[]} letters @param {Map<string, string>} frames of `readFrames` */
export function groupLetters(letters, frames) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  for (const letter of [...letters].sort((a, b) => Date.parse(b.received_at) - Date.parse(a.received_at))) {
    const frame = frames.get(candidateOf(letter)) ?? "";
    const key = JSON.stringify([letter.kind, alike(letter), frame]);
    const group = groups.get(key) ?? { key, reason: letter.reason, frame, functions: [], letters: [] };
    groups.set(key, group);
    group.letters.push(letter);
    if (group.reason !== letter.reason) group.reason = alike(letter);
    if (letter.function && !group.functions.includes(letter.function)) group.functions.push(letter.function);
  }
  return [...groups.values()].sort((a, b) => b.letters.length - a.letters.length);
}

/** The line of code of one letter for each kind, function and reason. @param {Letter[]} letters @param {AbortSignal} signal */
export async function readFrames(letters, signal) {
  const inCode = letters.filter(({ kind, execution }) => execution && !NOT_IN_CODE.includes(kind));
  const left = [...new Map(inCode.map((letter) => [candidateOf(letter), letter]))].slice(0, MOST_READS);
  /** @type {Map<string, string>} */
  const frames = new Map();
  const read = async () => {
    for (let next = left.pop(); next; next = left.pop()) {
      const found = await get(functionPath(next[1].function ?? "", "executions", next[1].execution ?? ""), { signal }).catch(() => null);
      frames.set(next[0], found?.error?.backtrace?.[0] ?? "");
    }
  };
  await Promise.all(Array.from({ length: READS_AT_ONCE }, read));
  return frames;
}

/**
 * A filter of the API that means this group's letters, and no other of those that are known; null where there is none.
 * @param {Group} group @param {Letter[]} all @returns {Filter | null}
 */
export function filterOf({ letters, functions, reason }, all) {
  const names = functions.length === 1 ? [undefined, functions[0]] : [undefined];
  const filters = [undefined, letters[0].kind ?? undefined, reason].flatMap((reason) => names.map((name) => ({ reason, function: name })));
  return filters.find((filter) => {
    const meant = all.filter((letter) => means(filter, letter));
    return meant.length === letters.length && meant.every((letter) => letters.includes(letter));
  }) ?? null;
}

/** As the API has it. @param {Filter} filter @param {Letter} letter */
function means({ reason, function: name }, letter) {
  const part = reason?.toLowerCase();
  return (!part || letter.kind === part || letter.reason.toLowerCase().includes(part)) && (!name || letter.function === name);
}

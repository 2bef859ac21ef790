// Replaying or cancelling many executions.

import { send } from "../base/api.js";
import { actOnMany } from "../base/bulk.js";
import { h } from "../base/dom.js";
import { ago } from "../base/format.js";
import { isFinal, newKey, pathOf, readPage } from "../run/execution.js";
import { outcomeLine } from "./rows.js";

/** @typedef {import("./feed.js").Listed} Listed */
/** @typedef {"replay" | "cancel"} Deed */

/** The most that is taken on at once. */
const MOST = 100_000;
const WORDS = {
  replay: { verb: "Replay", doing: "Replaying", done: "replayed", says: "Replays run again with the same input, at the newest version; effects happen again." },
  cancel: { verb: "Cancel", doing: "Cancelling", done: "cancelled", says: "They are ended within some seconds. Effects that they have had stay." },
};

/**
 * Asks, and does it; for all that the source has where there are no rows.
 * @param {Deed} deed @param {Listed[] | null} chosen @param {import("./feed.js").Source} source @param {() => void} ended
 */
export function openBulk(deed, chosen, { path, query }, ended) {
  const [isCancel, key] = [deed === "cancel", newKey()["Idempotency-Key"]];
  actOnMany({
    words: WORDS[deed], noun: "execution", isBad: isCancel, ended,
    find: async (tell, signal) => {
      if (!chosen) return gather(path, isCancel ? { ...query, status: "running" } : query, tell, signal);
      return { rows: isCancel ? chosen.filter((row) => !isFinal(row)) : chosen };
    },
    sample: (row) => [h("b", row.function), ` ${row.status} ${ago(row.finished_at ?? row.submitted_at)} `, h("bdi.muted", outcomeLine(row))],
    act: (row) => (isCancel ? send("DELETE", pathOf(row)) : replay(row, `${key}-${row.id}`)),
  });
}

/** Runs it again at the newest version, once for each key. @param {Listed} row @param {string} [key] */
export function replay(row, key = newKey()["Idempotency-Key"]) {
  // What POST /v1/run has run has no versions.
  const json = row.function === "_run" ? {} : { version: "$LATEST" };
  return send("POST", pathOf(row, "replay"), { json, headers: { "Idempotency-Key": key } });
}

/** Reads all that the source has. @param {string} path @param {object} query @param {(number: number) => void} tell @param {AbortSignal} signal */
async function gather(path, query, tell, signal) {
  /** @type {Listed[]} */
  const rows = [];
  let cursor = null;
  do {
    /** @type {import("./feed.js").Page} */
    const page = await readPage(path, { query: { ...query, limit: 1000, cursor }, signal });
    rows.push(...page.executions);
    cursor = page.next;
    tell(rows.length);
  } while (cursor && rows.length < MOST);
  return { rows, note: cursor && " These are the newest of more that match." };
}

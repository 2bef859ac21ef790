// Many dead letters sent back or deleted.

import { Problem, send } from "../base/api.js";
import { actOnMany } from "../base/bulk.js";
import { h } from "../base/dom.js";
import { lines } from "../base/stream.js";
import { clip } from "../run/text.js";

/** @typedef {import("./groups.js").Letter} Letter */

export const ACTS = {
  redrive: {
    verb: "Redrive", doing: "Redriving", done: "sent back", says: "They go back to the queue and run again.",
    method: "POST", path: "/v1/dead-letters/redrive", pathOf: (/** @type {Letter} */ { id }) => `/v1/dead-letters/${id}/redrive`,
  },
  purge: {
    verb: "Purge", doing: "Purging", done: "deleted", says: "They are gone for good, with their inputs.",
    method: "DELETE", path: "/v1/dead-letters", pathOf: (/** @type {Letter} */ { id }) => `/v1/dead-letters/${id}`,
  },
};

/**
 * `letters` are those that are known; `filter` means them, and what is like them: then the API does it.
 * @param {{ act: keyof typeof ACTS, letters: Letter[], filter: import("./groups.js").Filter | null, changed: () => void }} bulk
 */
export function openBulk({ act, letters, filter, changed }) {
  const words = ACTS[act];
  const { method, path, pathOf } = words;
  actOnMany({
    words, noun: "dead letter", isBad: act === "purge", isPaced: act === "redrive", ended: changed,
    find: async (_tell, signal) => {
      if (!filter) return { rows: letters };
      const { redriven, deleted, complete } = await send(method, path, { query: { ...filter, dry_run: true }, signal });
      return { rows: letters, number: redriven ?? deleted, note: complete ? null : " There may be more of them." };
    },
    sample: ({ function: name, reason }) => [h("b", name ?? "no function"), " ", h("bdi", clip(reason, 140))],
    act: (letter) => send(method, pathOf(letter)),
    together: filter && (async (progress, tell, perSecond, signal) => {
      const query = { ...filter, per_second: act === "redrive" ? perSecond : null };
      for await (const { redriven, deleted, skipped, error } of lines(method, path, { query, signal })) {
        progress.done = redriven ?? deleted;
        progress.failed = Array(skipped).fill({ problem: "It is of another queue." });
        tell();
        if (error) throw new Problem(error);
      }
    }),
  });
}

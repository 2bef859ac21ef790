// Which rows are chosen, and what is offered for them.

import { allows } from "../base/api.js";
import { button, count, h, setText } from "../base/parts.js";
import { isFinal } from "../run/execution.js";

/** @typedef {import("./feed.js").Listed} Listed */
/** @typedef {ReturnType<typeof makeChoice>} Choice */

/**
 * The chosen rows of a list, by their ids; or all that match, listed or not.
 * @param {() => void} changed @param {(deed: import("./bulk.js").Deed, rows: Listed[] | null) => void} act null for all
 */
export function makeChoice(changed, act) {
  /** @type {Map<string, Listed>} */
  let rows = new Map();
  let [isAll, listed] = [false, /** @type {Listed[]} */ ([])];
  const set = (/** @type {Listed[]} */ chosen, all = false) => {
    [rows, isAll] = [new Map(chosen.map((row) => [row.id, row])), all];
    changed();
  };
  const clear = () => set([]);
  const isAny = () => isAll || rows.size > 0;
  const has = (/** @type {Listed} */ { id }) => isAll || rows.has(id);
  const toggle = (/** @type {Listed} */ row) => {
    const others = (isAll ? listed : [...rows.values()]).filter(({ id }) => id !== row.id);
    set(has(row) ? others : [...others, row]);
  };
  const begin = (/** @type {import("./bulk.js").Deed} */ deed) => act(deed, isAll ? null : [...rows.values()]);
  const box = h("input", { type: "checkbox", "aria-label": "Choose all that are listed", onchange: () => set(box.checked ? listed : []) });
  const text = h("span.muted");
  const [replay, cancel] = [button("", () => begin("replay")), button("", () => begin("cancel"))];
  const [match, none] = [button("All that match", () => set([], true)), button("Clear", clear, "quiet")];
  const bar = h("div.choice", { hidden: true }, text, replay, cancel, match, none);
  /** @param {Listed[]} now what is listed @param {boolean} hasMore */
  const show = (now, hasMore) => {
    listed = now;
    const mayAct = isAny() && allows("execute");
    const running = [...rows.values()].filter((row) => !isFinal(row)).length;
    setText(text, isAll ? "All that match are chosen" : rows.size ? `${count(rows.size)} chosen` : `${count(listed.length)}${hasMore ? "+" : ""} listed`);
    setText(replay, `Replay ${isAll ? "all" : count(rows.size)}`);
    setText(cancel, `Cancel ${isAll ? "all" : count(running)}`);
    bar.hidden = !listed.length && !isAny();
    replay.hidden = !mayAct;
    cancel.hidden = !mayAct || !(isAll || running);
    match.hidden = isAll || !allows("execute");
    none.hidden = !isAny();
    box.checked = isAll || (isAny() && rows.size >= listed.length);
    box.indeterminate = isAny() && !box.checked;
  };
  return { bar, box, begin, clear, has, isAny, show, toggle };
}

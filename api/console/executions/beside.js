// The pane beside the list: what came of one execution.

import { get } from "../base/api.js";
import { allows } from "../base/caller.js";
import { h, replace } from "../base/dom.js";
import { button } from "../base/parts.js";
import { debounced } from "../base/poll.js";
import { failure, skeleton } from "../base/states.js";
import { isFinal, pathOf, watch } from "../run/execution.js";
import { outcome } from "../run/outcome.js";
import { addressOf } from "./rows.js";

/** @typedef {import("./feed.js").Listed} Listed */

/** @param {{ signal: AbortSignal, close: () => void, cancel: (row: Listed) => void }} given */
export function besideList({ signal, close, cancel }) {
  const [head, body] = [h("header"), h("div")];
  const element = h("aside", { class: "beside", "aria-label": "Execution", tabindex: "0", hidden: true }, head, body);
  let shown = new AbortController();
  let id = "";
  // While somebody steps through the list, not all that is passed by is asked for.
  const load = debounced(80, async (/** @type {Listed} */ row, /** @type {AbortSignal} */ until) => {
    try {
      const what = outcome({ signal: until });
      const show = (/** @type {import("../run/execution.js").Execution} */ now) => {
        const end = head.querySelector(".cancel");
        if (end instanceof HTMLElement) end.hidden = isFinal(now);
        what.show(now);
      };
      const execution = await get(pathOf(row), { signal: until });
      show(execution);
      replace(body, what.element);
      if (!isFinal(execution)) await watch(row, { signal: until, show, addLogs: what.addLogs });
    } catch (error) {
      if (!until.aborted) replace(body, failure(error, () => load(row, until)));
    }
  });
  /** Shows an execution; nothing where there is no row. @param {Listed} [row] */
  const show = (row) => {
    element.hidden = !row;
    if (row?.id === id) return;
    shown.abort();
    shown = new AbortController();
    id = row?.id ?? "";
    replace(body, skeleton());
    if (!row) return;
    replace(head, h("h2", { title: row.id }, row.function, " ", h("code", { class: "muted" }, row.id)),
      h("a", { class: "button", href: addressOf(row) }, "Open"),
      allows("execute") && !isFinal(row) && button("Cancel", () => cancel(row), "cancel"),
      button("✕", close, "quiet icon", { "aria-label": "Close", title: "Close" }));
    load(row, AbortSignal.any([signal, shown.signal]));
  };
  return { element, show };
}

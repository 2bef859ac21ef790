// The pane beside the list: what came of one execution.

import { button, failure, h, replace, skeleton } from "../base/parts.js";
import { debounced, turns } from "../base/poll.js";
import { askExecution, isFinal, pathOf, watch } from "../run/execution.js";
import { outcome } from "../run/outcome.js";
import { cancelButton } from "../run/pane.js";
import { addressOf } from "./rows.js";

/** @typedef {import("./feed.js").Listed} Listed */

/** @param {{ signal: AbortSignal, changed: () => void, close: () => void }} given */
export function besideList({ signal, changed, close }) {
  const [head, body] = [h("header"), h("div")];
  const element = h("aside.beside", { "aria-label": "Execution", tabindex: "0", hidden: true }, head, body);
  const next = turns(signal);
  /** @type {Listed | undefined} */
  let open;
  // While somebody steps through the list, not all that is passed by is asked for.
  const load = debounced(80, async (/** @type {Listed} */ row, /** @type {ReturnType<typeof cancelButton>} */ cancel, /** @type {AbortSignal} */ until) => {
    try {
      const came = outcome({ signal: until });
      const show = (/** @type {import("../run/execution.js").Execution} */ now) => {
        cancel.offer(now, show);
        came.show(now);
      };
      const execution = await askExecution("GET", pathOf(row), { signal: until });
      show(execution);
      replace(body, came.element);
      if (!isFinal(execution)) await watch(row, { signal: until, show, addLogs: came.addLogs });
    } catch (error) {
      if (!until.aborted) replace(body, failure(error, () => load(row, cancel, until)));
    }
  });
  return {
    element,
    /** What is open. */
    row: () => open,
    /** Opens an execution; closes where there is none. @param {Listed} [row] */
    show(row) {
      element.hidden = !row;
      if (row?.id === open?.id) return;
      open = row;
      changed();
      const until = next();
      if (!row) return;
      const cancel = cancelButton();
      replace(head, headOf(row), cancel.element, button("✕", close, "quiet icon", { "aria-label": "Close", title: "Close" }));
      replace(body, skeleton());
      load(row, cancel, until);
    },
  };
}

/** @param {Listed} row */
function headOf(row) {
  const id = h("code.muted", row.id);
  return [h("h2", { title: row.id }, row.function, " ", id), h("a.button", { href: addressOf(row) }, "Open")];
}

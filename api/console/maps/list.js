// Maps: one function over many inputs.

import { allows } from "../base/api.js";
import { bindMoves } from "../base/keys.js";
import { attempt, button, empty, h, keyed, link, replace, skeleton, table, time } from "../base/parts.js";
import { every } from "../base/poll.js";
import { changes, lookAtMaps, maps, readMaps } from "../frame/maps.js";
import { openCreate } from "./create.js";
import { makeProgress } from "./progress.js";

const NONE = "No maps. A map runs a function over many inputs, a line of JSON each. Start one here, or with the command:";

/** @type {import("../base/router.js").Open} */
export function open({ signal }) {
  const [rows, place, state] = [h("tbody"), h("div.card"), h("div", skeleton(5))];
  const foot = button("Show older", () => load(true), "", { hidden: true });
  const sheet = table(["Map", "Status", "Progress", "Pace", "Submitted"], rows, "stacked");
  const draw = () => {
    keyed(rows, maps(), ({ id }) => id, makeRow, (row, job) => row.show(job));
    if (!rows.firstChild) replace(place, empty(NONE, h("code", "badlambda map NAME inputs.ndjson")));
    else if (!sheet.isConnected) replace(place, sheet);
  };
  const load = (isNext = false) => attempt(state, signal, async () => {
    foot.hidden = !await readMaps(isNext, signal);
  });
  changes.addEventListener("change", draw, { signal });
  load();
  every(2000, signal, () => lookAtMaps(0, signal));
  bindMoves(place, "th a", signal);
  return { crumbs: ["Maps"], title: "Maps", actions: [allows("execute") && button("New map", openCreate, "main")],
    body: h("div.stack", place, state, foot), place: "maps", padded: true };
}

/** @param {import("../frame/maps.js").Job} job */
function makeRow(job) {
  const { status, bar, pace, show } = makeProgress();
  return Object.assign(h("tr",
    h("th", { scope: "row" }, link(["functions", job.function, "maps", job.id],
      job.function, h("span.mono.muted", ` …${job.id.slice(-6)}`))),
    h("td", status), h("td.wide", bar), h("td.mono", pace), h("td", time(job.submitted_at))), { show });
}

// Maps: one function over many inputs.

import { get } from "../base/api.js";
import { allows } from "../base/caller.js";
import { h, keyed, replace } from "../base/dom.js";
import { time } from "../base/format.js";
import { bindMoves } from "../base/keys.js";
import { button, table } from "../base/parts.js";
import { every } from "../base/poll.js";
import { address } from "../base/router.js";
import { empty, failure, skeleton } from "../base/states.js";
import { countPlace } from "../frame/rail.js";
import { openCreate } from "./create.js";
import { isOver, makeProgress } from "./progress.js";

/** @typedef {import("./progress.js").Job} Job */

const NONE = "No maps. A map runs a function over many inputs, a line of JSON each. Start one here, or with the command:";

/** @type {import("../base/router.js").Open} */
export function open({ signal }) {
  const [rows, trouble, place, foot] = [h("tbody"), h("div"), h("div", { class: "card" }, skeleton(5)), h("div", { class: "more" })];
  const sheet = table(["Map", "Status", "Progress", "Pace", "Submitted"], rows, "stacked");
  /** @type {Map<string, Job>} */
  const jobs = new Map();
  const draw = () => {
    const all = [...jobs.values()];
    if (!all.length) replace(place, empty(NONE, h("code", {}, "badlambda map NAME inputs.ndjson")));
    else if (!sheet.isConnected) replace(place, sheet);
    keyed(rows, all, ({ id }) => id, makeRow, (row, job) => row.show(job));
    countPlace("maps", all.filter((job) => job.status && !isOver(job)).length);
  };
  // The list does not tell how far a map is: each is asked for, until it is over.
  const look = async () => {
    const live = [...jobs.values()].filter((job) => !isOver(job));
    const next = async () => {
      for (let job = live.shift(); job && !signal.aborted; job = live.shift()) {
        jobs.set(job.id, await get(job.url, { signal }).catch((error) => (error.status === 404 ? { ...job, status: "gone" } : job)));
        draw();
      }
    };
    await Promise.all([next(), next(), next(), next()]);
  };
  const load = async (/** @type {string | null} */ cursor) => {
    try {
      const { maps, next } = await get("/v1/maps", { query: { cursor }, signal });
      for (const job of maps) jobs.set(job.id, job);
      replace(trouble);
      draw();
      look();
      replace(foot, next && button("Show older", () => load(next)));
    } catch (error) {
      if (!signal.aborted) replace(jobs.size ? trouble : place, failure(error, () => load(cursor)));
    }
  };
  load(null);
  bindMoves(place, "th a", signal);
  every(2000, signal, look);
  return { crumbs: ["Maps"], title: "Maps", actions: [allows("execute") && button("New map", openCreate, "main")],
    body: h("div", {}, trouble, place, foot), place: "maps", padded: true };
}

/** @param {Job} job */
function makeRow(job) {
  const { status, bar, pace, show } = makeProgress();
  show(job);
  const href = address(["functions", job.function, "maps", job.id]);
  const row = h("tr", {},
    h("th", { scope: "row" }, h("a", { href }, job.function, h("span", { class: "mono muted" }, ` …${job.id.slice(-6)}`))),
    h("td", {}, status), h("td", { class: "wide" }, bar), h("td", { class: "mono" }, pace), h("td", {}, time(job.submitted_at)));
  return Object.assign(row, { show });
}

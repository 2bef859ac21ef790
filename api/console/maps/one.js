// One map: how far it is, what failed, and its results.

import { allows, functionPath, get, send } from "../base/api.js";
import { confirm } from "../base/dialog.js";
import { bindMoves } from "../base/keys.js";
import { attempt, button, card, count, duration, facts, failure, h, link, replace, time } from "../base/parts.js";
import { every } from "../base/poll.js";
import { isOver, keep } from "../frame/maps.js";
import { makeProgress } from "./progress.js";
import { resultsCard } from "./results.js";

/** @type {import("../base/router.js").Open} */
export async function open({ parts: { name, id }, query, signal }) {
  const path = functionPath(name, "maps", id);
  let job = /** @type {import("../frame/maps.js").Job} */ (await get(path, { signal }));
  const [progress, about, trouble] = [makeProgress(), h("div.stack"), h("div")];
  const show = (/** @type {typeof job} */ now) => {
    const ends = isOver(now) && !isOver(job);
    job = now;
    keep([job]);
    progress.show(job);
    cancel.hidden = isOver(job) || !allows("execute");
    const took = (job.finished_at ? Date.parse(job.finished_at) : Date.now()) - Date.parse(job.submitted_at);
    replace(about, facts([["version", job.version], ["submitted", time(job.submitted_at)], ["time", duration(took)], ["pace", progress.pace]]),
      facts(Object.entries(job.kinds).map(([kind, number]) => [kind, count(number)])));
    replace(trouble);
    // Of a map that had just begun, there was nothing to read.
    if (ends && !results.querySelector("summary")) readResults();
  };
  const results = h("div");
  const readResults = () => replace(results, resultsCard(job, `${path}/results`, Number(query.get("from")), signal));
  const cancel = button("Cancel", () => attempt(trouble, signal, async () => {
    const left = count(job.total - job.succeeded - job.failed);
    const told = [`${left} of ${count(job.total)} inputs have not ended. They are not run, or are stopped. The results so far stay.`];
    if (await confirm("Cancel the map", told, { verb: `Cancel ${left}`, isBad: true })) show(await send("DELETE", path, { signal }));
  }), "bad");
  show(job);
  every(2000, signal, async () => { if (!isOver(job)) show(await get(path, { signal })); }, (error) => replace(trouble, failure(error)));
  const body = h("div.stack", trouble,
    card("Progress", h("div.end", progress.status), h("div.body.stack", progress.bar, about)),
    results);
  readResults();
  bindMoves(body, ".results > * > summary", signal);
  return { crumbs: [link(["maps"], "Maps"), h("span", ` / ${name} / `), `…${id.slice(-6)}`], title: `Map of ${name}`,
    actions: [cancel], body, place: "maps", padded: true };
}

// One map: how far it is, what failed, and its results.

import { functionPath, get, send } from "../base/api.js";
import { allows } from "../base/caller.js";
import { confirm } from "../base/dialog.js";
import { h, keyed, replace, setText } from "../base/dom.js";
import { count, duration, time } from "../base/format.js";
import { bindMoves } from "../base/keys.js";
import { button, facts } from "../base/parts.js";
import { every } from "../base/poll.js";
import { failure } from "../base/states.js";
import { isOver, makeProgress } from "./progress.js";
import { resultsCard } from "./results.js";

/** @type {import("../base/router.js").Open} */
export async function open({ parts: { name, id }, query, signal }) {
  const path = functionPath(name, "maps", id);
  let job = /** @type {import("./progress.js").Job} */ (await get(path, { signal }));
  const [progress, kinds, took, trouble] = [makeProgress(), h("ul", { class: "kinds" }), h("span"), h("div")];
  const fail = (/** @type {unknown} */ error) => { if (!signal.aborted) replace(trouble, failure(error)); };
  const cancel = button("Cancel", async () => {
    const left = count(job.total - job.succeeded - job.failed);
    const told = [`${left} of ${count(job.total)} inputs have not ended. They are not run, or are stopped. The results so far stay.`];
    if (await confirm("Cancel the map", told, { verb: `Cancel ${left}`, isBad: true })) await send("DELETE", path, { signal }).then(show, fail);
  }, "bad");
  const show = (/** @type {typeof job} */ now) => {
    job = now;
    progress.show(job);
    cancel.hidden = isOver(job) || !allows("execute");
    setText(took, duration((job.finished_at ? Date.parse(job.finished_at) : Date.now()) - Date.parse(job.submitted_at)));
    keyed(kinds, Object.entries(job.kinds), ([kind]) => kind, ([kind]) =>
      h("li", {}, h("span", { class: "bad" }, kind), " ", h("span", { class: "number" })));
    Object.values(job.kinds).forEach((number, at) => setText(/** @type {Element} */ (kinds.children[at].lastElementChild), count(number)));
    replace(trouble);
  };
  show(job);
  every(2000, signal, async () => { if (!isOver(job)) show(await get(path, { signal })); }, fail);
  const body = h("div", { class: "stack" }, trouble,
    h("section", { class: "card" }, h("header", {}, h("h2", {}, "Progress"), h("div", { class: "end" }, progress.status)),
      h("div", { class: "body stack" }, progress.bar,
        facts([["version", job.version], ["submitted", time(job.submitted_at)], ["time", took], ["pace", progress.pace]]), kinds)),
    resultsCard({ path, name, id, total: job.total, from: Number(query.get("from")) || 0, signal }));
  bindMoves(body, ".results > li > details > summary", signal);
  return { crumbs: [h("a", { href: "#/maps" }, "Maps"), h("span", {}, ` / ${name} / `), `…${id.slice(-6)}`], title: `Map of ${name}`,
    actions: [cancel], body, place: "maps", padded: true };
}

// Dead letters, in groups of those that failed alike.

import { get } from "../base/api.js";
import { allows } from "../base/caller.js";
import { h, keyed, replace } from "../base/dom.js";
import { count, time } from "../base/format.js";
import { bindMoves } from "../base/keys.js";
import { button, facts, table } from "../base/parts.js";
import { address, rewrite } from "../base/router.js";
import { empty, failure, skeleton } from "../base/states.js";
import { changes, fleet } from "../frame/fleet.js";
import { clip } from "../run/text.js";
import { ACTS, openBulk } from "./bulk.js";
import { filterOf, groupLetters, readFrames } from "./groups.js";

/** @typedef {import("./groups.js").Letter} Letter */
/** @typedef {import("./groups.js").Group} Group */
/** @typedef {(filter: import("./groups.js").Filter | null, letters: Letter[], label: string) => false | HTMLElement[]} MakeActions */

/** To look, the API takes all messages in hand: the page asks for it only when somebody wants it. */
const MOST = 200;

/** @type {import("../base/router.js").Open} */
export function open({ query, signal }) {
  const [notice, place] = [h("p", { class: "muted" }), h("div", { class: "stack" }, skeleton(6))];
  /** @type {Letter[]} */
  let letters = [];
  let isComplete = true;
  const look = button("Look again", () => load());
  /** @type {MakeActions} */
  const actions = (filter, letters, label) => allows("manage") && /** @type {const} */ (["redrive", "purge"]).map((act) =>
    button(`${ACTS[act].verb} ${label}`, () => openBulk({ act, letters, filter, changed: load })));
  const all = h("div", { class: "actions" });
  const tell = () => {
    const known = fleet()?.queue.dead_lettered ?? 0;
    look.textContent = isComplete && letters.length && known > letters.length ? `Look again: ${count(known)} now` : "Look again";
    notice.textContent = isComplete ? "" : `There are more. These are the ${count(letters.length)} that the queue handed out first.`;
  };
  const show = (/** @type {Map<string, string>} */ frames) => {
    // A group with other letters than before is made anew.
    const keyOf = (/** @type {Group} */ group) => group.key + group.letters.map(({ id }) => id);
    keyed(place, groupLetters(letters, frames), keyOf, (group) =>
      card(group, actions(filterOf(group, letters), group.letters, count(group.letters.length)), query.get("open")));
  };
  const load = async () => {
    look.disabled = true;
    try {
      ({ dead_letters: letters, complete: isComplete } = await get("/v1/dead-letters", { query: { limit: MOST }, signal }));
      replace(all, letters.length > 0 && actions({}, letters, "all"));
      show(new Map());
      tell();
      if (letters.length) show(await readFrames(letters, signal));
      else place.append(empty("No dead letters. What can't be run, or was lost too often, comes here with the reason."));
    } catch (error) {
      if (signal.aborted) return;
      place.querySelector(".waiting, .empty, .problem")?.remove();
      place.prepend(failure(error, load));
    }
    look.disabled = false;
  };
  changes.addEventListener("change", tell, { signal });
  load();
  bindMoves(place, "summary, td:first-child a", signal);
  return { crumbs: ["Dead letters"], title: "Dead letters", actions: [look, all],
    body: h("div", {}, notice, place), place: "dead-letters", padded: true };
}

/** @param {Group} group @param {false | HTMLElement[]} actions @param {string | null} opened */
function card({ letters, functions, frame, reason }, actions, opened) {
  const number = letters.length;
  const [list, first] = [h("div"), letters[0]];
  const more = functions.length - 5;
  const names = functions.length ? h("span", {}, functions.slice(0, 5).map(functionLink), more > 0 && `and ${more} more`) : "none that can be read";
  const details = h("details", { open: letters.some(({ id }) => id === opened) }, h("summary", {}, number === 1 ? "The letter" : `The ${number} letters`), list);
  details.addEventListener("toggle", () => {
    if (details.open && !list.firstChild) list.append(letterTable(letters));
    rewrite(address(["dead-letters"], { open: details.open ? first.id : null }));
  });
  return h("section", { class: "card" },
    h("header", {}, h("h2", {}, h("bdi", {}, clip(first.kind ?? "lost", 60))),
      `${count(number)} ${number === 1 ? "letter" : "letters"}`, h("div", { class: "end" }, actions)),
    h("div", { class: "body" },
      h("p", {}, h("bdi", {}, clip(reason, 500))),
      facts([
        [functions.length > 1 ? "functions" : "function", names],
        frame && ["at", h("bdi", {}, clip(frame, 200))],
        ["newest", time(first.received_at)],
        number > 1 && ["oldest", time(letters[number - 1].received_at)],
      ]),
      first.body && h("p", { class: "mono muted" }, h("bdi", {}, clip(first.body, 160))), details));
}

/** @param {string} name */
function functionLink(name) {
  return h("a", { href: address(["functions", name]) }, name, " ");
}

/** @param {Letter[]} letters */
function letterTable(letters) {
  return table(["Letter", "Came", "Function", "Reason"], h("tbody", {}, letters.map((letter) => h("tr", {},
    h("td", {}, h("a", { class: "mono", href: address(["dead-letters", letter.id]) }, letter.id.slice(0, 8))),
    h("td", {}, time(letter.received_at)),
    h("td", {}, letter.function ? functionLink(letter.function) : "–"),
    h("td", { class: "wide" }, h("bdi", {}, clip(letter.reason, 160)))))), "stacked");
}

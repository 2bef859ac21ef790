// Dead letters, in groups of those that failed alike.

import { allows, get } from "../base/api.js";
import { bindMoves } from "../base/keys.js";
import { address, attempt, button, card, count, empty, facts, folded, h, keyed, link, replace, rewrite, setText, skeleton, table, time } from "../base/parts.js";
import { changes, fleet } from "../frame/fleet.js";
import { clip } from "../run/text.js";
import { ACTS, openBulk } from "./bulk.js";
import { filterOf, groupLetters } from "./groups.js";

/** @typedef {import("./groups.js").Letter} Letter */
/** @typedef {(filter: import("./groups.js").Filter | null, letters: Letter[], label: string) => false | HTMLElement[]} MakeActions */

/** To look, the API takes all messages in hand: the page asks for it only when somebody wants it. */
const MOST = 200;

/** @type {import("../base/router.js").Open} */
export function open({ query, signal }) {
  const [state, notice, place, all] = [h("div", skeleton(6)), h("p.muted"), h("div.stack"), h("div.actions")];
  /** @type {Letter[]} */
  let letters = [];
  let isComplete = true;
  const look = button("Look again", () => load());
  /** @type {MakeActions} */
  const actions = (filter, letters, label) => allows("manage") && /** @type {const} */ (["redrive", "purge"]).map((act) =>
    button(`${ACTS[act].verb} ${label}`, () => openBulk({ act, letters, filter, changed: load })));
  const tell = () => {
    const known = fleet()?.queue.dead_lettered ?? 0;
    setText(look, isComplete && letters.length && known > letters.length ? `Look again: ${count(known)} now` : "Look again");
  };
  const load = () => attempt(state, signal, async () => {
    ({ dead_letters: letters, complete: isComplete } = await get("/v1/dead-letters", { query: { limit: MOST }, signal }));
    notice.textContent = isComplete ? "" : `There are more. These are the ${count(letters.length)} that the queue handed out first.`;
    replace(all, letters.length > 0 && actions({}, letters, "all"));
    // A group with other letters than before is made anew.
    keyed(place, groupLetters(letters), ({ letters }) => String(letters.map(({ id }) => id)), (group) =>
      groupCard(group, actions(filterOf(group, letters), group.letters, count(group.letters.length)), query.get("open")));
    if (!letters.length) replace(place, empty("No dead letters. What can't be run, or was lost too often, comes here with the reason."));
    tell();
  });
  changes.addEventListener("change", tell, { signal });
  load();
  bindMoves(place, "summary, td:first-child a", signal);
  return { crumbs: ["Dead letters"], title: "Dead letters", actions: [look, all],
    body: h("div.stack", state, notice, place), place: "dead-letters", padded: true };
}

/** @param {import("./groups.js").Group} group @param {false | HTMLElement[]} actions @param {string | null} opened */
function groupCard({ letters, functions, reason }, actions, opened) {
  const [first, number] = [letters[0], letters.length];
  const details = folded(number === 1 ? "The letter" : `The ${number} letters`, () => [letterTable(letters)], letters.some(({ id }) => id === opened));
  details.addEventListener("toggle", () => rewrite(address(["dead-letters"], { open: details.open ? first.id : null })));
  return card(h("bdi", clip(first.kind ?? "lost", 60)),
    [`${count(number)} ${number === 1 ? "letter" : "letters"}`, h("div.end", actions)],
    h("div.body.stack",
      h("bdi", clip(reason, 500)),
      facts([
        [functions.length > 1 ? "functions" : "function", h("span", functions.length ? functions.map(functionLink) : "none that can be read")],
        ["newest", time(first.received_at)],
        number > 1 && ["oldest", time(letters[number - 1].received_at)],
      ]),
      first.body && h("bdi.mono.muted", clip(first.body, 160)), details));
}

/** @param {string} name */
function functionLink(name) {
  return link(["functions", name], name, " ");
}

/** @param {Letter[]} letters */
function letterTable(letters) {
  return table(["Letter", "Came", "Function", "Reason"], h("tbody", letters.map((letter) => h("tr",
    h("td.mono", link(["dead-letters", letter.id], letter.id.slice(0, 8))),
    h("td", time(letter.received_at)),
    h("td", letter.function ? functionLink(letter.function) : "–"),
    h("td.wide", h("bdi", clip(letter.reason, 160)))))), "stacked");
}

// What stands where there is nothing to show: nothing yet, nothing at all, or an error.

import { Problem } from "./api.js";
import { h, replace } from "./dom.js";
import { copy } from "./toast.js";

/**
 * One sentence on what belongs here, and the one thing to do.
 * @param {string} sentence
 * @param {...HTMLElement} actions
 */
export function empty(sentence, ...actions) {
  return h("div", { class: "empty" }, h("p", {}, sentence), actions);
}

/**
 * What happened, what to do, and the request's id.
 * @param {unknown} error
 * @param {() => void} [again]
 */
export function failure(error, again) {
  const problem = error instanceof Problem ? error : null;
  const text = error instanceof Error ? error.message : String(error);
  return h("div", { class: "problem", role: "alert" },
    h("strong", {}, problem?.title || "That did not work"),
    h("p", {}, text),
    problem?.errors.length ? h("ul", {}, problem.errors.map(({ pointer, parameter, detail }) => h("li", {}, `${pointer ?? parameter ?? ""} ${detail}`.trim()))) : null,
    problem?.requestId ? h("p", { class: "id" }, `Request ${problem.requestId} `, h("button", { class: "button quiet", type: "button", on: { click: () => copy(problem.requestId ?? "", "the request's id") } }, "Copy")) : null,
    again ? h("button", { class: "button", type: "button", on: { click: again } }, "Try again") : null);
}

/**
 * Lines in place of what is not there yet. They show after 400 ms, so that what is fast does not flicker.
 * @param {number} [rows]
 */
export function skeleton(rows = 5) {
  const place = h("div", { class: "waiting", "aria-busy": "true" }, h("span", { class: "unseen" }, "Loading"));
  setTimeout(() => {
    for (let row = 0; row < rows; row++) place.append(h("div", { class: "skeleton", css: { width: `${90 - ((row * 17) % 40)}%` } }));
  }, 400);
  return place;
}

/**
 * Does something. `place` is empty once it is done; where it fails, it tells why.
 * @param {Element} place
 * @param {AbortSignal} signal
 * @param {() => Promise<unknown>} work
 */
export async function attempt(place, signal, work) {
  try {
    await work();
    replace(place);
  } catch (error) {
    if (!signal.aborted) replace(place, failure(error, () => attempt(place, signal, work)));
  }
}

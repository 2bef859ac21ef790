// What stands around every view.

import { reachability } from "../base/api.js";
import { h, replace } from "../base/dom.js";
import { kbd } from "../base/keys.js";
import { markPlace, rail } from "./rail.js";

const away = h("div.away", { role: "status", hidden: true }, "The API can't be reached. What you see is the last that it told. The page tries again by itself.");
const crumbs = h("div.crumbs");
const actions = h("div.actions");
const main = h("main", { id: "main", tabindex: "-1" });

/**
 * Builds the frame.
 * @param {() => void} find opens what finds things
 */
export function build(find) {
  const app = document.getElementById("app");
  if (!app) return;
  const finder = h("button.find", { type: "button", "aria-keyshortcuts": "Meta+K Control+K", onclick: find }, "Find anything", kbd("mod+k"));
  replace(app, away, rail(), h("header.top", crumbs, finder, actions), main);
  reachability.addEventListener("change", (event) => { away.hidden = /** @type {CustomEvent} */ (event).detail; });
}

/**
 * Shows a view.
 * @param {import("../base/router.js").View} view
 */
export function show(view) {
  document.title = `${view.title} · Bad Lambda`;
  setCrumbs(view.crumbs);
  setActions(view.actions ?? []);
  markPlace(view.place);
  main.className = view.padded ? "padded" : "";
  replace(main, view.body);
  main.scrollTop = 0;
  if (document.activeElement === document.body) main.focus({ preventScroll: true });
}

/**
 * Where one is. The last string is the view's heading.
 * @param {(Node | string)[]} parts
 */
export function setCrumbs(parts) {
  replace(crumbs, parts.map((part) => (typeof part === "string" ? h("h1", part) : part)));
}

/**
 * What can be done with the view.
 * @param {(Node | null | false)[]} buttons
 */
export function setActions(buttons) {
  replace(actions, buttons);
}

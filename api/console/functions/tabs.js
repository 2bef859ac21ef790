// What stands around each view of a function.

import { h, replace } from "../base/dom.js";
import { address } from "../base/router.js";
import { failure, skeleton } from "../base/states.js";
import { setCrumbs } from "../frame/frame.js";
import { aliasText, readFunction } from "./function.js";

/** @typedef {import("./function.js").LambdaFunction} LambdaFunction */

/** The links from one view to the others. @param {string} name @param {"" | "config" | "versions" | "executions"} current */
export function tabs(name, current) {
  const links = Object.entries({ "": "Code", config: "Config", versions: "Versions", executions: "Executions" });
  return h("nav", { class: "tabs", "aria-label": `Views of ${name}` }, links.map(([part, label]) =>
    h("a", { href: address(["functions", name, part].filter(Boolean)), "aria-current": part === current && "page" }, label)));
}

/**
 * Where one is: `Functions / resize · v7 · live → 6 (10 % 7)`.
 * @param {string} name
 * @param {LambdaFunction} [fn]
 * @param {number} [version] the one that is shown
 */
export function functionCrumbs(name, fn, version = fn?.version) {
  const aliases = Object.entries(fn?.aliases ?? {}).slice(0, 3).map(([alias, target]) => ` · ${aliasText(alias, target)}`);
  return [h("a", { href: "#/functions" }, "Functions"), h("span", {}, " / "), name, h("span", {}, fn ? ` · v${version}${aliases.join("")}` : "")];
}

/**
 * A view with its tabs. Once the function is read, `fill` is to fill the places at the left and at the right.
 * @param {"" | "config" | "versions"} tab
 * @param {import("../base/router.js").Place} at
 * @param {Node[]} actions
 * @param {(fn: LambdaFunction, left: HTMLElement, right: HTMLElement) => Promise<void>} fill
 * @returns {import("../base/router.js").View}
 */
export function functionView(tab, { parts: { name }, signal }, actions, fill) {
  const [left, right] = [h("div", { class: tab || "work" }, skeleton(12)), h("div", { class: "right" })];
  const start = async () => {
    try {
      const fn = await readFunction(name, signal);
      setCrumbs(functionCrumbs(name, fn));
      await fill(fn, left, right);
    } catch (error) {
      if (!signal.aborted) replace(left, failure(error, start));
    }
  };
  start();
  return {
    crumbs: functionCrumbs(name), title: tab ? `${name} ${tab}` : name, place: "functions", actions,
    body: h("div", { class: "panes function" }, h("div", { class: "left" }, tabs(name, tab), left), right),
  };
}

// The executions of one function: the tab beside its code, its config and its versions.

import { h } from "../base/dom.js";
import { functionCrumbs, tabs } from "../functions/function.js";
import { executionList } from "./list.js";

/** @type {import("../base/router.js").Open} */
export function open({ parts: { name }, query, signal }) {
  const body = h("div", { class: "tabbed" }, tabs(name, "executions"), executionList(query, name, signal));
  return { crumbs: functionCrumbs(name), title: `Executions of ${name}`, body, place: "functions" };
}

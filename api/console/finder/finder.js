// ⌘K: finds functions, executions by their id, places and actions.

import { allows } from "../base/api.js";
import { combobox } from "../base/combobox.js";
import { openDialog } from "../base/dialog.js";
import { h, setText } from "../base/dom.js";
import { showKeys } from "../base/keys.js";
import { address, go } from "../base/router.js";
import { keepToken, token } from "../base/token.js";
import { choose } from "../base/theme.js";
import { findExecution, isId } from "./find_execution.js";
import { functionNames, learnNames } from "./names.js";

/** @typedef {{ text: string, hint: string, act: () => void }} Entry */

const MOST = 40;

/** Opens the palette. */
export function openFinder() {
  if (document.querySelector(".finder")) return;
  const done = new AbortController();
  const told = h("p.muted", { role: "status" });
  const known = entries();
  /** Where the execution may be whose id is typed. @type {Entry[]} */
  let executions = [];
  const look = (/** @type {string} */ typed) => {
    const id = typed.trim();
    if (isId(id)) return executions.filter(({ text }) => text === id);
    const names = functionNames().map((name) => place(name, "Function", address(["functions", name])));
    const options = id ? best([...known, ...names], id) : known;
    setText(told, options.length ? "" : "Nothing is called like that.");
    return options;
  };
  const take = (/** @type {Entry} */ { act }) => { close(); act(); };
  const { input, list, show } = combobox({ label: "Find anything", placeholder: "Function, execution id, place, action", look, take, stays: true });
  input.addEventListener("input", async () => {
    const id = input.value.trim();
    if (!isId(id) || executions[0]?.text === id) return;
    setText(told, "Looking for that execution.");
    let none = "No function has an execution of this id.";
    const names = await findExecution(id, done.signal).catch((error) => { none = error.message; return []; });
    if (input.value.trim() !== id) return;
    const isSure = names.length === 1;
    executions = names.map((name) => place(id, `${isSure ? "Execution of" : "Look in"} ${name}`, address(["functions", name, "executions", id])));
    setText(told, isSure ? "" : names.length ? "It is none of the newest 1000. Choose its function." : none);
    show();
  });
  const { close } = openDialog("Find anything", () => [input, list, told], { class: "finder", closed: () => done.abort() });
  show();
  learnNames().then(() => { if (input.value) show(); }, () => {});
}

/** @param {string} text @param {string} hint @param {string} hash @returns {Entry} */
function place(text, hint, hash) {
  return { text, hint, act: () => go(hash) };
}

/** @returns {Entry[]} */
function entries() {
  const places = ["Functions", "Executions", "Maps", "Dead letters", "Fleet"].map((text) => place(text, "Place", `#/${text.toLowerCase().replace(" ", "-")}`));
  /** @type {[string, false | (() => void)][]} */
  const actions = [
    ["New function", allows("manage") && (() => go("#/new"))],
    ["Light theme", () => choose("light")], ["Dark theme", () => choose("dark")], ["System theme", () => choose("system")],
    ["Keys", showKeys],
    ["Sign out", token() !== null && (() => { keepToken(null); location.reload(); })],
  ];
  return [...places, ...actions.flatMap(([text, act]) => (act ? [{ text, hint: "Action", act }] : []))];
}

/** Those that have each word of what is typed, the earlier the better. @param {Entry[]} entries @param {string} typed */
function best(entries, typed) {
  const words = typed.toLowerCase().split(/\s+/);
  const scored = entries.map((entry) => ({ entry, places: words.map((word) => entry.text.toLowerCase().indexOf(word)) }));
  const found = scored.filter(({ places }) => !places.includes(-1));
  return found.sort((one, other) => one.places[0] - other.places[0] || one.entry.text.length - other.entry.text.length).slice(0, MOST).map(({ entry }) => entry);
}

// ⌘K: finds functions, executions by their id, places and actions.

import { allows } from "../base/caller.js";
import { combobox } from "../base/combobox.js";
import { openDialog } from "../base/dialog.js";
import { h, setText } from "../base/dom.js";
import { showKeys } from "../base/keys.js";
import { address, go } from "../base/router.js";
import { keepToken, token } from "../base/session.js";
import { choose } from "../base/theme.js";
import { isId } from "../executions/filter.js";
import { findExecution } from "./find_execution.js";
import { functionNames, learnNames } from "./names.js";

/** @typedef {{ text: string, hint: string, hash?: string, act?: () => void }} Entry */

const KEY = "badlambda.recent";
const MOST = 40;

/** Opens the palette. */
export function openFinder() {
  if (document.querySelector(".finder")) return;
  const done = new AbortController();
  const told = h("p", { class: "muted", role: "status" });
  const [known, recents] = [entries(), recent()];
  /** @type {Entry | null} */
  let execution = null;
  const look = (/** @type {string} */ typed) => {
    const text = typed.trim();
    const names = functionNames().map((name) => ({ text: name, hint: "Function", hash: address(["functions", name]) }));
    const options = isId(text) ? [execution].filter((entry) => entry?.text === text) : text ? best([...known, ...names, ...recents], text) : [...recents, ...known];
    if (!isId(text)) setText(told, options.length ? "" : "Nothing is called like that.");
    return { options: /** @type {Entry[]} */ (options), isBegun: true };
  };
  const take = (/** @type {Entry} */ entry) => { close(); open(entry); };
  const { input, list, show } = combobox({ label: "Find anything", placeholder: "Function, execution id, place, action", look, take, stays: true });
  input.addEventListener("input", async () => {
    const id = input.value.trim();
    if (!isId(id) || execution?.text === id) return;
    setText(told, "Looking for that execution.");
    let none = "No function has an execution of this id.";
    const name = await findExecution(id, done.signal).catch((error) => { none = String(error); return null; });
    if (input.value.trim() !== id) return;
    setText(told, name ? "" : none);
    if (name) execution = { text: id, hint: `Execution of ${name}`, hash: address(["functions", name, "executions", id]) };
    show();
  });
  const { close } = openDialog("Find anything", () => [input, list, told], { class: "finder", closed: () => done.abort() });
  show();
  learnNames().then(() => { if (input.value) show(); }, () => {});
}

/** @returns {Entry[]} */
function entries() {
  const places = ["Functions", "Executions", "Maps", "Dead letters", "Fleet"].map((text) => ({ text, hint: "Place", hash: `#/${text.toLowerCase().replace(" ", "-")}` }));
  /** @type {[string, false | (() => void)][]} */
  const actions = [
    ["New function", allows("manage") && (() => go("#/functions/new"))],
    ["Light theme", () => choose("light")], ["Dark theme", () => choose("dark")], ["System theme", () => choose("system")],
    ["Keys", showKeys],
    ["Sign out", token() !== null && (() => { keepToken(null); location.reload(); })],
  ];
  return [...places, ...actions.flatMap(([text, act]) => (act ? [{ text, hint: "Action", act }] : []))];
}

/** Those that fit best what is typed, each place once. @param {Entry[]} entries @param {string} typed */
function best(entries, typed) {
  const wanted = typed.toLowerCase().replace(/\s+/g, "");
  const found = new Map(entries.map((entry) => [entry.hash ?? entry.text, { entry, score: fit(entry.text.toLowerCase(), wanted) }]));
  const sorted = [...found.values()].filter(({ score }) => score > -Infinity).sort((one, other) => other.score - one.score || one.entry.text.length - other.entry.text.length);
  return sorted.slice(0, MOST).map(({ entry }) => entry);
}

/** How well a text has these letters in their order: best together, early, or where words begin. @param {string} text @param {string} wanted */
function fit(text, wanted) {
  const whole = text.indexOf(wanted);
  if (whole >= 0) return 1000 - whole;
  let [score, last] = [0, -1];
  for (const letter of wanted) {
    const place = text.indexOf(letter, last + 1);
    if (place < 0) return -Infinity;
    score += place === last + 1 ? 5 : /[\W_]/.test(text[place - 1]) ? 4 : last - place;
    last = place;
  }
  return score;
}

/** @param {Entry} entry */
function open({ text, hint, hash, act }) {
  if (!hash) return act?.();
  localStorage.setItem(KEY, JSON.stringify([{ text, hint, hash }, ...recent().filter((entry) => entry.hash !== hash)].slice(0, 6)));
  go(hash);
}

/** @returns {Entry[]} */
function recent() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}

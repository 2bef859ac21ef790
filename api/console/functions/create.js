// A new function: its name, an example to begin with, and a place to try it before it is there.

import { ask, get, Problem } from "../base/api.js";
import { h, replace, setText } from "../base/dom.js";
import { bind, kbd } from "../base/keys.js";
import { button } from "../base/parts.js";
import { address, go } from "../base/router.js";
import { failure } from "../base/states.js";
import { makeEditor } from "../editor/editor.js";
import { keepInput } from "../run/input.js";
import { runPane } from "../run/pane.js";
import { PLAIN } from "./ask.js";
import { checkCode } from "./check.js";
import { unsavedCode } from "./drafts.js";
import { EXAMPLES } from "./examples.js";

/** The API's rule for names. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const RULE = "1 to 64 letters, digits, hyphens and underscores; the first is a letter or digit.";
const TAKEN = "There is a function of this name.";
/** The name that code runs under which is no function's. */
const ONE_SHOT = "_run";

/** @type {import("../base/router.js").Open} */
export function open({ query, signal }) {
  let example = EXAMPLES.find(({ id }) => id === query.get("example")) ?? EXAMPLES[1];
  const [verdict, state, wrong, about] = [h("span"), h("span"), h("div"), h("p", { class: "hint" })];
  const right = h("div", { class: "right" });
  const name = nameField(signal);
  const unsaved = unsavedCode({ name: "", version: 0 }, example.code, signal);
  const change = (/** @type {string} */ text) => {
    unsaved.change(text);
    check(text);
    replace(state, unsaved.isChanged && ["Differs from the example · ", button("Undo all", () => set(unsaved.saved))]);
  };
  const set = (/** @type {string} */ text) => {
    editor.setValue(text);
    change(text);
  };
  const editor = makeEditor({ language: "ruby", value: unsaved.offer ? unsaved.restore() : unsaved.text, label: "Code", onChange: change, signal });
  const config = () => example.config ?? {};
  const check = checkCode(editor, verdict, () => [NAME.test(name.input.value) ? name.input.value : "new", config()], signal);
  let pane = new AbortController();
  const choose = () => {
    // Code that somebody changed stays.
    const isOwn = editor.value !== example.code;
    example = EXAMPLES.find(({ id }) => id === select.value) ?? example;
    setText(about, example.about);
    unsaved.settle(0, example.code);
    set(isOwn ? editor.value : example.code);
    name.suggest(example.name);
    keepInput(ONE_SHOT, example.input);
    pane.abort();
    pane = new AbortController();
    const target = () => ({ code: editor.value, config: config() });
    const options = { functionName: ONE_SHOT, target, signal: AbortSignal.any([signal, pane.signal]), goToLine: editor.pointAt };
    replace(right, runPane(options).element);
  };
  const options = EXAMPLES.map(({ id, title }) => h("option", { value: id, selected: id === example.id }, title));
  const select = h("select", { id: "new-example", on: { change: choose } }, options);
  choose();
  let isBusy = false;
  const store = async () => {
    if (!name.check() || isBusy) return name.input.focus();
    isBusy = true;
    try {
      await ask("POST", "/v1/functions", { json: { name: name.input.value, code: editor.value, config: config() }, signal });
      keepInput(name.input.value, example.input);
      unsaved.settle(0, editor.value);
      go(address(["functions", name.input.value]));
    } catch (error) {
      if (error instanceof Problem && error.type === "name_taken") name.refuse(TAKEN);
      else if (!signal.aborted) replace(wrong, failure(error));
    }
    isBusy = false;
  };
  bind("mod+s", "Create the function", store, { signal });
  const head = h("div", { class: "new" }, name.element,
    h("div", { class: "field" }, h("label", { for: "new-example" }, "Example"), select, about), wrong);
  return {
    crumbs: [h("a", { href: "#/functions" }, "Functions"), h("span", {}, " / "), "New function"],
    title: "New function", place: "functions",
    actions: [h("button", { class: "button main", type: "button", on: { click: store } }, "Create", kbd("mod+s"))],
    body: h("div", { class: "panes function" },
      h("div", { class: "left work" }, head, editor.element, h("div", { class: "foot" }, verdict, state)), right),
  };
}

/** The name, checked while it is typed: its form, and whether it is free. @param {AbortSignal} signal */
function nameField(signal) {
  const hint = h("p", { id: "new-hint", class: "hint" }, RULE);
  /** Those that there are, as far as a page of them goes; the API refuses the others. @type {Set<string>} */
  let taken = new Set();
  let suggested = "";
  const refuse = (/** @type {string} */ text) => {
    hint.className = text ? "wrong" : "hint";
    setText(hint, text || RULE);
    input.setAttribute("aria-invalid", String(text !== ""));
  };
  const check = () => {
    refuse(!NAME.test(input.value) ? `A name has ${RULE}` : taken.has(input.value) ? TAKEN : "");
    return input.getAttribute("aria-invalid") === "false";
  };
  const suggest = (/** @type {string} */ name) => {
    if (input.value !== suggested) return;
    for (let number = 2; taken.has(input.value = suggested = name); number++) name = name.replace(/(-\d+)?$/, `-${number}`);
    check();
  };
  const input = h("input", { id: "new-name", ...PLAIN, "aria-describedby": hint.id, on: { input: check } });
  get("/v1/functions", { query: { limit: 200 }, signal }).then(({ functions }) => {
    taken = new Set(functions.map((/** @type {{ name: string }} */ { name }) => name));
    suggest(input.value);
  }, () => {});
  return { input, check, refuse, suggest, element: h("div", { class: "field" }, h("label", { for: input.id }, "Name"), input, hint) };
}

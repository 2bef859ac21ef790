// A new function: its name, an example to begin with, and a place to try it before it is there.

import { Problem, send } from "../base/api.js";
import { bind, kbd } from "../base/keys.js";
import { address, button, failure, field, go, h, replace, setText } from "../base/parts.js";
import { turns } from "../base/poll.js";
import { keepInput } from "../run/input.js";
import { runPane } from "../run/pane.js";
import { editSource } from "./edit.js";
import { EXAMPLES } from "./examples.js";
import { functionCrumbs, PLAIN } from "./function.js";

/** The API's rule for names. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const RULE = "1 to 64 letters, digits, hyphens and underscores; the first is a letter or digit.";
/** The name that code runs under which is no function's. */
const ONE_SHOT = "_run";

/** @type {import("../base/router.js").Open} */
export function open({ query, signal }) {
  const [wrong, right, name] = [h("div"), h("div.right"), nameField()];
  const choice = chooseExample(query.get("example"), () => begin());
  const content = () => ({ code: source.editor.value, config: {} });
  const source = editSource({
    fn: { version: 0, etag: "" }, draft: "", saved: choice.example().code, savedAs: () => "the example", label: "Code", signal,
    name: () => (NAME.test(name.input.value) ? name.input.value : "new"), config: () => ({}),
  });
  const next = turns(signal);
  const begin = () => {
    const { about, code, input } = choice.example();
    setText(choice.about, about);
    source.settle(code);
    keepInput(ONE_SHOT, input);
    replace(right, runPane({ functionName: ONE_SHOT, target: content, signal: next(), goToLine: source.editor.pointAt }).element);
  };
  begin();
  const create = async () => {
    if (!name.check()) return name.input.focus();
    try {
      await send("POST", "/v1/functions", { json: { name: name.input.value, ...content() }, signal });
      keepInput(name.input.value, choice.example().input);
      source.settle(source.editor.value);
      go(address(["functions", name.input.value]));
    } catch (error) {
      if (error instanceof Problem && error.type === "name_taken") name.tell("There is a function of this name.");
      else if (!signal.aborted) replace(wrong, failure(error));
    }
  };
  bind("mod+s", "Create the function", create, signal);
  const head = h("div.new", name.element, choice.element, wrong);
  return {
    crumbs: functionCrumbs("New function"), title: "New function", place: "functions",
    actions: [button(["Create", kbd("mod+s")], create, "main")],
    body: h("div.panes.function", h("div.left.work", head, source.elements), right),
  };
}

/** The name, whose form is checked while it is typed; the API says whether it is free. */
function nameField() {
  const hint = h("p", { id: "new-hint", class: "hint" }, RULE);
  const tell = (/** @type {string} */ text) => {
    hint.className = text ? "wrong" : "hint";
    setText(hint, text || RULE);
    input.setAttribute("aria-invalid", String(text !== ""));
    return !text;
  };
  const check = () => tell(NAME.test(input.value) ? "" : `A name has ${RULE}`);
  const input = h("input", { ...PLAIN, "aria-describedby": hint.id, oninput: check });
  return { input, tell, check, element: h("div.field", field("Name", input), hint) };
}

/** @param {string | null} id @param {() => void} chosen */
function chooseExample(id, chosen) {
  const about = h("p.hint");
  const select = h("select", { onchange: chosen }, EXAMPLES.map((one) => h("option", { selected: one.id === id }, one.title)));
  const example = () => EXAMPLES[select.selectedIndex];
  return { example, about, element: h("div.field", field("Example", select), about) };
}

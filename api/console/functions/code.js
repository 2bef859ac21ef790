// A function's code, and beside it what it does with an input.

import { allows, functionPath, get, send } from "../base/api.js";
import { openForm } from "../base/dialog.js";
import { menuButton } from "../base/menu.js";
import { address, failure, field, go, h, replace, toast } from "../base/parts.js";
import { save as saveFile } from "../run/text.js";
import { editSource, saver } from "./edit.js";
import { functionView, PLAIN, readCode } from "./function.js";

/** @type {import("../base/router.js").Open} */
export function open(at) {
  const { query, signal } = at;
  return functionView("", at, async (fn) => {
    const { name } = fn;
    const version = Number(query.get("version")) || fn.version;
    const isOld = version !== fn.version;
    /** @type {import("./function.js").Version} */
    const one = isOld ? await get(functionPath(name, "versions", String(version)), { signal }) : fn;
    const isZip = one.code_type === "zip";
    const saved = await readCode(name, one, signal);
    const newest = address(["functions", name]);
    const shown = () => (isOld ? version : fn.version);
    const notice = h("div.notices", isOld && [h("span", `v${version}`), h("a.button.quiet", { href: newest }, `Show v${fn.version}`)]);
    const content = () => ({ code: source.editor.value, config: fn.config });
    const save = saver(fn, signal, {
      content,
      basis: () => source.basis(),
      isChanged: () => !isZip && (isOld || source.isChanged()),
      failed: (error) => replace(notice, failure(error)),
      saved({ code }) {
        source.settle(code);
        replace(notice);
        if (isOld) go(newest);
      },
    });
    const source = editSource({
      fn, draft: isOld ? `${name}/${version}` : name, saved, savedAs: () => `v${shown()}`, label: `Code of ${name}`,
      readOnly: isZip || !allows("manage"), signal, name: () => name, config: () => fn.config, changed: () => save.mark(),
    });
    const items = [
      ...(isZip ? [] : [{ label: "Download the code", act: () => saveFile(`${name}.rb`, source.editor.value) }]),
      ...(allows("manage") ? [{ label: `Delete ${name}`, act: () => deleteFunction(name) }] : []),
    ];
    const target = () => (source.isChanged() ? content() : { version: shown() });
    return { left: [notice, ...source.elements], run: { target, goToLine: source.editor.pointAt }, actions: [items.length > 0 && menuButton("More", () => items), save.button] };
  });
}

/** Whoever deletes a function types its name. @param {string} name */
function deleteFunction(name) {
  const act = h("button.button.bad", { disabled: true }, `Delete ${name}`);
  const input = h("input", { ...PLAIN, oninput: () => { act.disabled = input.value !== name; } });
  const about = h("p", "Its versions and aliases go with it. What is queued for it ends as not_found. There is no way back.");
  openForm(`Delete ${name}`, [about, field(`Type ${name}`, input)], act, async () => {
    await send("DELETE", functionPath(name));
    toast(`Deleted ${name}.`);
    go("#/functions");
  });
}

// What came of a map's inputs, read as far as somebody looks.

import { ask, textLines } from "../base/api.js";
import { announce, h, replace, setText } from "../base/dom.js";
import { bytes, count, duration, pill } from "../base/format.js";
import { button } from "../base/parts.js";
import { sleep } from "../base/poll.js";
import { address, rewrite } from "../base/router.js";
import { failure } from "../base/states.js";
import { entries } from "../run/json.js";
import { clip, save } from "../run/text.js";
import { valueView } from "../run/value.js";

const [PAGE, FAILURES] = [100, 50];
/** Characters: of a piece of a file, of a page, of a file. */
const [PART_TEXT, PAGE_TEXT, MOST_TEXT] = [1 << 20, 16 << 20, 50 << 20];
/** A longer error is read once it is opened. */
const MOST_READ = 20_000;
const HEAD = /^\{"index":(\d+),"status":"(\w+)",?(?:"\w+":)?/;

/** @param {{ path: string, name: string, id: string, total: number, from: number, signal: AbortSignal }} map */
export function resultsCard({ path, name, id, total, from, signal }) {
  const [list, onlyFailures, foot] = [h("ol", { class: "results" }), h("input", { type: "checkbox" }), h("div", { class: "body stack" })];
  const index = h("input", { type: "number", min: 0, max: Math.max(0, total - 1), value: from, "aria-label": "Index" });
  const read = makeReader(`${path}/results`, foot, signal);
  let next = Math.min(from, total);
  const more = async () => {
    const wanted = onlyFailures.checked ? FAILURES : PAGE;
    let [found, size] = [0, 0];
    await read(next, (line) => {
      const [head, index, status] = HEAD.exec(line) ?? ["", next, "failed"];
      next = Number(index) + 1;
      if (onlyFailures.checked && status !== "failed") return false;
      list.append(resultRow(next - 1, status, line, head.length));
      size += line.length;
      return ++found === wanted || size > PAGE_TEXT;
    }, () => `Read up to ${count(next)} of ${count(total)}.`, after);
  };
  const after = () => next < total && button(onlyFailures.checked ? `Next ${FAILURES} failures` : `Next ${PAGE}`, more);
  const begin = (/** @type {Event} */ event) => {
    event.preventDefault();
    next = Number(index.value);
    list.replaceChildren();
    rewrite(address(["functions", name, "maps", id], { from: index.value }));
    more();
  };
  onlyFailures.addEventListener("change", begin);
  more();
  return h("section", { class: "card" },
    h("header", {}, h("h2", {}, "Results"), h("form", { class: "end jump", on: { submit: begin } },
      h("label", {}, onlyFailures, "only failures"), index, h("button", { class: "button" }, "Go to index"),
      button("Download all", () => download({ read, name, id, foot, after })))),
    list, foot);
}

/** @param {string} path @param {HTMLElement} place where it tells how far it is @param {AbortSignal} signal */
function makeReader(path, place, signal) {
  let reading = new AbortController();
  /**
   * Gives each line from `at` on to `take`, until that returns true or somebody stops it. Returns whether nobody did.
   * @param {number} at @param {(line: string) => boolean} take @param {() => string} tell @param {() => Node | false} then what can be done after it
   */
  return async (at, take, tell, then) => {
    reading.abort();
    const own = reading = new AbortController();
    const stop = AbortSignal.any([signal, own.signal]);
    const told = h("p", { class: "muted" });
    replace(place, told, h("div", {}, button("Stop", () => own.abort())));
    let [breath, isDone, trouble] = [performance.now(), false, /** @type {Node | null} */ (null)];
    try {
      for await (const line of textLines(await ask("GET", path, { query: { from: at }, signal: stop }))) {
        if (take(line)) break;
        if (performance.now() - breath < 30) continue;
        setText(told, tell());
        await sleep(0);
        breath = performance.now();
      }
      isDone = true;
    } catch (error) {
      if (!stop.aborted) trouble = failure(error);
    }
    if (reading !== own || signal.aborted) return false;
    setText(told, tell());
    announce(tell());
    replace(place, told, trouble, h("div", {}, then()));
    return isDone;
  };
}

/** @param {number} index @param {string} status @param {string} line @param {number} head how much of the line these are */
function resultRow(index, status, line, head) {
  const usage = line.lastIndexOf(',"usage":{');
  let text = line.slice(head, Math.min(head + 300, usage < 0 ? line.length - 1 : usage));
  if (status === "failed" && line.length < MOST_READ) {
    const { kind, type, message } = JSON.parse(line).error;
    text = `${type ?? kind}: ${message}`;
  }
  const details = h("details", {},
    h("summary", {}, h("span", { class: "number" }, index), pill(status), h("bdi", { class: "mono" }, clip(text, 200))));
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    /** @type {Record<string, string>} */
    const parts = {};
    for (const { key, start, end } of entries(line, 0)) parts[key ?? ""] = line.slice(start, end);
    const used = JSON.parse(parts['"usage"'] ?? "null");
    details.append(valueView(undefined, { text: parts['"result"'] ?? parts['"error"'] ?? line, name: `result ${index}` }),
      used ? h("p", { class: "muted" }, `${duration(used.wall_ms)}, ${bytes(used.max_rss_bytes)}`) : "");
  });
  return h("li", {}, details);
}

/**
 * Saves all results as a file, as far as they fit into memory.
 * @param {{ read: ReturnType<typeof makeReader>, name: string, id: string, foot: HTMLElement, after: () => Node | false }} map
 */
async function download({ read, name, id, foot, after }) {
  /** @type {BlobPart[]} */
  const parts = [];
  let [size, part] = [0, ""];
  const isWhole = await read(0, (line) => {
    part += `${line}\n`;
    size += line.length;
    if (part.length > PART_TEXT) {
      parts.push(new Blob([part]));
      part = "";
    }
    return size > MOST_TEXT;
  }, () => `Read ${bytes(size)}.`, after);
  if (!isWhole) return;
  if (size <= MOST_TEXT) save(`${name}-${id}.ndjson`, new Blob([...parts, part]));
  else foot.prepend(h("p", {}, `There are more than ${bytes(MOST_TEXT)}. On a command line: `, h("code", {}, `badlambda map ${name} --resume ${id} > results.ndjson`)));
}

// What came of a map's inputs, read as far as somebody looks.

import { ask } from "../base/api.js";
import { address, announce, attempt, button, bytes, card, count, duration, folded, form, h, pill, replace, rewrite } from "../base/parts.js";
import { sleep } from "../base/poll.js";
import { textLines } from "../base/stream.js";
import { members } from "../run/json.js";
import { clip, save } from "../run/text.js";
import { valueView } from "../run/value.js";

/** A page: so many, or so many failures, or so many characters. */
const PAGE = 100;
const FAILURES = 50;
const PAGE_TEXT = 16 << 20;
const HEAD = /^\{"index":(\d+),"status":"(\w+)",(?:"\w+":)?/;

/** @param {import("../frame/maps.js").Job} map @param {string} path @param {number} from @param {AbortSignal} signal */
export function resultsCard({ function: name, id, total }, path, from, signal) {
  const [list, onlyFailures, state, foot] = [h("div.results"), h("input", { type: "checkbox" }), h("div"), h("div")];
  const index = h("input", { type: "number", min: 0, max: total - 1, value: from, "aria-label": "Index" });
  let [next, reading] = [from, new AbortController()];
  const more = () => {
    reading.abort();
    const own = (reading = new AbortController());
    const [stop, isOnly, text] = [AbortSignal.any([signal, own.signal]), onlyFailures.checked, h("span.muted")];
    let [left, size] = [isOnly ? FAILURES : PAGE, 0];
    replace(foot, text, " ", button("Stop", () => own.abort()));
    attempt(state, stop, async () => {
      for await (const line of readLines(path, next, stop)) {
        const [head, at, status] = /** @type {RegExpExecArray} */ (HEAD.exec(line));
        next = Number(at) + 1;
        text.textContent = `Read up to ${count(next)} of ${count(total)}.`;
        if (isOnly && status !== "failed") continue;
        list.append(resultRow(at, status, line, head.length));
        size += line.length;
        if (!--left || size > PAGE_TEXT) break;
      }
    }).then(() => {
      if (reading !== own || signal.aborted) return;
      announce(text.innerText);
      replace(foot, text, " ", next < total && button(isOnly ? `Next ${FAILURES} failures` : `Next ${PAGE}`, more));
    });
  };
  const begin = () => {
    next = Number(index.value);
    replace(list);
    rewrite(address(["functions", name, "maps", id], { from: index.value }));
    more();
  };
  onlyFailures.addEventListener("change", begin);
  more();
  return card("Results", form("end jump", begin,
    h("label", onlyFailures, "only failures"), index, h("button.button", "Go to index"),
    downloadButton(path, `${name}-${id}.ndjson`, state, signal)),
    list, h("div.body.stack", state, foot));
}

/** Saves all results as a file. @param {string} path @param {string} file its name @param {Element} state @param {AbortSignal} signal */
function downloadButton(path, file, state, signal) {
  return button("Download all", () => attempt(state, signal, async () => {
    replace(state, "Reading.");
    save(file, await (await ask("GET", path, { signal })).blob());
  }));
}

/** The lines as they come, with a breath for the page in between. @param {string} path @param {number} from @param {AbortSignal} stop */
async function* readLines(path, from, stop) {
  let breath = performance.now();
  for await (const line of textLines(await ask("GET", path, { query: { from }, signal: stop }))) {
    if (performance.now() - breath > 30) {
      await sleep(0);
      breath = performance.now();
    }
    // What has come by then is not taken.
    stop.throwIfAborted();
    yield line;
  }
}

/** @param {string} index @param {string} status @param {string} line @param {number} head how much of the line these are */
function resultRow(index, status, line, head) {
  let text = line.slice(head, head + 300).replace(/,"usage":\{"wall_ms.*|\}$/, "");
  if (status === "failed") {
    const { kind, type, message } = JSON.parse(line).error;
    text = `${type ?? kind}: ${message}`;
  }
  return folded([h("span.number.muted", index), pill(status), h("bdi.mono", clip(text, 200))], () => {
    const { result, error, usage } = members(line);
    const used = JSON.parse(usage ?? "null");
    return [valueView(result ?? error, `result ${index}`),
      used && h("p.muted", `${duration(used.wall_ms)}, ${bytes(used.max_rss_bytes)}`)];
  });
}

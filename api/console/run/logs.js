// The logs of an execution, as they come. What is drawn is bounded, however long they or their lines are.

/** @import { Execution } from "./execution.js" */
import { h, replace, setText } from "../base/dom.js";
import { bytes, count } from "../base/format.js";
import { copy } from "../base/toast.js";
import { AnsiReader, withoutAnsi } from "./ansi.js";
import { fetchText } from "./execution.js";
import { card, pieceEnd, quiet, save, visible } from "./text.js";

/** What is drawn at most, and in one frame; colours make many nodes. */
const MOST = 1024 * 1024;
const STEP = 32 * 1024;
const COLOURED_STEP = 4 * 1024;
/** Coloured parts that are drawn; what comes behind them has no colours. */
const MOST_NODES = 8000;
/** What is kept at most, to be copied. */
const KEPT = 8 * MOST;

export class Logs {
  #lines = h("span");
  #note = h("p", { class: "muted" });
  #pieces = h("div");
  #news = h("button", { class: "button news", type: "button", on: { click: () => this.#goToEnd() } });
  #box = h("div", { class: "logs mono", tabindex: "0", role: "group", "aria-label": "Logs", on: { scroll: () => this.#scrolled() } },
    this.#note, this.#pieces, this.#news);
  #tools = h("span", {},
    quiet("Copy", () => copy(withoutAnsi(this.#text), "the logs")), quiet("Download", () => this.#download()));
  element = card("Logs", h("span", { class: "end" }, this.#lines, this.#tools), h("div", { class: "body" }, this.#box));
  /** @type {Execution | null} */
  #shown = null;
  #text = "";
  /** What is not drawn yet. */
  #waiting = "";
  /** How they end until now, where the record says so and nobody listens. */
  #tail = "";
  #end = 0;
  #drawn = 0;
  #nodes = 0;
  #newlines = 0;
  #unseen = 0;
  #follows = true;
  #hasGap = false;
  /** Whether nobody has listened: then the beginning is shown, and nothing is new. */
  #isFetched = false;
  #reader = new AnsiReader();

  reset() {
    this.#text = this.#waiting = this.#tail = "";
    this.#end = this.#drawn = this.#nodes = this.#newlines = this.#unseen = 0;
    this.#follows = true;
    this.#hasGap = this.#isFetched = false;
    this.#reader = new AnsiReader();
    this.#news.hidden = this.#note.hidden = true;
    replace(this.#pieces);
    this.#tell();
  }

  /**
   * Adds a piece that begins at `offset`, in bytes. 0 begins anew: each attempt has logs of its own.
   * @param {string} text
   * @param {number} offset
   */
  add(text, offset) {
    if (this.#tail || (offset === 0 && this.#end > 0)) this.reset();
    const gap = offset - this.#end;
    if (gap < 0) return;
    this.#end = offset + new TextEncoder().encode(text).length;
    this.#hasGap ||= gap > 0;
    if (!this.#text) this.#note.hidden = true;
    const piece = gap ? `… ${bytes(gap)} are missing here …\n${text}` : text;
    this.#text = (this.#text + piece).slice(-KEPT);
    if (!this.#waiting) requestAnimationFrame(() => this.#step());
    this.#waiting = (this.#waiting + piece).slice(-MOST);
    this.#newlines += newlinesOf(piece);
    this.#tell();
  }

  /**
   * Shows what the execution tells of its logs, and fetches them where nobody has listened.
   * @param {Execution} execution
   * @param {boolean} isOver
   * @param {AbortSignal} signal
   */
  async show(execution, isOver, signal) {
    this.#shown = execution;
    const { logs_tail: tail, logs_url: url } = execution;
    if (tail && tail !== this.#tail && (this.#tail || !this.#end)) {
      this.reset();
      this.add(tail, 0);
      this.#tail = tail;
    }
    if (isOver && url && (this.#tail || this.#hasGap || !this.#end)) {
      const { text, isCut } = await fetchText(execution, "logs", signal);
      this.reset();
      this.add(text, 0);
      this.#isFetched = true;
      if (isCut) this.#say("This is how the logs begin. Download has all of them.");
    }
    if (!this.#text) this.#say(isOver ? "Nothing was written to stdout or stderr." : "Nothing is written yet.");
  }

  /** Draws some of what waits. */
  #step() {
    const isColoured = this.#waiting.slice(0, STEP).includes("\x1b");
    const size = pieceEnd(this.#waiting, 0, isColoured ? COLOURED_STEP : STEP);
    if (size) this.#draw(this.#waiting.slice(0, size));
    this.#waiting = this.#waiting.slice(size);
    if (this.#waiting) requestAnimationFrame(() => this.#step());
  }

  /** @param {string} piece */
  #draw(piece) {
    const nodes = this.#nodes < MOST_NODES ? this.#reader.read(piece) : [document.createTextNode(visible(withoutAnsi(piece)))];
    const last = /** @type {HTMLElement | null} */ (this.#pieces.lastElementChild);
    // A line that goes on stays in its block, unless that is full.
    const block = last?.dataset.goesOn && Number(last.dataset.size) < STEP ? last : h("div", { class: "piece", dir: "auto" });
    block.append(...nodes);
    Object.assign(block.dataset, { size: Number(block.dataset.size ?? 0) + piece.length, goesOn: piece.endsWith("\n") ? "" : "1" });
    if (block !== last) this.#pieces.append(block);
    this.#nodes += nodes.length;
    this.#drawn += piece.length;
    while (this.#drawn > MOST) {
      const first = /** @type {HTMLElement} */ (this.#pieces.firstElementChild);
      this.#drawn -= Number(first.dataset.size);
      first.remove();
      this.#say("Earlier lines are not shown. Download has them.");
    }
    if (this.#isFetched) return;
    if (this.#follows) return this.#goToEnd();
    this.#unseen += newlinesOf(piece);
    this.#news.hidden = !this.#unseen;
    setText(this.#news, lines(this.#unseen, "new "));
  }

  #scrolled() {
    this.#follows = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < 24;
    if (this.#follows) this.#news.hidden = true;
  }

  #goToEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#unseen = 0;
    this.#news.hidden = this.#follows = true;
  }

  #tell() {
    setText(this.#lines, lines(this.#newlines + (this.#text && !this.#text.endsWith("\n") ? 1 : 0)));
    this.#tools.hidden = !this.#text;
  }

  /** @param {string} what */
  #say(what) {
    this.#note.hidden = false;
    setText(this.#note, what);
  }

  #download() {
    const href = this.#shown?.logs_url;
    if (href) h("a", { href, download: "", target: "_blank", rel: "noopener" }).click();
    else save("logs.txt", this.#text);
  }
}

/** @param {number} number @param {string} [which] */
function lines(number, which = "") {
  return `${count(number)} ${which}${number === 1 ? "line" : "lines"}`;
}

/** @param {string} text */
function newlinesOf(text) {
  return text.split("\n").length - 1;
}

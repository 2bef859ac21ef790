// The logs of an execution, as they come. What is drawn is bounded, however long they or their lines are.

/** @import { Execution } from "./execution.js" */
import { bytes, card, count, h, replace, setText } from "../base/parts.js";
import { ansiReader, withoutAnsi } from "./ansi.js";
import { isFinal, watch } from "./execution.js";
import { pieceEnd, textTools } from "./text.js";
import { scrollBox } from "./value.js";

/** What is drawn at most, in characters; a node counts as many. */
const MOST = 1024 * 1024;
const NODE = 100;
/** What is drawn in one frame. */
const STEP = 8 * 1024;

export function logsCard() {
  const [lines, note, box] = [h("span"), h("p.muted"), scrollBox("logs mono", "Logs")];
  const tools = textTools("logs", () => "txt", () => withoutAnsi(text));
  /** `end` is how far they were told, in bytes. */
  let [text, end, newlines, hasGap, follows] = ["", 0, 0, false, true];
  let draw = drawerIn(box, note, follows);
  const tell = () => {
    const number = newlines + (text && !text.endsWith("\n") ? 1 : 0);
    setText(lines, `${count(number)} ${number === 1 ? "line" : "lines"}`);
    tools.hidden = !text;
  };

  /** Adds what begins at `offset`, in bytes. 0 begins anew: each attempt has its own logs. @param {string} piece @param {number} offset */
  const add = (piece, offset) => {
    if (offset === 0) {
      [text, end, newlines, hasGap] = ["", 0, 0, false];
      draw = drawerIn(box, note, follows);
    }
    const gap = offset - end;
    end = offset + new TextEncoder().encode(piece).length;
    if (gap > 0) [hasGap, piece] = [true, `… ${bytes(gap)} are missing here …\n${piece}`];
    text += piece;
    newlines += piece.split("\n").length - 1;
    tell();
    draw(piece);
  };

  /** Called at each change of the execution's status. @param {Execution} execution @param {AbortSignal} signal */
  const show = (execution, signal) => {
    const isOver = isFinal(execution);
    // Where nobody has listened, or not all was told: from the beginning.
    if (isOver && execution.logs_url && (hasGap || !text)) {
      follows = false;
      watch(execution, { signal, show() {}, addLogs: add }).catch(({ message }) => setText(note, message));
    } else if (!text) setText(note, isOver ? "Nothing was written to stdout or stderr." : "Nothing is written yet.");
    tell();
  };

  return { element: card("Logs", h("span.end", lines, tools), h("div.body", box)), add, show };
}

/**
 * Returns what draws one piece after the other in a box, some of it in each frame. The box follows while its end is seen.
 * @param {HTMLElement} box
 * @param {HTMLElement} note
 * @param {boolean} follows
 */
function drawerIn(box, note, follows) {
  const blocks = h("div");
  const read = ansiReader();
  /** Of the blocks that are drawn. @type {number[]} */
  const sizes = [];
  let [waiting, drawn, isWhole] = ["", 0, true];
  setText(note, "");
  replace(box, note, blocks);
  const draw = () => {
    const isAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
    const piece = waiting.slice(0, pieceEnd(waiting, 0, STEP));
    waiting = waiting.slice(piece.length);
    // A line that goes on stays in its block, unless that is full.
    if (isWhole || sizes[sizes.length - 1] > 4 * STEP) {
      blocks.append(h("div.piece", { dir: "auto" }));
      sizes.push(0);
    }
    isWhole = piece.endsWith("\n");
    const nodes = read(piece);
    const size = piece.length + nodes.length * NODE;
    blocks.lastElementChild?.append(...nodes);
    sizes[sizes.length - 1] += size;
    for (drawn += size; drawn > MOST; drawn -= sizes.shift() ?? 0) {
      setText(note, "Earlier lines are not shown. Download has them.");
      blocks.firstElementChild?.remove();
    }
    if (follows && isAtEnd) box.scrollTop = box.scrollHeight;
    if (waiting) requestAnimationFrame(draw);
  };
  return (/** @type {string} */ piece) => {
    if (!waiting) requestAnimationFrame(draw);
    waiting += piece;
  };
}

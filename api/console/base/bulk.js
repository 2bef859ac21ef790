// Doing something to many: says first what will happen, then does it, and can be stopped.

import { Problem } from "./api.js";
import { openDialog } from "./dialog.js";
import { announce, button, count, failure, field, form, h, replace, setText, toast } from "./parts.js";
import { sleep } from "./poll.js";

/** @typedef {import("./dom.js").Child} Child */
/** `left` are those that were not begun. @template T @typedef {{ done: number, failed: { row?: T, problem: unknown }[], left: T[], waits: boolean }} Progress */
/**
 * `find` finds those that are meant: there may be more of them than the rows that it returns. `act` does it to one row; or
 * `together` has the API do it to all.
 * @template T
 * @typedef {object} Deed
 * @property {{ verb: string, doing: string, done: string, says: string }} words
 * @property {string} noun
 * @property {boolean} isBad
 * @property {boolean} [isPaced] whether to ask how many in a second
 * @property {(tell: (number: number) => void, signal: AbortSignal) => Promise<{ rows: T[], number?: number, note?: string | null }>} find
 * @property {(row: T) => Child[]} sample
 * @property {(row: T) => Promise<unknown>} act
 * @property {null | ((progress: Progress<T>, tell: () => void, perSecond: number, signal: AbortSignal) => Promise<void>)} [together]
 * @property {() => void} ended
 */
/**
 * @template T
 * @typedef {Deed<T> & { dialog: Element, show: (title: string, parts: Child[], ...buttons: Child[]) => void, close: () => void, closed: AbortSignal }} Bulk
 */

/** From more than these on, the number is to be typed. */
const MANY = 100;
const AT_ONCE = 4;
/** The pause where the API does not say how long it is to be. */
const PAUSE_SECONDS = 2;

/** Asks, and does it. @template T @param {Deed<T>} deed */
export async function actOnMany(deed) {
  const [text, place, closed] = [h("p", "Counting."), h("div.stack"), new AbortController()];
  const { dialog, close } = openDialog(deed.words.verb, () => [place], { closed: () => closed.abort() });
  /** @type {Bulk<T>["show"]} */
  const show = (title, parts, ...buttons) => {
    setText(/** @type {Element} */ (dialog.querySelector("h2")), title);
    replace(place, parts, h("div.buttons", buttons));
  };
  show(`${deed.words.verb} all that match`, [text], button("Back", close));
  try {
    const { rows, number = rows.length, note } = await deed.find((number) => setText(text, `Counting: ${count(number)} so far.`), closed.signal);
    ask({ ...deed, dialog, show, close, closed: closed.signal }, rows, number, note);
  } catch (error) {
    replace(text, failure(error));
  }
}

/** Says how many, shows five, and what will happen. @template T @param {Bulk<T>} bulk @param {T[]} rows @param {number} number @param {Child} note */
function ask(bulk, rows, number, note) {
  const { words: { verb, says }, noun, isBad, isPaced, sample, show, close } = bulk;
  const all = `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
  const title = `${verb} ${all}`;
  if (!number) return show(title, ["None is left to do this to."], button("Close", close));
  const isMany = number > MANY;
  const begin = h("button", { class: `button ${isBad ? "bad" : "main"}`, form: "bulk", disabled: isMany }, `${verb} ${count(number)}`);
  const check = () => { begin.disabled = typed.value.replace(/\D/g, "") !== String(number); };
  const typed = h("input", { inputmode: "numeric", autocomplete: "off", oninput: check });
  const pace = h("input", { type: "number", min: 1, max: 500, value: 10, required: true });
  const asked = form("stack", () => run(bulk, rows, number, isPaced ? Number(pace.value) : Infinity),
    h("p", `${all}. ${says}`, note),
    h("ul.samples", rows.slice(0, 5).map((row) => h("li", sample(row))), number > 5 && h("li.muted", `and ${count(number - 5)} more`)),
    isPaced && field("How many in a second", pace),
    isMany && field(`Type ${number} to go on`, typed));
  asked.id = "bulk";
  show(title, [asked], button("Back", close), begin);
  (isMany ? typed : begin).focus();
}

/** Does it, and shows how far it is. @template T @param {Bulk<T>} bulk @param {T[]} rows @param {number} number @param {number} perSecond */
async function run(bulk, rows, number, perSecond) {
  const { words: { doing, done }, act, together, closed, dialog, show } = bulk;
  const halt = new AbortController();
  const signal = AbortSignal.any([closed, halt.signal]);
  /** @type {Progress<T>} */
  const progress = { done: 0, failed: [], left: [...rows], waits: false };
  const rest = () => Math.max(0, number - progress.done - progress.failed.length);
  const [bar, text] = [h("progress", { max: number, "aria-label": doing }), h("p.number")];
  const tell = () => {
    bar.value = number - rest();
    setText(text, `${count(progress.done)} ${done} · ${count(progress.failed.length)} failed · ${count(rest())} left${progress.waits ? " · the API asks to wait" : ""}`);
  };
  const stop = button("Stop", () => halt.abort());
  tell();
  show(`${doing} ${count(number)}`, [bar, text], stop);
  stop.focus();
  // Escape stops it, and does not hide what came of it.
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); halt.abort(); }, { signal: halt.signal });
  const trouble = await (together ? together(progress, tell, perSecond, signal) : actOnEach(act, progress, tell, perSecond, signal))
    .catch((error) => !signal.aborted && failure(error));
  halt.abort();
  showEnd(bulk, progress, rest(), trouble || null, (those) => run(bulk, those, those.length, perSecond));
}

/** @template T @param {Bulk<T>} bulk @param {Progress<T>} progress @param {number} rest @param {Child} trouble @param {(rows: T[]) => void} again */
function showEnd({ words, together, close, closed, show, ended }, { done, failed, left }, rest, trouble, again) {
  const parts = [`${count(done)} ${words.done}`, failed.length && `${count(failed.length)} failed`, rest && `${count(rest)} not begun`];
  const title = `${parts.filter(Boolean).join(", ")}.`;
  const end = button("Close", close, "main");
  show(title, [trouble, reasons(failed)],
    !together && failed.length > 0 && button(`Try these ${count(failed.length)} again`, () => again(failed.flatMap(({ row }) => row ?? []))),
    !together && rest > 0 && button(`Go on with ${count(rest)}`, () => again(left)), end);
  end.focus();
  // Who has closed the dialog is told all the same.
  (closed.aborted ? toast : announce)(title);
  ended();
}

/**
 * Does it to each, until the signal aborts: what is under way then is ended. Where the API asks to wait, all wait.
 * @template T
 * @param {(row: T) => Promise<unknown>} act @param {Progress<T>} progress @param {() => void} tell @param {number} perSecond @param {AbortSignal} signal
 */
async function actOnEach(act, progress, tell, perSecond, signal) {
  let next = 0;
  const work = async () => {
    while (!signal.aborted) {
      if (next > Date.now()) {
        await sleep(next - Date.now(), signal);
        continue;
      }
      const row = progress.left.pop();
      if (!row) return;
      next = Date.now() + 1000 / perSecond;
      try {
        await act(row);
        progress.done++;
        progress.waits = false;
      } catch (problem) {
        progress.waits = problem instanceof Problem && problem.isTemporary;
        if (progress.waits) {
          progress.left.push(row);
          next = Date.now() + (/** @type {Problem} */ (problem).retryAfter ?? PAUSE_SECONDS) * 1000;
        } else progress.failed.push({ row, problem });
      }
      tell();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** What failed, by its reason. @param {{ problem: unknown }[]} failed */
function reasons(failed) {
  /** @type {Map<string, number>} */
  const times = new Map();
  for (const { problem } of failed) times.set(String(problem), (times.get(String(problem)) ?? 0) + 1);
  const most = [...times].sort((one, other) => other[1] - one[1]).slice(0, 20);
  return h("ul.samples", most.map(([reason, number]) => h("li", h("b", `${count(number)} × `), reason.replace(/^Error: /, ""))));
}

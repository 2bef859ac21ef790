// The grammar of the filter box, over values: `status:failed kind:timeout function:resize version:7 since:2h until:2026-01-31`.

/** @typedef {"status" | "kind" | "function" | "version" | "since" | "until"} Key */
/** @typedef {Partial<Record<Key, string>>} Filter */

const KINDS = "exception timeout memory crash syntax scratch result_too_large result_not_json not_found bad_message worker_lost expired".split(" ");
const WHEN = "how long ago, such as 15m, 2h or 7d, or a time, such as 2026-01-31 or 2026-01-31T12:00Z";
const MOMENT = /** @type {Rule} */ ([isMoment, WHEN, ["15m", "1h", "2h", "1d", "7d"]]);

/** What a key takes, what would be right, and what is offered. @typedef {[(value: string) => boolean, string, string[]]} Rule */
/** @type {Record<Key, Rule>} */
const KEYS = {
  status: oneOf(["running", "succeeded", "failed", "cancelled"]),
  kind: oneOf(KINDS),
  function: [(value) => /^\w[\w-]{0,63}$/.test(value), "a name: letters, digits, hyphens and underscores", []],
  version: [(value) => /^[1-9]\d{0,8}$/.test(value), "a number, such as version:7", []],
  since: MOMENT,
  until: MOMENT,
};
const NAMES = /** @type {Key[]} */ (Object.keys(KEYS));

/** Reads what stands in the box. What is wrong is told in a sentence, and the filter holds the rest. @param {string} text */
export function parse(text) {
  /** @type {Filter} */
  const filter = {};
  let error = "";
  for (const word of text.split(/\s+/).filter(Boolean)) error ||= add(word, filter);
  return { filter, error };
}

/** @param {string} word @param {Filter} filter @returns {string} what is wrong */
function add(word, filter) {
  const [name, ...rest] = word.split(":");
  const [key, value] = [/** @type {Key} */ (name), rest.join(":")];
  if (!rest.length) return `“${word}” is no filter: that is a key and a value, such as status:failed.`;
  if (!NAMES.includes(key)) return `There is no key “${name}”. Keys are ${NAMES.join(", ")}.`;
  if (filter[key]) return `${key} stands there twice.`;
  const [takes, right] = KEYS[key];
  if (!takes(value)) return `${key} is ${right}.`;
  filter[key] = value;
  return "";
}

/** The filter as it is written, in the order of the keys. @param {Filter} filter */
export function print(filter) {
  return NAMES.filter((key) => filter[key]).map((key) => `${key}:${filter[key]}`).join(" ");
}

/** Where the API is asked for what passes, and with which query. @param {Filter} filter */
export function source({ function: name, since, until, ...query }) {
  const path = name ? `/v1/functions/${name}/executions` : "/v1/executions";
  return { path, query: { ...query, since: asked(since), until: asked(until) } };
}

/** Where the word at the cursor begins and ends. @param {string} text @param {number} cursor */
export function wordAt(text, cursor) {
  return [text.lastIndexOf(" ", cursor - 1) + 1, `${text} `.indexOf(" ", cursor)];
}

/**
 * What may stand in place of the word at the cursor: a key, a key's value, or a value without its key.
 * @param {string} text @param {number} cursor @param {string[]} functions their names
 */
export function complete(text, cursor, functions) {
  const [from, to] = wordAt(text, cursor);
  const word = text.slice(from, to);
  const used = parse(text.slice(0, from) + text.slice(to)).filter;
  const fits = (/** @type {string} */ key, /** @type {string} */ value) => {
    if (!value) return key.startsWith(word) && key !== word;
    if (word.includes(":")) return (key + value).startsWith(word) && key + value !== word;
    return word && value.startsWith(word);
  };
  return NAMES.filter((key) => !used[key]).flatMap((key) =>
    ["", ...(key === "function" ? functions : KEYS[key][2])].filter((value) => fits(`${key}:`, value)).map((value) => `${key}:${value}`)).slice(0, 50);
}

/** @param {string[]} values @returns {Rule} */
function oneOf(values) {
  return [(value) => values.includes(value), `one of ${values.join(", ")}`, values];
}

/** @param {string} value */
function isMoment(value) {
  return /^\d{1,6}[smhd]$/.test(value) || (/^\d{4}-\d\d-\d\d(T.+(Z|[+-]\d\d:\d\d))?$/.test(value) && !Number.isNaN(Date.parse(value)));
}

/** A moment as the API reads it. @param {string} [value] */
function asked(value) {
  return value?.includes("-") ? new Date(value).toISOString() : value;
}

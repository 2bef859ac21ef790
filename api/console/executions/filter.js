// The grammar of the filter box, over values: `status:failed kind:timeout function:resize version:7 since:2h until:2026-01-31`.

/** @typedef {"status" | "kind" | "function" | "version" | "since" | "until"} Key */
/** @typedef {Partial<Record<Key, string>>} Filter */

const STATUSES = ["running", "succeeded", "failed", "cancelled"];
const KINDS = "exception timeout memory crash syntax scratch result_too_large result_not_json not_found bad_message worker_lost expired".split(" ");
const AGO = ["15m", "1h", "2h", "1d", "7d"];
const MOMENT = /^(\d{1,6}[smhd]|\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)$/;
const WHEN = "how long ago, such as 15m, 2h or 7d, or a time, such as 2026-01-31 or 2026-01-31T12:00Z";

/** What a key takes, what would be right, and what is offered. @type {Record<Key, [RegExp, string, string[]]>} */
const KEYS = {
  status: [anyOf(STATUSES), `one of ${STATUSES.join(", ")}`, STATUSES],
  kind: [anyOf(KINDS), `one of ${KINDS.join(", ")}`, KINDS],
  function: [/^\w[\w-]{0,63}$/, "a name: letters, digits, hyphens and underscores", []],
  version: [/^[1-9]\d{0,8}$/, "a number, such as version:7", []],
  since: [MOMENT, WHEN, AGO],
  until: [MOMENT, WHEN, AGO],
};
const NAMES = /** @type {Key[]} */ (Object.keys(KEYS));

/**
 * Reads what stands in the box. What is wrong is told in a sentence, and the filter holds the rest.
 * @param {string} text
 */
export function parse(text) {
  const parsed = { filter: /** @type {Filter} */ ({}), id: "", error: "" };
  for (const word of text.split(/\s+/)) {
    if (isId(word)) parsed.id = word;
    else if (word) parsed.error ||= add(word, parsed.filter);
  }
  return parsed;
}

/** @param {string} word @param {Filter} filter @returns {string} what is wrong */
function add(word, filter) {
  const [name, ...rest] = word.split(":");
  const key = /** @type {Key} */ (name.toLowerCase());
  const value = rest.join(":");
  if (!rest.length) return `“${word}” is no execution's id. A filter is a key and a value, such as status:failed.`;
  if (!NAMES.includes(key)) return `There is no key “${name}”. Keys are ${NAMES.join(", ")}.`;
  if (filter[key]) return `${key} stands there twice.`;
  if (word === "status:queued") return "What is queued can't be listed. Fleet shows how many wait.";
  const [takes, right] = KEYS[key];
  if (!takes.test(value) || (takes === MOMENT && !asked(value))) return `${key} is ${right}.`;
  filter[key] = key === "status" || key === "kind" ? value.toLowerCase() : value;
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

/**
 * What may stand in place of the word at the cursor, which goes `from` one place `to` another.
 * @param {string} text @param {number} cursor @param {string[]} functions their names
 */
export function complete(text, cursor, functions) {
  const [from, to] = [text.lastIndexOf(" ", cursor - 1) + 1, `${text} `.indexOf(" ", cursor)];
  const word = text.slice(from, to).toLowerCase();
  const used = parse(text.slice(0, from) + text.slice(to)).filter;
  const all = NAMES.filter((key) => !used[key]).flatMap((key) => ["", ...(key === "function" ? functions : KEYS[key][2])].map((value) => `${key}:${value}`));
  const fits = (/** @type {string} */ option) => {
    const value = option.slice(option.indexOf(":") + 1).toLowerCase();
    return option.toLowerCase().startsWith(word) ? !value !== word.includes(":") : value && word && value.startsWith(word);
  };
  const options = all.filter(fits).slice(0, 50);
  return { from, to, options: options[1] || options[0]?.toLowerCase() !== word ? options : [] };
}

/** Whether it looks as an execution's id does: one of the API's, or a message's. @param {string} word */
export function isId(word) {
  return /^([0-9a-hjkmnp-tv-z]{31}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(word);
}

/** @param {string[]} values */
function anyOf(values) {
  return new RegExp(`^(${values.join("|")})$`, "i");
}

/** A moment as the API reads it. One that names no zone is in UTC, as all times of the page. @param {string} [value] */
function asked(value) {
  if (!value?.includes("-")) return value;
  const at = new Date(/T[^Z+-]+$/.test(value) ? `${value}Z` : value);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

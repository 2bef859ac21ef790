// A function as the API tells of it, and what stands around each of its views.

import { ask, functionPath } from "../base/api.js";
import { address, attempt, bytes, count, h, percent, replace, setText, skeleton } from "../base/parts.js";
import { ended } from "../frame/fleet.js";
import { setActions, setCrumbs } from "../frame/frame.js";
import { runPane } from "../run/pane.js";

/** @typedef {import("../base/dom.js").Child} Child */
/** @typedef {{ version: number, weights: Record<string, number> }} Target */
/** @typedef {{ version: number, code_bytes: number, code_sha256: string, code_type: "ruby" | "zip", form: string, config: Record<string, any>, created_at: string }} Version */
/** @typedef {Version & { name: string, aliases: Record<string, number | Target>, updated_at: string, etag: string }} LambdaFunction */
/** @typedef {{ code: string, config: Record<string, any> }} Content */
/** @typedef {Omit<Parameters<typeof runPane>[0], "functionName" | "signal">} Run what is run at the right */
/** @typedef {{ left: Child[], right?: Child[], run?: Run, actions?: (Node | null | false)[] }} Made */
/** @typedef {{ succeeded: number, failed: number, cancelled: number, run_ms: { p50: number, p99: number } | null }} Ended */

/** Of an input that holds no words. */
export const PLAIN = { autocomplete: "off", spellcheck: "false" };

/**
 * The function that an answer tells of, with its entity tag.
 * @param {Response} response
 * @returns {Promise<LambdaFunction>}
 */
export async function told(response) {
  return { ...(await response.json()), etag: response.headers.get("etag") };
}

/** @param {string} name @param {AbortSignal} signal */
export async function readFunction(name, signal) {
  return told(await ask("GET", functionPath(name), { signal }));
}

/** The code of a version. A zip is not read: a line tells of it. @param {string} name @param {Version} of @param {AbortSignal} signal */
export async function readCode(name, { version, code_type, code_bytes, code_sha256 }, signal) {
  if (code_type === "zip") return `# a zip of ${bytes(code_bytes)}, SHA-256 ${code_sha256}\n`;
  return (await ask("GET", functionPath(name, "versions", String(version), "code"), { signal })).text();
}

/** What an alias points at. @param {number | Target} target @returns {Target} */
export function targetOf(target) {
  return typeof target === "number" ? { version: target, weights: {} } : target;
}

/** As `live → 6 (10 % 7)`. @param {string} alias @param {number | Target} target */
export function aliasText(alias, target) {
  const { version, weights } = targetOf(target);
  const shares = Object.entries(weights).map(([other, share]) => `${percent(share)} ${other}`).join(", ");
  return `${alias} → ${version}${shares && ` (${shares})`}`;
}

/** Shows how many ended, and what share of them failed. @param {Element} finished @param {Element} failures @param {Omit<Ended, "run_ms">} of */
export function showEnded(finished, failures, of) {
  const whole = of.succeeded + of.failed;
  setText(finished, count(ended(of)));
  setText(failures, whole ? percent(of.failed / whole) : "–");
  failures.classList.toggle("bad", of.failed > 0);
}

/** The links from one view to the others. @param {string} name @param {"" | "config" | "versions" | "executions"} current */
export function tabs(name, current) {
  const links = Object.entries({ "": "Code", config: "Config", versions: "Versions", executions: "Executions" });
  return h("nav.tabs", { "aria-label": `Views of ${name}` }, links.map(([part, label]) =>
    h("a", { href: address(["functions", name, part].filter(Boolean)), "aria-current": part === current && "page" }, label)));
}

/**
 * Where one is: `Functions / resize · v7 · live → 6 (10 % 7)`.
 * @param {string} name
 * @param {LambdaFunction} [fn]
 * @param {number} [version] the one that is shown
 */
export function functionCrumbs(name, fn, version = fn?.version) {
  const aliases = Object.entries(fn?.aliases ?? {}).slice(0, 3).map(([alias, target]) => ` · ${aliasText(alias, target)}`);
  return [h("a", { href: "#/functions" }, "Functions"), h("span", " / "), name, h("span", fn ? ` · v${version}${aliases.join("")}` : "")];
}

/**
 * A view with its tabs. What stands at its left, at its right and at the top is made once the function is read.
 * @param {"" | "config" | "versions"} tab
 * @param {import("../base/router.js").Place} at
 * @param {(fn: LambdaFunction) => Promise<Made>} make
 * @returns {import("../base/router.js").View}
 */
export function functionView(tab, { parts: { name }, query, signal }, make) {
  const [left, right] = [h("div", { class: tab || "work" }, skeleton(12)), h("div.right")];
  attempt(left, signal, async () => {
    const fn = await readFunction(name, signal);
    setCrumbs(functionCrumbs(name, fn, Number(query.get("version")) || fn.version));
    const made = await make(fn);
    replace(right, made.run ? runPane({ functionName: name, signal, ...made.run }).element : made.right ?? []);
    setActions(made.actions ?? []);
    return made.left;
  });
  return {
    crumbs: functionCrumbs(name), title: tab ? `${name} ${tab}` : name, place: "functions",
    body: h("div.panes.function", h("div.left", tabs(name, tab), left), right),
  };
}

// The one Trusted Types policy. The code editor builds lines of highlighted code as HTML: what it may hold is spans and
// divs with a class, and text in which `<` is escaped. All else is refused, and nothing else of the page makes HTML.

const TAG = /<\/?(?:span|div)(?: (?:class="[\w -]*"|class=[\w-]+|aria-hidden=true))*>/g;
const TEMPLATES = new Set([
  "<div><div class=pce-wrapper><div class=pce-overlays><textarea class=pce-textarea spellcheck=false autocapitalize=off autocomplete=off>",
]);

/** @typedef {{ createPolicy(name: string, rules: { createHTML(html: string): string }): unknown }} TrustedTypes */

/** Makes the policy, where the browser knows Trusted Types. */
export function trustEditor() {
  const types = /** @type {{ trustedTypes?: TrustedTypes }} */ (/** @type {unknown} */ (globalThis)).trustedTypes;
  types?.createPolicy("default", {
    createHTML(html) {
      if (TEMPLATES.has(html) || !html.replace(TAG, "").includes("<")) return html;
      throw new TypeError("this HTML is not what the editor makes of code");
    },
  });
}

// Light or dark: as the system has it, unless somebody has chosen.

const KEY = "badlambda.theme";

/** @typedef {"system" | "light" | "dark"} Theme */

/** @returns {Theme} */
export function chosen() {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "system";
}

/** @param {Theme} theme */
export function choose(theme) {
  if (theme === "system") {
    localStorage.removeItem(KEY);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(KEY, theme);
    document.documentElement.dataset.theme = theme;
  }
  document.dispatchEvent(new Event("theme"));
}

/** Shows the theme that was chosen before. */
export function apply() {
  choose(chosen());
}

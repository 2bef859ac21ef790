// The token that requests bear. It is kept for as long as the tab is open.

const KEY = "badlambda.token";

/** The token to send; null where there is none. */
export function token() {
  return sessionStorage.getItem(KEY);
}

/** @param {string | null} text */
export function keepToken(text) {
  if (text) sessionStorage.setItem(KEY, text);
  else sessionStorage.removeItem(KEY);
}

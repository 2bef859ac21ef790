// Asking again and again.

/**
 * Calls `look` at once, then `ms` after each time it has ended, until the signal aborts. While the page is hidden it is
 * not called; after a failure the pause grows. What `look` throws is told to `failed`.
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} look
 * @param {(error: unknown) => void} [failed]
 */
export async function every(ms, signal, look, failed = () => {}) {
  let pause = ms;
  while (!signal.aborted) {
    if (!document.hidden) {
      try {
        await look();
        pause = ms;
      } catch (error) {
        if (signal.aborted) return;
        failed(error);
        pause = Math.min(pause * 2, 30_000);
      }
    }
    await sleep(pause, signal);
    if (document.hidden) await seen(signal);
  }
}

/**
 * Ends after `ms`, or when the signal aborts.
 * @param {number} ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
export function sleep(ms, signal) {
  return new Promise((resolve) => {
    const end = () => { clearTimeout(timer); signal?.removeEventListener("abort", end); resolve(); };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function seen(signal) {
  return new Promise((resolve) => {
    const done = new AbortController();
    const end = () => { done.abort(); resolve(); };
    document.addEventListener("visibilitychange", () => { if (!document.hidden) end(); }, { signal: done.signal });
    signal.addEventListener("abort", end, { signal: done.signal });
  });
}

/**
 * Calls `act` once it has not been asked for during `ms`; each call replaces the one before.
 * @template {any[]} A
 * @param {number} ms
 * @param {(...parameters: A) => void} act
 */
export function debounced(ms, act) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return (/** @type {A} */ ...parameters) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...parameters), ms);
  };
}

/**
 * Returns what gives a signal for the next of several things, each of which ends the one before. All end with `signal`.
 * @param {AbortSignal} signal
 */
export function turns(signal) {
  let last = new AbortController();
  return () => {
    last.abort();
    last = new AbortController();
    return AbortSignal.any([signal, last.signal]);
  };
}

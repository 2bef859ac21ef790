// Which function an execution is of, where only its id is known.

import { Problem, functionPath, get } from "../base/api.js";
import { functionNames, learnNames } from "./names.js";

const AT_ONCE = 6;

/** Whether it looks as an execution's id does: one of the API's, or a message's. @param {string} text */
export function isId(text) {
  return /^([0-9a-hjkmnp-tv-z]{31}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(text);
}

/**
 * The function that has an execution of this id; nothing where none has. The newest are looked through; then each function
 * is asked: one whose execution it is not answers at once.
 * @param {string} id @param {AbortSignal} signal
 */
export async function findExecution(id, signal) {
  /** @type {import("../executions/feed.js").Page} */
  const { executions } = await get("/v1/executions", { query: { limit: 1000 }, signal });
  let found = executions.find((execution) => execution.id === id)?.function ?? "";
  await learnNames();
  const left = [...functionNames(), "_run"];
  const look = async () => {
    for (let name = left.pop(); name && !found && !signal.aborted; name = left.pop()) {
      const here = await get(functionPath(name, "executions", id), { signal }).catch((error) => {
        if (!(error instanceof Problem && [403, 404].includes(error.status))) throw error;
      });
      if (here) found = name;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  return found;
}

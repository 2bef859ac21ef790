// Which function an execution is of, where only its id is known.

import { Problem, functionPath, get } from "../base/api.js";
import { functionOf } from "../executions/feed.js";
import { learnNames } from "./names.js";

const AT_ONCE = 6;

/**
 * The function that has an execution of this id; null where none has. What the list holds is looked at first; else each
 * function is asked: one whose execution it is not answers at once.
 * @param {string} id @param {AbortSignal} signal
 */
export async function findExecution(id, signal) {
  let found = functionOf(id);
  if (found) return found;
  const left = [...(await learnNames()), "_run"];
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

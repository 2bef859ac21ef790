// The console: starts the frame, and opens the view that the address names.

import { noAnswer } from "./base/api.js";
import { learnCaller } from "./base/caller.js";
import { h } from "./base/dom.js";
import { keepTimes } from "./base/format.js";
import { bind, listen } from "./base/keys.js";
import { go, route, start } from "./base/router.js";
import { failure } from "./base/states.js";
import { apply } from "./base/theme.js";
import { trustEditor } from "./base/trusted.js";
import { watchFleet } from "./frame/fleet.js";
import { watchMaps } from "./frame/maps.js";
import { build, show } from "./frame/frame.js";
import { countFunctions } from "./frame/rail.js";
import { openFinder } from "./finder/finder.js";

/**
 * Views are loaded when they are opened for the first time.
 * @param {string} path
 * @param {() => Promise<{ open: import("./base/router.js").Open }>} load
 */
const view = (path, load) => route(path, async (place) => {
  const { open } = await load().catch(() => { throw noAnswer(); });
  return open(place);
});

view("/functions", () => import("./functions/list.js"));
view("/new", () => import("./functions/create.js"));
view("/functions/:name", () => import("./functions/code.js"));
view("/functions/:name/config", () => import("./functions/config.js"));
view("/functions/:name/versions", () => import("./functions/versions.js"));
view("/functions/:name/executions", () => import("./executions/of_function.js"));
view("/functions/:name/executions/:id", () => import("./executions/one.js"));
view("/executions", () => import("./executions/list.js"));
view("/maps", () => import("./maps/list.js"));
view("/functions/:name/maps/:id", () => import("./maps/one.js"));
view("/dead-letters", () => import("./dead_letters/list.js"));
view("/dead-letters/:id", () => import("./dead_letters/one.js"));
view("/fleet", () => import("./fleet/fleet.js"));

trustEditor();
apply();
build(openFinder);
listen();
keepTimes();
bind("mod+k", "Find anything", openFinder);
for (const [key, place] of Object.entries({ f: "functions", e: "executions", m: "maps", d: "dead-letters", l: "fleet" })) {
  bind(`g ${key}`, `Go to ${place.replace("-", " ")}`, () => go(`#/${place}`));
}

try {
  await learnCaller();
  start(show);
  watchFleet();
  countFunctions().catch(() => {});
  watchMaps();
} catch (error) {
  show({ title: "Bad Lambda", crumbs: ["Bad Lambda"], body: h("div", {}, failure(error, () => location.reload())), place: "", padded: true });
}

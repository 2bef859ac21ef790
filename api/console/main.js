// The console: starts the frame, and opens the view that the address names.

import { learnCaller, noAnswer } from "./base/api.js";
import { bind, listen } from "./base/keys.js";
import { go, route, start } from "./base/router.js";
import { failure, h, keepTimes } from "./base/parts.js";
import { apply } from "./base/theme.js";
import { trustEditor } from "./base/trusted.js";
import { watchFleet } from "./frame/fleet.js";
import { watchMaps } from "./frame/maps.js";
import { build, show } from "./frame/frame.js";
import { countFunctions } from "./frame/rail.js";
import { openFinder } from "./finder/finder.js";

/** The file of each view; it is loaded when the view is opened for the first time. */
const VIEWS = {
  "/functions": "functions/list",
  "/new": "functions/create",
  "/functions/:name": "functions/code",
  "/functions/:name/config": "functions/config",
  "/functions/:name/versions": "functions/versions",
  "/functions/:name/executions": "executions/list",
  "/functions/:name/executions/:id": "executions/one",
  "/executions": "executions/list",
  "/maps": "maps/list",
  "/functions/:name/maps/:id": "maps/one",
  "/dead-letters": "dead_letters/list",
  "/dead-letters/:id": "dead_letters/one",
  "/fleet": "fleet/fleet",
};

const fail = (/** @type {unknown} */ error, /** @type {() => void} */ again) =>
  show({ title: "Bad Lambda", crumbs: ["Bad Lambda"], body: h("div", failure(error, again)), place: "", padded: true });

for (const [path, file] of Object.entries(VIEWS)) {
  route(path, async (place) => {
    const { open } = await import(`./${file}.js`).catch(() => { throw noAnswer(); });
    return open(place);
  });
}
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
  start(show, fail);
  watchFleet();
  countFunctions().catch(() => {});
  watchMaps();
} catch (error) {
  fail(error, () => location.reload());
}

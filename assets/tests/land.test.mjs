// The ground below the scenes.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { PANES, open } from "./fakes.mjs";

let page;

beforeEach(async () => {
  page = await open();
});

test("panes lie in the order of their numbers, and the land takes no clicks", async () => {
  await backdrop();
  for (const [name, zIndex] of Object.entries(PANES)) {
    assert.equal(page.map.panes[name].style.zIndex, zIndex);
  }
  assert.equal(page.map.panes.land.style.pointerEvents, "none");
  assert.equal(page.map.panes.imagery.style.pointerEvents, undefined);
});

test("the theme is told to the style sheet", async () => {
  await backdrop({ theme: "dark" });
  assert.equal(globalThis.document.documentElement.dataset.theme, "dark");
});

test("the land is drawn in its own pane, with its source", async () => {
  await backdrop();
  const [{ options }] = page.made.geojson;
  assert.equal(options.pane, "land");
  assert.equal(options.interactive, false);
  assert.match(options.attribution, /Natural Earth/);
});

for (const [coastUrl, zoom, scale] of [
  ["coast", 5, "far"], ["coast", 8, "near"], ["coast", 12, "close"], ["", 8, "far"], ["", 12, "unknown"],
]) {
  test(`at zoom ${zoom} ${coastUrl ? "with" : "without"} the finer coast the land is ${scale}`, async () => {
    await backdrop({ coastUrl });
    page.map.moveTo([37.65, -75.6], zoom);
    assert.equal(page.map.panes.land.dataset.scale, scale);
  });
}

test("near the coast each piece in sight is fetched once, in whichever of the worlds that Leaflet repeats", async () => {
  await backdrop({ coastUrl: "coast/{x}/{y}" });
  page.map.moveTo([37.65, -75.6], 12);
  page.map.moveTo([37.66, -75.6], 12);
  const pieces = () => page.made.fetched.filter((url) => url.startsWith("coast"));
  assert.deepEqual(pieces(), ["coast/18/24"]);
  page.map.moveTo([37.65, 284.4], 12);
  assert.deepEqual(pieces(), ["coast/18/24", "coast/18/24"]);
});

test("a land that cannot be fetched leaves the map as it is", async () => {
  globalThis.fetch = async () => {
    throw new Error("offline");
  };
  const warned = [];
  const { warn } = console;
  console.warn = (words) => warned.push(words);
  try {
    await backdrop();
  } finally {
    console.warn = warn;
  }
  assert.equal(page.made.geojson.length, 0);
  assert.match(warned[0], /offline/);
});

function backdrop(options = {}) {
  return page.Emberscope.backdrop(page.map, { theme: "light", panes: PANES, landUrl: "land", coastUrl: "", ...options });
}

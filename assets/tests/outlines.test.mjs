// The lines around scenes: where they lie, and that their words stay plain text.
import assert from "node:assert/strict";
import { test } from "node:test";

import { open } from "./fakes.mjs";

test("each line lies in the pane of outlines and tells its words as plain text", async () => {
  const { Emberscope, made } = await open();
  const group = [];
  const words = "<img src=x onerror=alert(1)> & more";
  const told = [];
  const polygon = globalThis.L.polygon;
  globalThis.L.polygon = (...given) => {
    const line = polygon(...given);
    return Object.assign(line, {
      bindTooltip: (element, options) => (told.push({ element, options }), line),
      addTo: (to) => to.push(line),
    });
  };
  const rings = [[[38, -75], [38, -74], [39, -74]]];
  Emberscope.outlines(group, { lines: [{ rings, colour: "#b8431a", weight: 2, words }, { rings, colour: "#777", weight: 1, words: "" }] });
  assert.equal(group.length, 2);
  assert.deepEqual(made.polygons[0].rings, rings);
  assert.deepEqual(made.polygons[0].options, { color: "#b8431a", weight: 2, fill: false, pane: "outlines" });
  assert.equal(told[0].element.textContent, words);
  assert.equal(told[0].element.innerHTML, undefined);
  assert.deepEqual(told[0].options, { sticky: true });
});

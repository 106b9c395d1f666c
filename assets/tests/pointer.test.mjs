// What our maps say of the place under the pointer.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { PANES, open } from "./fakes.mjs";

const TOKEN = "0123456789abcdef0123456789abcdef";
const AT = { lat: 37.65, lng: 284.39 };
let page, box;

beforeEach(async () => {
  page = await open();
  for (const [name, zIndex] of Object.entries(PANES)) {
    page.map.createPane(name).style.zIndex = zIndex;
  }
  globalThis.setTimeout = (act) => act() && 1;
  page.Emberscope.pointer(page.map, { url: "values" });
  box = page.made.controls.at(-1).onAdd();
});

test("each layer in sight says its value and date, from above, and the coordinates follow", async () => {
  page.made.answers.values = { [TOKEN]: { words: ["red 0.050", "nir_narrow 0.310"], date: "1 May 2021" } };
  lay(imagery(), { options: { pane: "overlay", title: "Similar", valueAt: async () => ({ words: ["0.93"] }) } });
  assert.deepEqual(await told(), ["Similar 0.93", "True colour red 0.050 · nir_narrow 0.310 · 1 May 2021", "37.6500° N, 75.6100° W"]);
  assert.match(page.made.fetched[0], /lon=-75\.61/);
});

test("where a layer holds nothing it says so", async () => {
  lay(imagery());
  page.made.answers.values = { [TOKEN]: { words: [], date: "" } };
  assert.deepEqual(await told(), ["True colour no data", "37.6500° N, 75.6100° W"]);
});

test("a hidden layer and one that cannot be read are not asked", async () => {
  lay(imagery(), { _url: `../tiles/${"f".repeat(32)}/{z}`, options: { pane: "overlay", title: "Embeddings", reads: false } });
  page.map.panes.imagery.style.visibility = "hidden";
  assert.deepEqual(await told(), ["37.6500° N, 75.6100° W"]);
  assert.equal(page.made.fetched.length, 0);
});

function imagery() {
  return { _url: `../tiles/${TOKEN}/{z}/{x}/{y}.png`, options: { pane: "imagery", title: "True colour" } };
}

function lay(...layers) {
  page.map.eachLayer = (act) => layers.forEach(act);
}

async function told() {
  page.map.tell("mousemove", { latlng: AT });
  await new Promise((done) => setImmediate(done));
  return box.children.map(wordsOf);
}

function wordsOf(element) {
  return (element.textContent ?? "") + element.children.map((part) => (part.children ? wordsOf(part) : part)).join("");
}

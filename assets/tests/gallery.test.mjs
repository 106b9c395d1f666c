// The scenes side by side, and base maps from the web.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { PANES, open } from "./fakes.mjs";

const SCENES = ["one", "two", "three"].map((id, index) => ({
  id, title: `${id} <b>`, date: `${index + 1} May 2021`, picture: index, box: [[index, 10], [index + 0.1, 10.1]],
  cloud: null, split: index ? "test" : "train", label: index ? "9 % burned" : "fire-free", score: "",
}));
let page;

test("the gallery says how many scenes there are and of which kinds, and brings the next one into sight", async () => {
  await show();
  const [summary, bar, strip] = gallery().children;
  assert.equal(summary.textContent, "3 scenes · 1 fire-free, 2 with fire · 1 train, 2 test");
  assert.equal(strip.children.length, 3);
  const [all, , position, next] = bar.children;
  next.tell("click");
  next.tell("click");
  assert.deepEqual(page.map.fitted.at(-1).corners, SCENES[1].box);
  assert.equal(position.textContent, "2 of 3");
  assert.deepEqual(strip.children.map((card) => card.ariaPressed), ["false", "true", "false"]);
  assert.equal(page.address.search, "?scene=two");
  all.tell("click");
  assert.deepEqual(page.map.fitted.at(-1).corners, [[0, 10], [2.1, 10.1]]);
});

test("the Tab key comes to the strip of scenes once, and the arrows go along it", async () => {
  await show();
  const strip = gallery().children[2];
  const event = { key: "ArrowRight", preventDefault() {} };
  assert.deepEqual(strip.children.map((card) => card.tabIndex), [0, -1, -1]);
  strip.tell("keydown", event);
  strip.tell("keydown", event);
  assert.deepEqual(strip.children.map((card) => card.tabIndex), [-1, 0, -1]);
  assert.ok(strip.children[1].hasFocus);
});

test("a link opens its scene, and says where it is not here", async () => {
  await show("?scene=three");
  assert.deepEqual(page.map.fitted.at(-1).corners, SCENES[2].box);
  await show("?scene=gone");
  assert.match(page.map.emberRefused.children.at(-1).textContent, /scene “gone”/);
});

test("only scenes that are too small to be seen have a mark", async () => {
  await show();
  const shown = () => page.made.marks.map((mark) => mark.element.style.display);
  page.map.zoom = 4;
  page.map.tell("zoomend");
  assert.deepEqual(shown(), ["", "", ""]);
  page.map.zoom = 13;
  page.map.tell("zoomend");
  assert.deepEqual(shown(), ["none", "none", "none"]);
});

test("a base map is loaded only when it is chosen, and the land comes back where it cannot be reached", async () => {
  page = await open();
  const row = page.map.container;
  page.Emberscope.baseMaps(page.map, { maps: [{ name: "Streets", url: "tiles", attribution: "them", maxZoom: 19 }] });
  assert.equal(page.made.tiles.length, 0);
  const [label, said] = row.children;
  const [select] = label.children;
  assert.deepEqual(select.children.map((option) => option.value), ["", "Streets"]);
  select.value = "Streets";
  select.tell("change");
  assert.equal(page.address.search, "?base=Streets");
  page.made.tiles[0].tell("tileerror");
  assert.equal(select.value, "");
  assert.match(said.textContent, /Streets cannot be reached/);
  assert.equal(page.address.search, "");
});

beforeEach(() => {
  page = undefined;
});

async function show(link = "") {
  page = await open({ link });
  globalThis.setTimeout = (act, afterMs) => afterMs > 1000 || (act() && 1);
  for (const [name, zIndex] of Object.entries(PANES)) {
    page.map.createPane(name).style.zIndex = zIndex;
  }
  page.made.answers["maps/galleries/x.json"] = { layer: "token", scenes: SCENES };
  page.map.eachLayer = (act) => act({ options: { gallery: "maps/galleries/x.json" } });
  page.Emberscope.gallery(page.map, { panelPx: 400 });
  page.map.tell("layeradd", {});
  await new Promise((done) => setImmediate(done));
}

function gallery() {
  return page.map.container.children[0];
}

// What a link asks of the map in vain is said: for every name that the map reads from the address.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { PANES, open } from "./fakes.mjs";

const HOME = [[37.6, -75.7], [37.7, -75.5]];
const MAPS = [{ name: "Streets", url: "tiles", attribution: "them", maxZoom: 19 }];
const WRONG = {
  view: ["", "1,2", "a,b,c", "99,0,3", "10,20,99", "10,20,7,8", "37.65x,-75.6,7", "<b>", "10.5,20.25,7"],
  layers: ["nonsense", "imagery:400", "imagery,-radar", "<b>"],
  base: ["Other", "<b>"],
  scene: ["gone", "<b>"],
};

test("every name that the map reads from the address has wrong values here", () => {
  const folder = new URL("../map/", import.meta.url);
  const scripts = readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => readFileSync(new URL(name, folder), "utf8"));
  const read = scripts.flatMap((script) => [...script.matchAll(/address\.take\("(\w+)"\)/g)].map(([, name]) => name));
  assert.deepEqual([...new Set(read)].sort(), Object.keys(WRONG).sort());
});

for (const [name, values] of Object.entries(WRONG)) {
  for (const value of values) {
    test(`a link with ${name}=${value} says so on the map`, async () => {
      const said = await drawn(`?${name}=${encodeURIComponent(value)}`);
      assert.equal(said.length, 1);
      assert.ok(said[0].includes(`“${value === "imagery,-radar" ? "-radar" : value}”`), said[0]);
    });
  }
}

test("a link that is followed says nothing", async () => {
  assert.deepEqual(await drawn("?view=37.65,-75.6,7&layers=-imagery:40,land&base=Streets"), []);
});

test("a base map of a link that cannot be reached is said on the map", async () => {
  const said = await drawn("?base=Streets", (page) => page.made.tiles[0].tell("tileerror"));
  assert.match(said[0], /base map “Streets”, which cannot be reached/);
});

test("scenes that come late are still those that a link may lead to", async () => {
  const page = await open({ link: "?scene=one" });
  const later = [];
  globalThis.setTimeout = (act, afterMs) => (afterMs > 1000 ? later.push(act) : act() && 1);
  page.made.answers.gallery = { layer: "token", scenes: [{ id: "one", title: "", date: "", label: "", split: "", box: HOME, picture: 0 }] };
  page.Emberscope.gallery(page.map, { panelPx: 400 });
  page.map.eachLayer = (act) => act({ options: { gallery: "gallery" } });
  page.map.tell("layeradd", {});
  later.forEach((act) => act());
  await new Promise((done) => setImmediate(done));
  assert.equal(page.map.emberScene, "one");
  assert.equal(page.map.emberRefused, undefined);
});

/** A map with all that reads the address, and what it says of the link. */
async function drawn(link, then = () => {}) {
  const page = await open({ link });
  globalThis.setTimeout = (act) => act() && 1;
  for (const [name, zIndex] of Object.entries(PANES)) {
    page.map.createPane(name).style.zIndex = zIndex;
  }
  page.Emberscope.layerList(page.map, { rows: Object.keys(PANES).map((pane) => ({ pane, title: pane, percent: 100 })) });
  page.made.controls.at(-1).onAdd();
  page.Emberscope.baseMaps(page.map, { maps: MAPS });
  page.Emberscope.gallery(page.map, { panelPx: 400 });
  page.Emberscope.view(page.map, { page: "explore", focus: "", home: HOME, boxes: [HOME], panelPx: 400, footPx: 0 });
  then(page);
  const box = page.map.container.children.find((element) => element.className.includes("ember-refused"));
  return (box?.children ?? []).filter((element) => element.tag === "p").map((element) => element.textContent);
}

// Where our maps look, and what they write into the address.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { fakeStorage, open } from "./fakes.mjs";

const HOME = [[37.6, -75.7], [37.7, -75.5]];
let page;

beforeEach(async () => {
  page = await open();
});

test("the first map opens on what the page shows, beside the panel, and the next one where the person left it", () => {
  view();
  assert.deepEqual(page.map.fitted[0].corners, HOME);
  assert.equal(page.map.fitted[0].options.paddingTopLeft[0], 412);
  page.map.moveTo([37.7, -75.6], 13);
  view({ page: "embeddings" });
  assert.equal(page.map.fitted.length, 1);
  assert.deepEqual([page.map.center, page.map.zoom], [[37.7, -75.6], 13]);
});

test("another focus is brought into sight, and so is a page that shows nothing of what was in sight", () => {
  view({ focus: "one" });
  page.map.moveTo([37.65, -75.6], 12);
  view({ focus: "one" });
  assert.equal(page.map.fitted.length, 1);
  view({ focus: "two" });
  assert.equal(page.map.fitted.length, 2);
  view({ focus: "two", boxes: [[[10, 10], [11, 11]]] });
  assert.equal(page.map.fitted.length, 3);
});

test("what nobody has moved is brought into sight anew on another page, whose panel and legend lie elsewhere", () => {
  view();
  const other = [[37.5, -75.8], [37.8, -75.4]];
  view({ page: "embeddings", home: other });
  assert.deepEqual(page.map.fitted.map((one) => one.corners), [HOME, HOME]);
  page.map.moveTo([37.65, -75.6], 12);
  view({ home: other });
  assert.equal(page.map.fitted.length, 2);
});

test("a link names what the middle pixel shows, which may lie beside the centre that was asked for", () => {
  page.map.middle = [37.66003, -75.62004];
  view();
  page.map.moveTo([37.66, -75.62], 13);
  assert.ok(page.address.search.includes("view=37.66003,-75.62004,13"));
});

test("a view in which everything is a speck is not kept", () => {
  view();
  page.map.moveTo([37.65, -75.6], 2);
  view({ page: "embeddings" });
  assert.equal(page.map.fitted.length, 2);
});

test("a narrow map has no panel over it", () => {
  page.map.size = { x: 390, y: 590 };
  view();
  assert.equal(page.map.fitted[0].options.paddingTopLeft[0], 12);
});

test("a browser that keeps nothing opens each map on what the page shows", async () => {
  page = await open({ storage: undefined });
  globalThis.sessionStorage = undefined;
  view();
  view();
  assert.equal(page.map.fitted.length, 2);
});

test("the view stands in the address, and the rest of the address stays", async () => {
  page = await open({ link: "?place=season" });
  view();
  page.map.moveTo([37.66, -75.62], 13.5);
  assert.equal(page.address.search, "?place=season&view=37.66000,-75.62000,13.5");
});

test("a link opens its own view, whatever this tab remembers and whatever the page would bring into sight", async () => {
  view({ focus: "one" });
  page = await open({ link: "?view=37.65,-75.6,7", storage: page.storage });
  view({ focus: "two" });
  assert.deepEqual([page.map.center, page.map.zoom], [[37.65, -75.6], 7]);
  assert.equal(page.map.fitted.length, 0);
  assert.ok(page.map.hasLinkedView);
});

test("a link that shows a place from so far that it is a dot opens its own view", async () => {
  page = await open({ link: "?view=37.65,-75.6,2" });
  view();
  assert.equal(page.map.zoom, 2);
  assert.equal(page.map.fitted.length, 0);
});

test("a link whose view shows nothing of its place opens on the place, and its gallery may lead to a scene", async () => {
  page = await open({ link: "?place=season&view=10.5,20.25,7" });
  view();
  assert.deepEqual(page.map.fitted[0].corners, HOME);
  assert.ok(!page.map.hasLinkedView);
  assert.ok(!page.address.search.includes("10.5"));
});

test("only the first map of a document follows its link", async () => {
  page = await open({ link: "?view=37.65,-75.6,7" });
  view();
  page.map.moveTo([37.66, -75.62], 13);
  view();
  assert.deepEqual(page.map.center, [37.66, -75.62]);
});

for (const words of ["", "1,2", "a,b,c", "99,0,3", "10,20,99", "<b>"]) {
  test(`a link whose view is none ("${words}") opens on what the page shows`, async () => {
    page = await open({ link: `?view=${encodeURIComponent(words)}`, storage: fakeStorage() });
    view();
    assert.deepEqual(page.map.fitted[0].corners, HOME);
  });
}

test("a map whose page has been left writes nothing into the next page's address", async () => {
  view();
  page.address.pathname = "/train";
  page.address.search = "";
  page.map.moveTo([1, 2], 9);
  assert.equal(page.address.search, "");
});

test("coordinates are written with their hemisphere, in any of the worlds that Leaflet repeats", () => {
  const { latitude, longitude } = page.Emberscope;
  assert.equal(latitude(37.65), "37.6500° N");
  assert.equal(latitude(-0.00005), "0.0001° S");
  assert.equal(longitude(-75.61), "75.6100° W");
  assert.equal(longitude(284.39), "75.6100° W");
  assert.equal(longitude(-190), "170.0000° E");
  assert.equal(longitude(0), "0.0000° E");
});

function view(options = {}) {
  page.Emberscope.view(page.map, { page: "explore", focus: "", home: HOME, boxes: [HOME], panelPx: 400, footPx: 0, ...options });
}

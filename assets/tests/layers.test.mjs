// The list of what lies on the map.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { PANES, open } from "./fakes.mjs";

let page;

beforeEach(async () => {
  page = await open();
  makePanes();
});

test("the list names what lies on the map, and its slider and tick change that pane alone", () => {
  const { overlay } = layerRows();
  const { panes } = page.map;
  assert.equal(overlay.element.hidden, true);
  page.map.tell("layeradd", { layer: { options: { pane: "overlay", title: "Errors <b>" } } });
  assert.equal(overlay.element.hidden, false);
  assert.equal(overlay.words.textContent, "Errors <b>");
  assert.equal(panes.overlay.style.opacity, 0.8);
  overlay.slider.value = "25";
  overlay.slider.tell("input");
  overlay.tick.checked = false;
  overlay.tick.tell("change");
  assert.equal(panes.overlay.style.opacity, 0.25);
  assert.equal(panes.overlay.style.visibility, "hidden");
  assert.equal(panes.imagery.style.opacity, 1);
  page.map.tell("layerremove", { layer: { options: { pane: "overlay" } } });
  assert.equal(overlay.element.hidden, true);
});

test("opacity and visibility are kept for the next map, and stand in the address where they are not the usual ones", () => {
  const first = layerRows().overlay;
  assert.equal(page.address.search, "");
  first.slider.value = "30";
  first.slider.tell("input");
  assert.equal(page.address.search, "?layers=outlines,overlay:30,imagery,land");
  assert.equal(layerRows().overlay.slider.value, 30);
});

test("a row moves up and down among those that are shown; the land stays below", () => {
  const rows = layerRows();
  for (const pane of ["overlay", "imagery", "land"]) {
    page.map.tell("layeradd", { layer: { options: { pane } } });
  }
  assert.equal(rows.land.movers.length, 0);
  rows.imagery.movers[0].tell("click");
  assert.deepEqual(panesFromAbove(), ["outlines", "imagery", "overlay", "land"]);
  assert.deepEqual(layerPanes(), ["outlines", "imagery", "overlay", "land"]);
  rows.imagery.movers[0].tell("click");
  assert.deepEqual(panesFromAbove(), ["outlines", "imagery", "overlay", "land"], "nothing that is shown lies above");
});

test("a link brings order, visibility and opacity; what it does not know stays as usual", async () => {
  page = await open({ link: "?layers=imagery:50,-outlines,nonsense,overlay:999" });
  makePanes();
  const rows = layerRows();
  assert.deepEqual(panesFromAbove(), ["imagery", "overlay", "outlines", "land"]);
  assert.equal(rows.imagery.slider.value, 50);
  assert.equal(rows.outlines.tick.checked, false);
  assert.equal(rows.overlay.slider.value, 80);
});

test("a row carries the legend of its layer, with words that are no HTML", () => {
  const { overlay } = layerRows();
  const legend = { swatches: [["#ff0000", "<b>burned"]], bar: { colours: ["#000", "#fff"], low: "0 %", high: "100 %" }, note: "2021" };
  page.map.tell("layeradd", { layer: { options: { pane: "overlay", legend } } });
  const [swatch, ramp, note] = overlay.legend.children;
  assert.deepEqual(swatch.children[1], "<b>burned");
  assert.match(ramp.children[0].style.background, /gradient/);
  assert.equal(note.textContent, "2021");
  page.map.tell("ember:describe", { pane: "overlay", title: "Similar" });
  assert.equal(overlay.words.textContent, "Similar");
  assert.equal(overlay.legend.hidden, true);
});

function makePanes() {
  for (const [name, zIndex] of Object.entries(PANES)) {
    page.map.createPane(name).style.zIndex = zIndex;
  }
}

function panesFromAbove() {
  const { panes } = page.map;
  return Object.keys(panes).sort((one, other) => panes[other].style.zIndex - panes[one].style.zIndex);
}

function layerPanes() {
  return page.made.list.children.map((element) => element.dataset.pane);
}

/** The rows of a new list of layers, by pane. */
function layerRows() {
  page.Emberscope.layerList(page.map, {
    rows: ["outlines", "overlay", "imagery", "land"].map((pane) => ({
      pane, title: pane, percent: pane === "overlay" ? 80 : 100, isFixed: pane === "land",
    })),
  });
  const [, list] = page.made.controls.at(-1).onAdd().children;
  page.made.list = list;
  const parts = list.children.map((element) => {
    const [head, slider, legend] = element.children;
    const [label, ...movers] = head.children;
    const [tick, words] = label.children;
    return [element.dataset.pane, { element, tick, words, movers, slider, legend }];
  });
  return Object.fromEntries(parts);
}

// Our map script, on a map that only remembers what it was told.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

await import("../map/emberscope.js");
const { Emberscope } = globalThis;
const PANES = { land: 150, imagery: 250, overlay: 350 };

let zoom, map, made, controls;

beforeEach(() => {
  zoom = 5;
  made = { geojson: [], scales: 0 };
  controls = [];
  map = fakeMap();
  globalThis.document = { documentElement: { dataset: {} } };
  globalThis.fetch = async () => ({ json: async () => ({ type: "FeatureCollection", features: [] }) });
  globalThis.L = fakeLeaflet();
});

test("panes lie in the order of their numbers, and the land takes no clicks", async () => {
  await backdrop();
  for (const [name, zIndex] of Object.entries(PANES)) {
    assert.equal(map.panes[name].style.zIndex, zIndex);
  }
  assert.equal(map.panes.land.style.pointerEvents, "none");
  assert.equal(map.panes.imagery.style.pointerEvents, undefined);
});

test("the theme is told to the style sheet", async () => {
  await backdrop({ theme: "dark" });
  assert.equal(globalThis.document.documentElement.dataset.theme, "dark");
});

test("the land is drawn in its own pane, with its source", async () => {
  await backdrop();
  const [{ options }] = made.geojson;
  assert.equal(options.pane, "land");
  assert.equal(options.interactive, false);
  assert.match(options.attribution, /Natural Earth/);
});

test("the coarse land is hidden nearer than its zoom, and comes back farther away", async () => {
  await backdrop({ landToZoom: 8 });
  for (const [level, display] of [[8, ""], [8.5, "none"], [12, "none"], [3, ""]]) {
    zoom = level;
    map.tell("zoomend");
    assert.equal(map.panes.land.style.display, display, `zoom ${level}`);
  }
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
  assert.equal(made.geojson.length, 0);
  assert.match(warned[0], /offline/);
});

test("the slider sets the opacity of the overlay alone and says it in words", async () => {
  await backdrop();
  Emberscope.overlayOpacity(map, { label: "Embeddings <b>", percent: 90 });
  const box = controls[0].onAdd();
  const [words, slider] = box.children;
  assert.equal(map.panes.overlay.style.opacity, 0.9);
  assert.equal(words.textContent, "Embeddings <b> 90 %");
  assert.equal(slider.ariaLabel, "Embeddings <b>");
  slider.value = "25";
  slider.tell("input");
  assert.equal(map.panes.overlay.style.opacity, 0.25);
  assert.equal(map.panes.imagery.style.opacity, undefined);
  assert.equal(words.textContent, "Embeddings <b> 25 %");
});

test("coordinates are written with their hemisphere, in any of the worlds that Leaflet repeats", () => {
  assert.equal(Emberscope.latitude(37.65), "37.6500° N");
  assert.equal(Emberscope.latitude(-0.00005), "0.0001° S");
  assert.equal(Emberscope.longitude(-75.61), "75.6100° W");
  assert.equal(Emberscope.longitude(284.39), "75.6100° W");
  assert.equal(Emberscope.longitude(-190), "170.0000° E");
  assert.equal(Emberscope.longitude(0), "0.0000° E");
});

function backdrop(options = {}) {
  return Emberscope.backdrop(map, { theme: "light", panes: PANES, landUrl: "land", landToZoom: 8, ...options });
}

function fakeMap() {
  const listeners = {};
  const panes = {};
  return {
    panes,
    attributionControl: { setPrefix() {} },
    createPane: (name) => (panes[name] = { style: {} }),
    getPane: (name) => panes[name],
    getZoom: () => zoom,
    on: (name, listener) => (listeners[name] = listener),
    tell: (name) => listeners[name](),
  };
}

function fakeLeaflet() {
  return {
    control: Object.assign(
      () => {
        const control = { addTo: () => controls.push(control) };
        return control;
      },
      { scale: () => ({ addTo: () => made.scales++ }) },
    ),
    geoJSON: (data, options) => ({ addTo: () => made.geojson.push({ data, options }) }),
    DomUtil: {
      create(tag, className, parent) {
        const listeners = {};
        const element = {
          tag,
          className,
          children: [],
          addEventListener: (name, listener) => (listeners[name] = listener),
          tell: (name) => listeners[name](),
        };
        parent?.children.push(element);
        return element;
      },
    },
    DomEvent: { disableClickPropagation() {}, disableScrollPropagation() {} },
  };
}

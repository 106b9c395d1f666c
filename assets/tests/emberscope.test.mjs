// Our map script, on a map that only remembers what it was told.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

await import("../map/emberscope.js");
const { Emberscope } = globalThis;
const PANES = { land: 150, imagery: 250, overlay: 350, outlines: 380 };
const HOME = [[37.6, -75.7], [37.7, -75.5]];

let zoom, map, made, controls;

beforeEach(() => {
  zoom = 5;
  made = { geojson: [], scales: 0 };
  controls = [];
  map = fakeMap();
  globalThis.document = { documentElement: { dataset: {} } };
  globalThis.fetch = async () => ({ json: async () => ({ type: "FeatureCollection", features: [] }) });
  globalThis.L = fakeLeaflet();
  globalThis.sessionStorage = fakeStorage();
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

test("the first map opens on what the page shows, beside the panel, and the next one where the person left it", () => {
  view();
  assert.deepEqual(map.fitted[0].corners, HOME);
  assert.equal(map.fitted[0].options.paddingTopLeft[0], 412);
  map.moveTo([37.7, -75.6], 13);
  view({ page: "embeddings" });
  assert.equal(map.fitted.length, 1);
  assert.deepEqual([map.center, map.zoom], [[37.7, -75.6], 13]);
});

test("another focus is brought into sight, and so is a page that shows nothing of what was in sight", () => {
  view({ focus: "one" });
  view({ focus: "one" });
  assert.equal(map.fitted.length, 1);
  view({ focus: "two" });
  assert.equal(map.fitted.length, 2);
  view({ focus: "two", boxes: [[[10, 10], [11, 11]]] });
  assert.equal(map.fitted.length, 3);
});

test("a view in which everything is a speck is not kept", () => {
  view();
  map.moveTo([37.65, -75.6], 2);
  view({ page: "embeddings" });
  assert.equal(map.fitted.length, 2);
});

test("a narrow map has no panel over it", () => {
  map.size = { x: 390, y: 590 };
  view();
  assert.equal(map.fitted[0].options.paddingTopLeft[0], 12);
});

test("a browser that keeps nothing opens each map on what the page shows", () => {
  globalThis.sessionStorage = undefined;
  view();
  view();
  assert.equal(map.fitted.length, 2);
});

test("the list names what lies on the map, and its slider and tick change that pane alone", async () => {
  await backdrop();
  const rows = layerRows();
  const overlay = rows.overlay;
  assert.equal(overlay.element.hidden, true);
  map.tell("layeradd", { layer: { options: { pane: "overlay", title: "Errors <b>" } } });
  assert.equal(overlay.element.hidden, false);
  assert.equal(overlay.words.textContent, "Errors <b>");
  assert.equal(map.panes.overlay.style.opacity, 0.8);
  overlay.slider.value = "25";
  overlay.slider.tell("input");
  overlay.tick.checked = false;
  overlay.tick.tell("change");
  assert.equal(map.panes.overlay.style.opacity, 0.25);
  assert.equal(map.panes.overlay.style.visibility, "hidden");
  assert.equal(map.panes.imagery.style.opacity, 1);
  map.tell("layerremove", { layer: { options: { pane: "overlay" } } });
  assert.equal(overlay.element.hidden, true);
});

test("opacity and visibility are kept for the next map", async () => {
  await backdrop();
  const first = layerRows().overlay;
  first.slider.value = "30";
  first.slider.tell("input");
  assert.equal(layerRows().overlay.slider.value, 30);
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

function view(options = {}) {
  Emberscope.view(map, { page: "explore", focus: "", home: HOME, boxes: [HOME], panelPx: 400, ...options });
}

/** The rows of a new list of layers, by pane. */
function layerRows() {
  Emberscope.layerList(map, {
    rows: [
      { pane: "overlay", title: "Map", percent: 80 },
      { pane: "imagery", title: "Imagery", percent: 100 },
    ],
  });
  const [, ...rows] = controls.at(-1).onAdd().children;
  const parts = rows.map((element) => {
    const [label, slider] = element.children;
    const [tick, words] = label.children;
    return [element.dataset.pane, { element, tick, words, slider }];
  });
  return Object.fromEntries(parts);
}

function fakeMap() {
  const listeners = {};
  const panes = {};
  const bounds = ([lat, lng], level) => {
    const half = 180 / 2 ** level;
    return { getNorth: () => lat + half, getSouth: () => lat - half, getWest: () => lng - half, getEast: () => lng + half };
  };
  return {
    panes,
    fitted: [],
    size: { x: 1440, y: 850 },
    attributionControl: { setPrefix() {} },
    createPane: (name) => (panes[name] = { style: {} }),
    getPane: (name) => panes[name],
    getZoom() {
      return this.zoom ?? zoom;
    },
    getContainer: () => ({ style: {} }),
    invalidateSize() {},
    eachLayer() {},
    getSize() {
      return this.size;
    },
    getCenter() {
      return { lat: this.center[0], lng: this.center[1] };
    },
    getBounds() {
      return bounds(this.center, this.zoom);
    },
    setView(center, level) {
      Object.assign(this, { center, zoom: level });
    },
    fitBounds(corners, options) {
      this.fitted.push({ corners, options });
      const [[south, west], [north, east]] = corners;
      this.setView([(south + north) / 2, (west + east) / 2], 10);
    },
    moveTo(center, level) {
      this.setView(center, level);
      this.tell("moveend");
    },
    on: (name, listener) => (listeners[name] = listener),
    tell: (name, event) => listeners[name](event),
  };
}

function fakeStorage() {
  const held = new Map();
  return { getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value) };
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
          dataset: {},
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

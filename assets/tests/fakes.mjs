// A map and a page that only remember what they were told, and our scripts loaded over them.
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";

const SCRIPTS = ["memory", "address", "words", "refused", "view", "land", "backdrop", "layers", "pointer", "gallery", "base_maps", "outlines"];
export const PANES = { land: 150, imagery: 250, overlay: 350, outlines: 380 };

/** A new document, opened by a link, with our scripts loaded; what one tab remembers goes on. */
export async function open({ link = "", storage = fakeStorage() } = {}) {
  const made = { geojson: [], scales: 0, controls: [], fetched: [], answers: {}, marks: [], tiles: [], polygons: [] };
  const address = new URL(`http://127.0.0.1/explore${link}`);
  const around = {
    location: address,
    performance: { timeOrigin: Math.random() },
    history: { state: null, replaceState: (_, __, url) => (address.search = new URL(url, address).search) },
  };
  Object.assign(globalThis, {
    L: fakeLeaflet(made),
    document: { documentElement: { dataset: {} }, createTextNode: (words) => words, createElement: (tag) => fakeElement(tag, "") },
    parent: around,
    sessionStorage: storage,
    setInterval: () => 0,
    Emberscope: undefined,
    fetch: async (url) => {
      made.fetched.push(url);
      return { ok: true, json: async () => made.answers[url.split("?")[0]] ?? { type: "FeatureCollection", features: [] } };
    },
  });
  for (const name of SCRIPTS) {
    runInThisContext(readFileSync(new URL(`../map/${name}.js`, import.meta.url), "utf8"));
  }
  return { Emberscope: globalThis.Emberscope, map: fakeMap(), made, address, storage };
}

export function fakeStorage() {
  const held = new Map();
  return { getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value) };
}

function fakeMap() {
  const listeners = {};
  const panes = {};
  const bounds = ([lat, lng], level) => {
    const half = 180 / 2 ** level;
    return { getNorth: () => lat + half, getSouth: () => lat - half, getWest: () => lng - half, getEast: () => lng + half };
  };
  const container = fakeElement("div", "");
  container.querySelector = () => container;
  return {
    panes,
    container,
    fitted: [],
    center: [0, 0],
    zoom: 5,
    size: { x: 1440, y: 850 },
    attributionControl: { setPrefix() {} },
    createPane: (name) => (panes[name] = { style: {}, dataset: {} }),
    getPane: (name) => panes[name],
    getZoom() {
      return this.zoom;
    },
    getContainer: () => container,
    invalidateSize() {},
    eachLayer() {},
    whenReady: (act) => act(),
    getSize() {
      return this.size;
    },
    getCenter() {
      return { lat: this.center[0], lng: this.center[1] };
    },
    /** What the middle pixel shows; the centre unless a test says otherwise. */
    containerPointToLatLng([x, y]) {
      const isMiddle = x === this.size.x / 2 && y === this.size.y / 2;
      const [lat, lng] = isMiddle ? (this.middle ?? this.center) : [Number.NaN, Number.NaN];
      return { lat, lng };
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
    on: (names, listener) => names.split(" ").forEach((name) => (listeners[name] ??= []).push(listener)),
    tell: (name, event) => listeners[name].forEach((listener) => listener(event)),
  };
}

function fakeLeaflet(made) {
  return {
    control: Object.assign(
      () => {
        const control = { addTo: () => made.controls.push(control) };
        return control;
      },
      { scale: () => ({ addTo: () => made.scales++ }) },
    ),
    circleMarker: () => made.marks[made.marks.push(fakeMark()) - 1],
    layerGroup: () => ({ addTo: () => ({ remove() {} }) }),
    polygon: (rings, options) => made.polygons[made.polygons.push({ ...fakeMark(), rings, options }) - 1],
    tileLayer: () => made.tiles[made.tiles.push(fakeMark()) - 1],
    geoJSON: (data, options) => ({ addTo: () => made.geojson.push({ data, options }) }),
    DomUtil: {
      create(tag, className, parent) {
        const element = fakeElement(tag, className);
        parent?.children.push(element);
        return element;
      },
    },
    DomEvent: { disableClickPropagation() {}, disableScrollPropagation() {} },
  };
}

/** A mark or a tile layer: it listens, and stands on the map. */
function fakeMark() {
  const listeners = {};
  const element = fakeElement("path", "");
  const mark = {
    element,
    getElement: () => element,
    bindTooltip() {},
    setStyle() {},
    remove() {},
    addTo: () => mark,
    on: (name, listener) => {
      listeners[name] = listener;
      return mark;
    },
    tell: (name) => listeners[name](),
  };
  return mark;
}

function fakeElement(tag, className) {
  const listeners = {};
  return {
    tag,
    className,
    children: [],
    dataset: {},
    style: { setProperty() {} },
    remove() {},
    focus() {
      this.hasFocus = true;
    },
    scrollIntoView() {},
    append(...more) {
      this.children.push(...more);
    },
    replaceChildren(...children) {
      this.children = children;
    },
    addEventListener: (name, listener) => (listeners[name] = listener),
    tell: (name, event) => listeners[name](event),
  };
}

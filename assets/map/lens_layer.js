// A layer of a Leaflet map that a worker draws: it tells the worker what the map shows and through which lens, and puts the
// pictures where they lie. lens.js says how it is used.
"use strict";

{
  const WORLD_M = 2 * Math.PI * 6378137;
  const TILE_PX = 256;
  // So much more than the map's size is drawn on each side, so that a small move shows no gap.
  const PADDING = 0.1;
  const MOST_PIXELS = 4e6;

  /** One message at a time goes to the worker; of those that wait, the last of each kind. */
  class Line {
    constructor(worker, heard) {
      this.worker = worker;
      this.waiting = new Map();
      this.sent = 0;
      worker.onmessage = ({ data }) => {
        if (data.is === "arrived") {
          this.tell("refine", {}); // of itself; what was asked for before is still to be answered
          return;
        }
        const roundtripMs = performance.now() - this.sent;
        this.sent = 0;
        heard(data, roundtripMs);
        this.next();
      };
      worker.onerror = () => heard({ is: "failed", words: "The worker that draws the map did not start." }, 0);
    }

    tell(kind, message) {
      this.waiting.set(kind, { ...message, do: kind });
      this.next();
    }

    next() {
      const [first] = this.waiting.keys();
      if (this.sent === 0 && first !== undefined) {
        const message = this.waiting.get(first);
        this.waiting.delete(first);
        this.sent = performance.now();
        this.worker.postMessage(message);
      }
    }
  }

  /** The layer stays where its lens becomes another: so do the words at the foot of the map, in their place among the others. */
  function changeCredit(control, before, after) {
    if (control && before !== after) {
      const words = Object.entries(control._attributions); // Leaflet itself could only add them at the end
      control._attributions = Object.fromEntries(words.map(([known, count]) => [known === before ? after : known, count]));
      control._update();
    }
  }

  globalThis.EmberscopeLensLayer = {
    initialize(options) {
      L.setOptions(this, options);
      this.given = {};
      this.picked = { positive: [], negative: [] };
      this.threshold = null;
      this.serial = 0;
      this.isLoaded = false;
      this.marks = [];
    },

    onAdd(map) {
      this.canvas = L.DomUtil.create("canvas", "ember-lens leaflet-zoom-animated", this.getPane());
      this.canvas.style.pointerEvents = "none";
      this.canvas.style.transformOrigin = "0 0";
      this.context = this.canvas.getContext("2d");
      this.hover = null;
      map.on(this.listeners(), this);
      this.begin();
    },

    onRemove(map) {
      map.off(this.listeners(), this);
      this.line?.worker.terminate();
      this.line = null;
      [this.hover, ...this.marks].forEach((mark) => mark?.remove());
      this.canvas.remove();
    },

    getAttribution() {
      return this.options.attribution;
    },

    listeners() {
      const hears = { moveend: this.look, resize: this.look, viewreset: this.settle, zoom: this.settle, move: this.follow };
      const pointer = { mousemove: (event) => this.over(event.latlng), mouseout: () => this.over(null), click: this.clicked };
      this.heard ??= { ...hears, ...pointer, zoomanim: this.animate };
      return this.heard;
    },

    /** Start a worker on the data of the options. */
    begin() {
      this.line?.worker.terminate();
      this.isLoaded = false;
      this.line = new Line(new Worker(this.options.workerUrl), (answer, ms) => this.hear(answer, ms));
      // The worker's addresses are relative to itself, and the map's to the map.
      const url = new URL(this.options.url, document.baseURI).href;
      this.line.tell("load", { url, isPlain: this.options.isPlain === true });
    },

    /** What the page wants to see now. */
    update(options) {
      const isOther = options.url !== this.options.url;
      const isNewer = options.of !== this.options.of || !(options.serial < this.serial);
      const credit = this.options.attribution;
      L.setOptions(this, options);
      changeCredit(this._map?.attributionControl, credit, options.attribution);
      if (isNewer) {
        this.serial = options.serial ?? this.serial;
        this.picked = options.picked ?? { positive: [], negative: [] };
        this.threshold = options.threshold ?? null;
      }
      if (isOther && this.line) {
        this.begin();
      }
      this.setLens(options.lens, { follows: options.follows === true });
      if (this._map) {
        this.go(options.goto);
      }
      this.fire("lensupdated");
    },

    setLens(lens, { follows = this.options.follows === true, picked = this.picked } = {}) {
      this.given = lens;
      this.options.follows = follows;
      this.picked = picked;
      this.send();
    },

    setThreshold(value) {
      this.threshold = value;
      this.send();
    },

    send() {
      if (this.isLoaded && this.given) {
        const lens = { ...this.given, threshold: this.threshold };
        this.line.tell("set", { lens, follows: this.options.follows === true, picked: this.picked });
      }
    },

    /** Tell the worker what the map shows. */
    look() {
      if (!this.isLoaded) {
        return;
      }
      const map = this._map;
      const size = map.getSize();
      const corner = map.containerPointToLayerPoint(size.multiplyBy(-PADDING)).floor();
      const step = WORLD_M / (TILE_PX * 2 ** map.getZoom());
      const world = map.getPixelOrigin().add(corner);
      const [width, height] = [size.x, size.y].map((side) => Math.ceil(side * (1 + 2 * PADDING)));
      const sharper = Math.min(2, globalThis.devicePixelRatio || 1);
      const ratio = width * height * sharper ** 2 > MOST_PIXELS ? 1 : sharper;
      this.line.tell("look", {
        view: {
          width: Math.round(width * ratio), height: Math.round(height * ratio), ratio, step: step / ratio,
          west: world.x * step - WORLD_M / 2, north: WORLD_M / 2 - world.y * step,
          corner: map.layerPointToLatLng(corner), zoom: map.getZoom(), date: this.options.date ?? null,
        },
      });
    },

    /** While the map is moved: draw anew once the picture no longer covers it. */
    follow() {
      const { drawn } = this;
      if (!drawn || this._map._animatingZoom || drawn.zoom !== this._map.getZoom()) {
        return;
      }
      const corner = this._map.latLngToContainerPoint(drawn.corner);
      const size = this._map.getSize();
      const [right, bottom] = [corner.x + drawn.width / drawn.ratio, corner.y + drawn.height / drawn.ratio];
      if (corner.x > 0 || corner.y > 0 || right < size.x || bottom < size.y) {
        this.look();
      }
    },

    /** Put the picture where its corner lies, as large as the zoom wants it. */
    settle() {
      if (this.drawn && !this._map._animatingZoom) {
        const scale = this._map.getZoomScale(this._map.getZoom(), this.drawn.zoom);
        L.DomUtil.setTransform(this.canvas, this._map.latLngToLayerPoint(this.drawn.corner), scale);
      }
    },

    animate({ zoom, center }) {
      if (this.drawn) {
        const at = this._map._latLngToNewLayerPoint(this.drawn.corner, zoom, center);
        L.DomUtil.setTransform(this.canvas, at, this._map.getZoomScale(zoom, this.drawn.zoom));
      }
    },

    hear(answer, roundtripMs) {
      if (answer.is === "failed") {
        this.fire("lensfailed", { words: answer.words });
      } else if (answer.is === "loaded") {
        this.isLoaded = true;
        this.header = answer;
        this.fire("lensloaded", { header: answer });
        this.send();
        this.look();
      } else if (answer.is === "inside") {
        this.keepAll(answer.patches, this.picking ?? "positive");
      } else {
        this.show(answer, roundtripMs);
      }
    },

    show(answer, roundtripMs) {
      if (answer.is === "picture") {
        this.drawPicture(answer, roundtripMs);
      }
      if (answer.outlines) {
        this.mark(answer.outlines);
      }
      if (answer.to === "over") {
        this.hover?.remove();
        this.hover = answer.corners ? this.outlineOf(answer.corners, "var(--text)").addTo(this._map) : null;
        this.fire("lensover", { latlng: this.pointer, patch: answer.below, value: answer.value });
      } else if (answer.to === "click" && answer.below >= 0) {
        this.choose(answer.below, this.clickKind);
      }
    },

    /** Take the colour off a patch, so that its ground is seen as it is. */
    clear(corners, { west, north, step }) {
      const places = corners.map((corner) => L.CRS.EPSG3857.project(L.latLng(corner)));
      this.context.save();
      this.context.globalCompositeOperation = "destination-out";
      this.context.beginPath();
      places.forEach(({ x, y }) => this.context.lineTo((x - west) / step, (north - y) / step));
      this.context.fill();
      this.context.restore();
    },

    drawPicture({ pixels, view, ms, resolution }, roundtripMs) {
      const { canvas } = this;
      if (canvas.width !== view.width || canvas.height !== view.height) {
        Object.assign(canvas, { width: view.width, height: view.height });
        Object.assign(canvas.style, { width: `${view.width / view.ratio}px`, height: `${view.height / view.ratio}px` });
      }
      this.context.putImageData(new ImageData(pixels, view.width, view.height), 0, 0);
      this.clear(this.options.goto?.corners ?? [], view);
      this.drawn = view;
      this.settle();
      this.fire("lensdrawn", { ms, roundtripMs, resolution });
    },

  };
}

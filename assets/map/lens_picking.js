// What a person does on a lens's layer: points at patches, picks some, outlines an area. lens.js says how it is used.
"use strict";

{
  const FEW = 20;
  const KINDS = { positive: "#1d7a3e", negative: "#b3261e" };

  /** Metres of Web Mercator of a place, as the worker counts; null for nowhere. */
  function metres(latlng) {
    return latlng === null ? { x: null, y: null } : L.CRS.EPSG3857.project(latlng);
  }

  globalThis.EmberscopeLensPicking = {
    over(latlng) {
      this.pointer = latlng;
      if (this.isLoaded) {
        this.line.tell("over", metres(latlng));
      }
    },

    clicked(event) {
      if (this.options.labels && !this.isOutlining) {
        this.tellGround({ type: "Point", coordinates: [event.latlng.lng, event.latlng.lat] });
      }
      if (this.options.follows && !this.isOutlining) {
        const isNegative = event.originalEvent?.shiftKey !== (this.picking === "negative");
        this.pick(event.latlng, isNegative ? "negative" : "positive");
      }
    },

    pick(latlng, kind) {
      this.clickKind = kind;
      if (this.isLoaded) {
        this.line.tell("click", metres(latlng));
      }
    },

    outline(latlngs) {
      if (this.options.labels) {
        const ring = [...latlngs, latlngs[0]].map(({ lng, lat }) => [lng, lat]);
        this.tellGround({ type: "Polygon", coordinates: [ring] });
        return;
      }
      const polygon = latlngs.map((latlng) => Object.values(metres(latlng)));
      this.line.tell("inside", { polygon });
    },

    /** Add a patch to those of a kind; one that is there is taken out. */
    choose(patch, kind) {
      const without = (list) => list.filter((one) => one !== patch);
      const isThere = this.picked[kind].includes(patch);
      const kept = { positive: without(this.picked.positive), negative: without(this.picked.negative) };
      this.keep(isThere ? kept : { ...kept, [kind]: [...kept[kind], patch] });
    },

    /** Add patches to those of a kind, and take them out of the other one. */
    keepAll(patches, kind) {
      const found = new Set(patches);
      const without = (list) => list.filter((one) => !found.has(one));
      const kept = { positive: without(this.picked.positive), negative: without(this.picked.negative) };
      this.keep({ ...kept, [kind]: [...kept[kind], ...found] });
    },

    /** Remember what a person picked, draw it, and tell the page. */
    keep(picked) {
      this.picked = picked;
      this.send();
      this.tellPage();
    },

    tellPage() {
      this.serial += 1;
      const { positive, negative } = this.picked;
      const told = { positive, negative, threshold: this.threshold, serial: this.serial, of: this.options.of };
      this.fire("lenspicked", told);
      // streamlit-folium hands on what is drawn; it asks a drawing for its GeoJSON.
      const feature = { type: "Feature", properties: told, geometry: { type: "Point", coordinates: [0, 0] } };
      this._map.fire("draw:edited", { layer: { toGeoJSON: () => feature } });
    },

    /** Tell the page of ground that a person wants to label. */
    tellGround(geometry) {
      this.serial += 1;
      const feature = { type: "Feature", properties: { isLabel: true, serial: this.serial, of: this.options.of }, geometry };
      this._map.fire("draw:edited", { layer: { toGeoJSON: () => feature } });
    },

    /** Bring a place into sight, once for each time that the page asks. */
    go(goto) {
      if (goto && goto.time !== this.wentAt) {
        this.wentAt = goto.time;
        this._map.setView([goto.lat, goto.lon], Math.max(this._map.getZoom(), goto.zoom));
      }
    },

    mark(outlines) {
      this.marks.forEach((one) => one.remove());
      // Thick lines around many small patches would hide what is drawn in them.
      const weight = outlines.positive.length + outlines.negative.length > FEW ? 0.75 : 2.5;
      this.marks = Object.entries(KINDS).flatMap(([kind, colour]) =>
        outlines[kind].map((corners) => this.outlineOf(corners, colour, weight).addTo(this._map)),
      );
    },

    outlineOf(corners, color, weight = 1.5) {
      const places = corners.map(([x, y]) => L.CRS.EPSG3857.unproject(L.point(x, y)));
      return L.polygon(places, { pane: "outlines", interactive: false, fill: false, color, weight });
    },
  };
}

// The box beside a lens: what lies below the pointer, the threshold, and which patches are picked. The server is not asked.
"use strict";

{
  const STEPS = 200;

  /** An element with words in it. */
  function make(tag, parent, words = "", name = "") {
    const element = L.DomUtil.create(tag, name, parent);
    element.textContent = words;
    return element;
  }

  function button(parent, words, act) {
    const made = make("button", parent, words);
    made.type = "button";
    made.addEventListener("click", act);
    return made;
  }

  /** Words for what lies below the pointer. */
  function readout(layer, { patch, value }) {
    const { given: lens } = layer;
    if (patch < 0 || !value) {
      return layer.options.hint ?? "";
    }
    if (lens.kind === "classes") {
      return lens.names[value.indexOf(Math.max(...value))];
    }
    return value.map((number, i) => `${lens.names[i] ?? lens.names[0]} ${number.toFixed(2)}`).join(" · ");
  }

  /** Which patches of a large store are seen; nothing where all are. */
  function seenWords(resolution) {
    if (!resolution) {
      return "";
    }
    const { step, isFine, isCoarse, isComing, failure } = resolution;
    const means = `means of ${step} × ${step} patches`;
    if (failure) {
      return `Seen: ${means}. ${failure}`;
    }
    if (isComing) {
      return `Seen: ${isFine ? "single patches and " : ""}${means}; single patches are coming.`;
    }
    if (isFine) {
      return isCoarse ? `Seen: single patches and ${means}.` : "Seen: single patches.";
    }
    return `Seen: ${means}. Zoom in for single ones.`;
  }

  /** The slider of the threshold, for lenses with a ramp. */
  function thresholdRow(layer, parent) {
    const row = make("label", parent, "", "ember-lens-threshold");
    const words = make("span", row);
    const slider = L.DomUtil.create("input", "", row);
    Object.assign(slider, { type: "range", min: 0, max: STEPS, step: 1 });
    const range = () => [layer.given.low[0], layer.given.high[0]];
    const tell = () => {
      words.textContent = layer.threshold === null ? "All are shown" : `Shown from ${layer.threshold.toFixed(2)}`;
      slider.ariaLabel = "Threshold";
    };
    slider.addEventListener("input", () => {
      const [low, high] = range();
      layer.setThreshold(Number(slider.value) === 0 ? null : low + (slider.value / STEPS) * (high - low));
      tell();
    });
    slider.addEventListener("change", () => layer.tellPage());
    return () => {
      row.hidden = !["ramp", "norm", "probability", "uncertainty"].includes(layer.given.kind);
      const [low, high] = range();
      slider.value = layer.threshold === null ? 0 : Math.round(((layer.threshold - low) / (high - low)) * STEPS);
      tell();
    };
  }

  /** Draw a polygon by clicks on the map; the patches in it are picked. */
  function outliner(map, layer, told) {
    let line = null;
    const add = ({ latlng }) => {
      line.addLatLng(latlng);
      told();
    };
    const end = () => {
      map.off("click", add);
      const places = line.getLatLngs();
      line.remove();
      line = null;
      // The click that ended it is over before clicks pick again.
      setTimeout(() => {
        layer.isOutlining = false;
      }, 0);
      if (places.length > 2) {
        layer.outline(places);
      }
      told();
    };
    const begin = () => {
      layer.isOutlining = true;
      line = L.polyline([], { pane: "outlines", interactive: false, color: "var(--ember)", weight: 2 }).addTo(map);
      map.on("click", add);
      told();
    };
    return { toggle: () => (line ? end() : begin()), points: () => line?.getLatLngs().length ?? -1 };
  }

  /** Buttons for what a click picks, an outline, and to begin again. */
  function pickRow(map, layer, parent) {
    const row = make("div", parent, "", "ember-lens-picks");
    const kinds = Object.entries({ positive: "+ like", negative: "− unlike" }).map(([kind, words]) => {
      const made = button(row, words, () => {
        layer.picking = kind;
        refresh();
      });
      made.title = kind === "positive" ? "A click adds a patch to be similar to" : "A click adds a patch to be unlike; so does Shift and a click";
      return [kind, made];
    });
    const area = outliner(map, layer, () => refresh());
    const outline = button(row, "Outline", area.toggle);
    const clear = button(row, "Clear", () => layer.keep({ positive: [], negative: [] }));
    const refresh = () => {
      row.hidden = layer.options.follows !== true && layer.options.labels !== true;
      [...kinds.map(([, made]) => made), clear].forEach((made) => {
        made.hidden = layer.options.labels === true;
      });
      kinds.forEach(([kind, made]) => {
        made.ariaPressed = (layer.picking ?? "positive") === kind;
      });
      outline.textContent = area.points() < 0 ? "Outline" : area.points() < 3 ? "Click three corners" : "Close outline";
      outline.ariaPressed = area.points() >= 0;
      clear.disabled = !layer.picked.positive.length && !layer.picked.negative.length;
    };
    return refresh;
  }

  globalThis.Emberscope.lensPanel = (map, layer) => {
    const control = L.control({ position: layer.options.corner ?? "topright" });
    control.onAdd = () => {
      const box = L.DomUtil.create("details", "ember-box ember-lens-box leaflet-control");
      box.dataset.lens = layer.options.name;
      box.open = map.getSize().x > 700; // on a telephone it would cover the map
      const said = make("output", make("summary", box), layer.options.hint ?? "Loading the patches");
      const seen = make("output", box, "", "ember-lens-seen");
      const refreshers = [thresholdRow(layer, box), pickRow(map, layer, box)];
      const refresh = () => refreshers.forEach((one) => one());
      layer.on("lensover", (event) => {
        said.textContent = readout(layer, event);
      });
      layer.on("lensloaded lensupdated lenspicked", refresh);
      layer.on("lensdrawn", ({ resolution }) => {
        seen.textContent = seenWords(resolution);
      });
      layer.on("lensloaded lensupdated", () => {
        said.textContent = layer.options.hint ?? "";
      });
      layer.on("lensfailed", ({ words }) => {
        said.textContent = words;
        box.classList.add("ember-lens-failed");
      });
      layer.on("remove", () => control.remove());
      L.DomEvent.disableClickPropagation(box);
      L.DomEvent.disableScrollPropagation(box);
      refresh();
      return box;
    };
    control.addTo(map);
  };
}

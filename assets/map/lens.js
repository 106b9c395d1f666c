// A store's patches on a Leaflet map, drawn by a worker in the colours of a lens. Any number of them may lie on a page.
//
// `Emberscope.lens(group, options)` is what the page's feature groups call: it shows a lens under a name, and the layer
// of that name lives on, with its data and its picture, while groups are swapped. `Emberscope.lenses(map)` gives the
// layers by name to whatever drives them from outside:
//
//   layer.setLens(lens, {follows, picked})   other colours; `follows`: similarity to the patch below the pointer
//   layer.setThreshold(value)                what is below is transparent; null: nothing is
//   layer.over(latlng)                       the pointer is there (of this map or of another one); null: nowhere
//   layer.pick(latlng, kind)                 a click: "positive" or "negative", or taken back where it is picked
//   layer.outline(latlngs)                   all patches in a polygon are picked, as what a click picks
//   layer.on("lensover", …)                  {latlng, patch, value}: what lies below the pointer; patch -1: nothing
//   layer.on("lensdrawn", …)                 {ms, roundtripMs, resolution}: a new picture is on the map; of a large store
//                                            the worker's words on which patches are seen
//   layer.on("lenspicked", …)                {positive, negative, threshold}: a person chose something else
//   layer.on("lensloaded" | "lensfailed", …) {header} | {words}
"use strict";

{
  let Layer = null;

  /** Lens layers of a map by name. */
  function lenses(map) {
    map.emberLenses ??= {};
    return map.emberLenses;
  }

  /** The layer of a name, made where there is none. */
  function claim(map, options) {
    Layer ??= L.Layer.extend({ ...globalThis.EmberscopeLensLayer, ...globalThis.EmberscopeLensPicking });
    const own = lenses(map);
    clearTimeout(own[options.name]?.leaving);
    const isNew = own[options.name] === undefined;
    own[options.name] ??= new Layer(options);
    own[options.name].update(options);
    if (isNew) {
      own[options.name].addTo(map);
      globalThis.Emberscope.lensPanel?.(map, own[options.name]);
    }
  }

  /** Take a layer off, unless the next feature group shows it again. */
  function release(map, name) {
    const layer = lenses(map)[name];
    if (layer) {
      layer.leaving = setTimeout(() => {
        delete lenses(map)[name];
        layer.remove();
      }, 0);
    }
  }

  Object.assign(globalThis.Emberscope ?? (globalThis.Emberscope = {}), {
    lenses,

    /**
     * Show a lens with a feature group.
     *
     * @param {object} group Leaflet's group; where it goes, the lens goes.
     * @param {object} options `name`, `pane`, `title`, `attribution`; `url` of the data and `workerUrl`; `lens`, `follows`,
     *   `picked`, `threshold` and `date` (null: all); `of`: what the choice belongs to, and `serial` of the last that the
     *   page has heard of.
     */
    lens(group, options) {
      const handle = new (L.Layer.extend({
        onAdd(map) {
          claim(map, options);
        },
        onRemove(map) {
          release(map, options.name);
        },
      }))();
      group.addLayer(handle);
    },
  });
}

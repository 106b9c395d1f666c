// Base maps from the web, each loaded only when it is chosen; land and coast lie below and stay where one cannot be reached.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});
  const NONE = "";

  /** The choice itself: land and coast, and the names of the base maps. */
  function picker(parent, names) {
    const label = L.DomUtil.create("label", "ember-base", parent);
    const select = L.DomUtil.create("select", "", label);
    select.ariaLabel = "Base map";
    for (const name of [NONE, ...names]) {
      const option = L.DomUtil.create("option", "", select);
      Object.assign(option, { value: name, textContent: name || "Land and coast (from here)" });
    }
    const said = L.DomUtil.create("small", "", parent);
    said.role = "status";
    return { select, said };
  }

  /** Tiles of a base map above the land; `fail` is called once where none of the first ones comes. */
  function tilesOf({ url, attribution, maxZoom }, fail) {
    let hasCome = false;
    const layer = L.tileLayer(url, {
      pane: "land", zIndex: 300, attribution, maxNativeZoom: maxZoom, maxZoom: 24, isPartOfAnother: true,
    });
    layer.on("tileload", () => (hasCome = true));
    layer.on("tileerror", () => {
      if (!hasCome) {
        hasCome = true;
        fail();
      }
    });
    return layer;
  }

  Object.assign(Emberscope, {
    /**
     * Put the choice of a base map into the land's row of the list of layers.
     *
     * @param {object} map Leaflet's map, which has its list of layers already.
     * @param {object} options
     * @param {{name: string, url: string, attribution: string, maxZoom: number}[]} options.maps
     */
    baseMaps(map, { maps }) {
      const row = map.getContainer().querySelector('.ember-layer[data-pane="land"]');
      const { select, said } = picker(row, maps.map((one) => one.name));
      let shown = null;
      const asked = Emberscope.address.take("base");
      const choose = (name) => {
        shown?.remove();
        shown = null;
        said.textContent = "";
        const found = maps.find((one) => one.name === name);
        select.value = found ? name : NONE;
        Emberscope.remember("base", select.value);
        Emberscope.address.keep("base", select.value || null);
        if (!found) {
          return;
        }
        shown = tilesOf(found, () => {
          choose(NONE);
          said.textContent = `${name} cannot be reached from here. Land and coast are shown.`;
          if (name === asked) {
            Emberscope.refuse(map, "base map", name, "which cannot be reached from here. Land and coast are shown.");
          }
        }).addTo(map);
      };
      select.addEventListener("change", () => choose(select.value));
      choose(asked ?? Emberscope.recall("base") ?? NONE);
      if (asked !== null && asked !== select.value) {
        Emberscope.refuse(map, "base map", asked);
      }
    },
  });
}

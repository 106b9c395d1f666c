// What the app adds to a Leaflet map: panes, theme, land below the scenes, coordinates, the list of layers, and the memory of the view.
// Loaded by the map's frame as a plain script; pages/ui/map/map_controls.py calls these functions by name.
"use strict";

{
  const MEMORY = "emberscope ";
  // A view in which everything is smaller than this share of its width shows nothing.
  const LEAST_SHARE = 0.01;

  /** Keep a value for this tab. */
  function remember(key, value) {
    try {
      sessionStorage.setItem(MEMORY + key, JSON.stringify(value));
    } catch {
      // A browser that keeps nothing opens each map anew.
    }
  }

  /** @returns {*} what this tab kept, or null. */
  function recall(key) {
    try {
      return JSON.parse(sessionStorage.getItem(MEMORY + key));
    } catch {
      return null;
    }
  }

  /** Whether a box lies in a view and is more than a dot there. */
  function isSeen(view, [[south, west], [north, east]]) {
    const meets = south < view.getNorth() && north > view.getSouth() && west < view.getEast() && east > view.getWest();
    return meets && east - west > LEAST_SHARE * (view.getEast() - view.getWest());
  }

  /** One row of the list of layers: a box to tick, a title and a slider. */
  function layerRow(map, parent, { pane, title, percent }) {
    const element = L.DomUtil.create("div", "ember-layer", parent);
    element.dataset.pane = pane;
    const label = L.DomUtil.create("label", "", element);
    const tick = L.DomUtil.create("input", "", label);
    const words = L.DomUtil.create("span", "", label);
    const slider = L.DomUtil.create("input", "", element);
    const held = recall(`pane ${pane}`) ?? { isVisible: true, percent };
    Object.assign(tick, { type: "checkbox", checked: held.isVisible });
    Object.assign(slider, { type: "range", min: 0, max: 100, step: 1, value: held.percent });
    const row = {
      element,
      count: 0,
      rename(own) {
        words.textContent = own ?? title;
        slider.ariaLabel = `Opacity of ${words.textContent}`;
      },
    };
    const show = () => {
      map.getPane(pane).style.opacity = slider.value / 100;
      map.getPane(pane).style.visibility = tick.checked ? "" : "hidden";
      slider.title = `${slider.value} %`;
    };
    const change = () => {
      show();
      remember(`pane ${pane}`, { isVisible: tick.checked, percent: Number(slider.value) });
    };
    slider.addEventListener("input", change);
    tick.addEventListener("change", change);
    row.rename();
    element.hidden = true;
    show();
    return row;
  }

  globalThis.Emberscope = {
    /**
     * Make the panes, set the theme and draw the land.
     *
     * @param {object} map Leaflet's map.
     * @param {object} options
     * @param {"light"|"dark"} options.theme map.css has the colours of both.
     * @param {Object<string, number>} options.panes z-index of each pane; Leaflet's own are tilePane 200 and overlayPane 400.
     * @param {string} options.landUrl address of the world's GeoJSON.
     * @param {number} options.landToZoom the land is drawn at 1:110 m: nearer than this its coast is a caricature.
     * @returns {Promise<void>} done when the land is drawn, or could not be fetched.
     */
    backdrop(map, { theme, panes, landUrl, landToZoom }) {
      document.documentElement.dataset.theme = theme;
      // streamlit-folium gives the map a size in pixels; the page gives the frame one, and the map fills it.
      Object.assign(map.getContainer().style, { width: "100%", height: "100vh" });
      map.invalidateSize({ animate: false });
      map.zoomControl?.setPosition("topright");
      for (const [name, zIndex] of Object.entries(panes)) {
        map.createPane(name).style.zIndex = zIndex;
      }
      map.attributionControl.setPrefix("Leaflet");
      L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);

      const land = map.getPane("land");
      land.style.pointerEvents = "none";
      const showLand = () => {
        land.style.display = map.getZoom() > landToZoom ? "none" : "";
      };
      map.on("zoomend", showLand);
      showLand();
      return fetch(landUrl)
        .then((answer) => answer.json())
        .then((countries) => {
          L.geoJSON(countries, {
            pane: "land",
            interactive: false,
            attribution: "Land: Natural Earth 1:110 m",
            style: { className: "ember-land", weight: 1, fillOpacity: 1 },
          }).addTo(map);
        })
        .catch((error) => console.warn(`The land is not drawn: ${error.message}`));
    },

    /**
     * Bring into sight what a person left in sight on the last map, else what the page shows; and remember where they go.
     *
     * @param {object} map Leaflet's map.
     * @param {object} options Corners are [[south, west], [north, east]] in degrees.
     * @param {string} options.page each page remembers its own focus.
     * @param {string} options.focus another one than at the last visit of this page opens on `home`.
     * @param {number[][]} options.home what is in sight at first.
     * @param {number[][][]} options.boxes all that the page can show; a view that shows none of them is not kept.
     * @param {number} options.panelPx so much of the left side lies below the page's panel where the window is wide.
     */
    view(map, { page, focus, home, boxes, panelPx }) {
      const last = recall("view");
      const isSameFocus = (recall(`focus ${page}`) ?? focus) === focus;
      const left = map.getSize().x > 2 * panelPx ? panelPx : 0;
      if (last) {
        map.setView(last.center, last.zoom, { animate: false });
      }
      if (!last || !isSameFocus || !boxes.some((box) => isSeen(map.getBounds(), box))) {
        map.fitBounds(home, { paddingTopLeft: [left + 12, 12], paddingBottomRight: [left ? 60 : 12, left ? 96 : 12], animate: false });
      }
      const keep = () => {
        const { lat, lng } = map.getCenter();
        remember("view", { center: [lat, lng], zoom: map.getZoom() });
      };
      remember(`focus ${page}`, focus);
      keep();
      map.on("moveend", keep);
    },

    /**
     * Put a list on the map of what lies on it: each pane that has layers, its visibility and its opacity.
     *
     * @param {object} map Leaflet's map.
     * @param {object} options
     * @param {{pane: string, title: string, percent: number}[]} options.rows from above; a layer's own title replaces
     *   the row's, and the opacity (0 to 100) is the one at the start.
     */
    layerList(map, { rows }) {
      const control = L.control({ position: "topright" });
      control.onAdd = () => {
        const box = L.DomUtil.create("details", "ember-box ember-layers leaflet-control");
        box.open = map.getSize().x > 700;
        L.DomUtil.create("summary", "", box).textContent = "Layers";
        const shown = new Map(rows.map((row) => [row.pane, layerRow(map, box, row)]));
        const note = (layer, change) => {
          const row = shown.get(layer.options?.pane);
          if (row) {
            row.count += change;
            row.element.hidden = row.count === 0;
            row.rename(layer.options.title);
          }
        };
        map.eachLayer((layer) => note(layer, 1));
        map.on("layeradd", (event) => note(event.layer, 1));
        map.on("layerremove", (event) => note(event.layer, -1));
        L.DomEvent.disableClickPropagation(box);
        L.DomEvent.disableScrollPropagation(box);
        return box;
      };
      control.addTo(map);
    },

    /**
     * @param {number} degrees north of the equator, negative south of it.
     * @returns {string} such as "37.6500° N".
     */
    latitude(degrees) {
      return `${Math.abs(degrees).toFixed(4)}° ${degrees < 0 ? "S" : "N"}`;
    },

    /**
     * @param {number} degrees east of Greenwich, negative west of it; a map that shows the world twice goes beyond 180.
     * @returns {string} such as "75.6100° W".
     */
    longitude(degrees) {
      const wrapped = ((((degrees + 180) % 360) + 360) % 360) - 180;
      return `${Math.abs(wrapped).toFixed(4)}° ${wrapped < 0 ? "W" : "E"}`;
    },
  };
}

// What the app adds to a Leaflet map: panes, theme, land below the scenes, coordinates, the opacity of the overlay.
// Loaded by the map's frame as a plain script; pages/ui/map/map_controls.py calls these functions by name.
"use strict";

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
    for (const [name, zIndex] of Object.entries(panes)) {
      map.createPane(name).style.zIndex = zIndex;
    }
    map.attributionControl.setPrefix("Leaflet");
    L.control.scale({ imperial: false }).addTo(map);

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
   * Put a slider on the map that sets the opacity of the overlay pane; the server is not asked.
   *
   * @param {object} map Leaflet's map.
   * @param {object} options
   * @param {string} options.label words beside the slider.
   * @param {number} options.percent opacity at the start, 0 to 100.
   */
  overlayOpacity(map, { label, percent }) {
    const control = L.control({ position: "topright" });
    control.onAdd = () => {
      const box = L.DomUtil.create("label", "ember-box leaflet-control");
      const words = L.DomUtil.create("span", "", box);
      const slider = L.DomUtil.create("input", "", box);
      Object.assign(slider, { type: "range", min: 0, max: 100, step: 1, value: percent, ariaLabel: label });
      const show = () => {
        map.getPane("overlay").style.opacity = slider.value / 100;
        words.textContent = `${label} ${slider.value} %`;
      };
      slider.addEventListener("input", show);
      show();
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

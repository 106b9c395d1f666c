// The ground of a map: its size, its panes, its theme, the scale.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});

  /** The words at the foot of the map do not tell which layer came first: a link shows what was seen. */
  function inOrder(control) {
    control._attributions = Object.fromEntries(Object.entries(control._attributions).sort());
    control._update();
  }

  Object.assign(Emberscope, {
    /**
     * Make the panes, set the theme and draw the land.
     *
     * @param {object} map Leaflet's map.
     * @param {object} options
     * @param {"light"|"dark"} options.theme emberscope.css has the colours of both.
     * @param {Object<string, number>} options.panes z-index of each pane; Leaflet's own are tilePane 200 and overlayPane 400.
     * @param {string} options.landUrl address of the world's GeoJSON.
     * @param {string} options.coastUrl address of a piece of the finer coast, with {x} and {y}; "" where there is none.
     * @returns {Promise<void>} done when the land is drawn, or could not be fetched.
     */
    backdrop(map, { theme, panes, landUrl, coastUrl }) {
      document.documentElement.dataset.theme = theme;
      // streamlit-folium gives the map a size in pixels; the page gives the frame one, and the map fills it.
      Object.assign(map.getContainer().style, { width: "100%", height: "100vh" });
      map.invalidateSize({ animate: false });
      map.zoomControl?.setPosition("topright");
      for (const [name, zIndex] of Object.entries(panes)) {
        map.createPane(name).style.zIndex = zIndex;
      }
      map.attributionControl.setPrefix("Leaflet");
      map.on("layeradd layerremove", () => inOrder(map.attributionControl));
      // Outlines tell their words to the pointer only: the Tab key does not go through all of them.
      map.on("layeradd", ({ layer }) => {
        const element = layer.getElement?.();
        if (element?.tagName === "path") {
          element.setAttribute("tabindex", "-1");
        }
      });
      L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
      return Emberscope.land(map, { landUrl, coastUrl });
    },
  });
}

// Maps of one page that move together: what one looks at, and where its pointer is, the others show too.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});
  const RING = { radius: 7, weight: 2, color: "var(--ember)", fill: false, interactive: false, pane: "outlines", className: "ember-ring" };

  /** Places as numbers, for a message. */
  const numbers = ({ lat, lng }) => [lat, lng];

  /** What a map tells the others. */
  function tellOthers(map, tell, isFollowing) {
    map.on("move zoomend", () => {
      if (!isFollowing()) {
        tell({ view: [numbers(map.getCenter()), map.getZoom()] });
      }
    });
    map.on("mousemove", ({ latlng }) => tell({ over: numbers(latlng) }));
    map.on("mouseout", () => tell({ over: null }));
    map.on("click", ({ latlng, originalEvent }) => tell({ pick: numbers(latlng), isUnlike: originalEvent?.shiftKey === true }));
  }

  Object.assign(Emberscope, {
    /**
     * Join the maps of a page.
     *
     * @param {object} map Leaflet's map.
     * @param {object} options
     * @param {string} options.channel the maps of one page share it.
     */
    together(map, { channel }) {
      const line = new BroadcastChannel(`emberscope ${channel}`);
      const ring = L.circleMarker([0, 0], RING);
      let following = false;
      const lenses = () => Object.values(Emberscope.lenses?.(map) ?? {});
      tellOthers(map, (message) => line.postMessage(message), () => following);
      const look = ([center, zoom]) => {
        following = true;
        map.setView(center, zoom, { animate: false });
        following = false;
      };
      const point = (place) => {
        lenses().forEach((layer) => layer.over(place && L.latLng(place)));
        if (place) {
          ring.setLatLng(place).addTo(map);
        } else {
          ring.remove();
        }
      };
      const pick = (place, isUnlike) => {
        const asked = lenses().filter((layer) => layer.options.follows === true);
        asked.forEach((layer) => layer.pick(L.latLng(place), isUnlike ? "negative" : "positive"));
      };
      line.onmessage = ({ data }) => {
        if (data.view) {
          look(data.view);
        } else if (data.pick) {
          pick(data.pick, data.isUnlike);
        } else {
          point(data.over);
        }
      };
      map.on("unload", () => line.close());
    },
  });
}

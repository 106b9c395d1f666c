// Land and sea below the scenes: countries from afar, and pieces of a finer coast where the map is near.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});
  // Nearer than this the countries at 1:110 m are a caricature, and the coast at 1:10 m takes over.
  const FAR_TO_ZOOM = 5;
  // Nearer than this a coast at 1:10 m is a caricature too: along it the ground is neither land nor sea.
  const SURE_TO_ZOOM = 10;
  // Without the finer coast the countries are drawn up to here, and nearer nobody knows.
  const FAR_ALONE_TO_ZOOM = 8;
  // Pieces of the coast are the tiles of this zoom.
  const PIECE_ZOOM = 6;
  const COUNT = 2 ** PIECE_ZOOM;
  // A repeated world is drawn from the same pieces, moved by whole turns.
  const MOST_PIECES = 64;

  // Colours of emberscope.css, for the land's row in the list of layers.
  const LEGEND = { swatches: [["var(--land)", "land"], ["var(--water)", "water"], ["var(--unsure)", "either, along a coast"]] };

  function column(lng) {
    return Math.floor(((lng + 180) / 360) * COUNT);
  }

  function row(lat) {
    const sine = Math.sin((Math.max(-85, Math.min(85, lat)) * Math.PI) / 180);
    return Math.floor((0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * COUNT);
  }

  /** The pieces in sight, as [column, row]; columns of a repeated world go on beyond the last. */
  function inSight(map) {
    const view = map.getBounds();
    const found = [];
    for (let x = column(view.getWest()); x <= column(view.getEast()); x++) {
      for (let y = row(view.getNorth()); y <= row(view.getSouth()) && found.length < MOST_PIECES; y++) {
        found.push([x, Math.max(0, Math.min(COUNT - 1, y))]);
      }
    }
    return found;
  }

  /** A piece of GeoJSON, drawn `turns` times around the world. */
  function drawn(piece, turns) {
    return L.geoJSON(piece, {
      pane: "land",
      interactive: false,
      attribution: "Land: Natural Earth",
      legend: LEGEND,
      coordsToLatLng: ([lng, lat]) => L.latLng(lat, lng + 360 * turns),
      style: ({ properties }) => ({ className: `ember-${properties.kind ?? "land"}`, weight: 1, fillOpacity: 1 }),
    });
  }

  async function fetched(url) {
    const answer = await fetch(url);
    if (!answer.ok) {
      throw new Error(`${answer.status} ${url}`);
    }
    return answer.json();
  }

  /** Draws the pieces in sight once each; a piece that did not come is asked for again at the next move. */
  function coast(map, coastUrl) {
    const held = new Map();
    return () => {
      if (map.getZoom() <= FAR_TO_ZOOM) {
        return;
      }
      for (const [x, y] of inSight(map)) {
        const key = `${x} ${y}`;
        if (!held.has(key)) {
          held.set(key, null);
          const turns = Math.floor(x / COUNT);
          fetched(coastUrl.replace("{x}", x - turns * COUNT).replace("{y}", y))
            .then((piece) => drawn(piece, turns).addTo(map))
            .catch((error) => {
              held.delete(key);
              console.warn(`A piece of the coast is not drawn: ${error.message}`);
            });
        }
      }
    };
  }

  /** Which of what is drawn is shown at a zoom: see emberscope.css. */
  function scaleOf(zoom, hasCoast) {
    if (!hasCoast) {
      return zoom > FAR_ALONE_TO_ZOOM ? "unknown" : "far";
    }
    return zoom <= FAR_TO_ZOOM ? "far" : zoom > SURE_TO_ZOOM ? "close" : "near";
  }

  Emberscope.land = (map, { landUrl, coastUrl }) => {
    const pane = map.getPane("land");
    pane.style.pointerEvents = "none";
    const drawCoast = coastUrl ? coast(map, coastUrl) : () => {};
    const show = () => {
      pane.dataset.scale = scaleOf(map.getZoom(), coastUrl !== "");
      drawCoast();
    };
    map.on("moveend", show);
    map.whenReady(show);
    return fetched(landUrl)
      .then((countries) => void drawn(countries, 0).addTo(map))
      .catch((error) => console.warn(`The land is not drawn: ${error.message}`));
  };
}

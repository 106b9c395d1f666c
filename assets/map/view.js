// Where the map looks: what a link says, what a person left in sight on the last map, or what the page shows.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});
  // A view in which everything is smaller than this share of its width shows nothing.
  const LEAST_SHARE = 0.01;
  // In a narrower window the panel stands below the map (assets/page/page.css has the same limit).
  const BESIDE_FROM_PX = 900;
  // In a wider window the list of layers (assets/map/layers.js) stands open at the right: so much of it is covered.
  const LISTED_FROM_PX = 1180;
  const LIST_PX = 250;
  // A page draws its legend after its map: so often it is looked for.
  const LEGEND_EVERY_MS = 250;
  const LEGEND_TURNS = 60;

  /** Whether a box lies in a view. */
  function meets(view, [[south, west], [north, east]]) {
    return south < view.getNorth() && north > view.getSouth() && west < view.getEast() && east > view.getWest();
  }

  /** Whether a box lies in a view and is more than a dot there. */
  function isSeen(view, box) {
    return meets(view, box) && box[1][1] - box[0][1] > LEAST_SHARE * (view.getEast() - view.getWest());
  }

  /** How high the page's legend is, which stands above what lies at the foot of the map; 0 without one. */
  function legendPx() {
    try {
      const legend = parent.document.querySelector(".st-key-map_legend");
      return legend?.querySelector(".es-legend") ? legend.offsetHeight + 34 : 0;
    } catch {
      return 0; // a page that keeps itself from us
    }
  }

  /** Bring a box into sight anew when the page's legend comes after the map, unless the map has been moved meanwhile. */
  function waitForLegend(map, box, known = legendPx(), turns = LEGEND_TURNS) {
    setTimeout(() => {
      if (turns === 0 || !map.emberFitted || !map.getContainer().isConnected) {
        return;
      }
      const now = legendPx();
      if (now !== known) {
        Emberscope.fit(map, box);
      }
      waitForLegend(map, box, now, turns - 1);
    }, LEGEND_EVERY_MS);
  }

  /** The view that a link's words name, "latitude,longitude,zoom"; null where they name none. */
  function viewOf(words) {
    const numbers = (words ?? "").split(",").map((part) => (part.trim() ? Number(part) : Number.NaN));
    const [lat, lng, zoom] = numbers;
    const isOne = numbers.length === 3 && Math.abs(lat) <= 85 && Math.abs(lng) <= 540 && zoom >= 0 && zoom <= 24;
    return isOne ? { center: [lat, lng], zoom } : null;
  }

  /** Say that a link's view is none, or that the page shows nothing there. */
  function refuseView(map, words, isView) {
    const why = isView ? "where nothing of this page lies. What it shows is in sight instead." : undefined;
    Emberscope.refuse(map, "view", words, why);
  }

  Object.assign(Emberscope, {
    /**
     * Bring into sight what a person left in sight on the last map, else what the page shows; and remember where they go.
     *
     * A link's view is kept even where everything is a dot in it, for somebody chose it. One that shows nothing of the
     * page's place is of another place: the address was read again before the map of a place just chosen had moved.
     *
     * @param {object} map Leaflet's map.
     * @param {object} options Corners are [[south, west], [north, east]] in degrees.
     * @param {string} options.page each page remembers its own focus.
     * @param {string} options.focus another one than at the last visit of this page opens on `home`.
     * @param {number[][]} options.home what is in sight at first.
     * @param {number[][][]} options.boxes all that the page can show; a view that shows none of them is not kept.
     * @param {number} options.panelPx so much of the left side lies below the page's panel where the window is wide.
     * @param {number} options.footPx so much of the foot lies below the gallery.
     */
    view(map, { page, focus, home, boxes, panelPx, footPx }) {
      Object.assign(map, { emberPanelPx: panelPx, emberFootPx: footPx });
      const words = Emberscope.address.take("view");
      const linked = viewOf(words);
      const last = linked ?? Emberscope.recall("view");
      const isSameFocus = linked !== null || (Emberscope.recall(`focus ${page}`) ?? focus) === focus;
      if (last) {
        map.setView(last.center, last.zoom, { animate: false });
      }
      const isKept = last && isSameFocus && boxes.some((box) => (linked ? meets : isSeen)(map.getBounds(), box));
      // A view that nobody has moved is that of a box: beside another panel and above another legend it lies elsewhere.
      const box = isKept ? last.fitted ?? null : home;
      if (box) {
        Emberscope.fit(map, box);
        waitForLegend(map, box);
      }
      map.hasLinkedView = isKept && linked !== null;
      if (words !== null && !map.hasLinkedView) {
        refuseView(map, words, linked !== null);
      }
      const keep = () => {
        // What the middle pixel shows: Leaflet's own centre may lie half a pixel beside it, and a link then open a pixel off.
        const { x, y } = map.getSize();
        const { lat, lng } = map.containerPointToLatLng([x / 2, y / 2]);
        Emberscope.remember("view", { center: [lat, lng], zoom: map.getZoom(), fitted: map.emberFitted ?? null });
        Emberscope.address.keep("view", `${lat.toFixed(5)},${lng.toFixed(5)},${map.getZoom()}`);
      };
      Emberscope.remember(`focus ${page}`, focus);
      keep();
      map.on("moveend", () => {
        if (!map.isEmberFitting) {
          map.emberFitted = null; // the person has moved it
        }
        keep();
      });
    },

    /** Bring a box into sight, beside the page's panel and above what lies at the foot of the map. */
    fit(map, box) {
      const { x, y } = map.getSize();
      const isWide = map.emberPanelPx > 0 && x > BESIDE_FROM_PX;
      const foot = Math.min((map.emberFootPx ?? 0) + (isWide ? legendPx() : 0), y / 3);
      Object.assign(map, { emberFitted: box, isEmberFitting: true });
      map.fitBounds(box, {
        paddingTopLeft: [(isWide ? map.emberPanelPx ?? 0 : 0) + 12, 12],
        paddingBottomRight: [x > LISTED_FROM_PX ? LIST_PX : isWide ? 60 : 12, Math.max(foot, isWide ? 96 : 12)],
        animate: false,
      });
      map.isEmberFitting = false;
    },
  });
}

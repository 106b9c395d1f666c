// A layer of probabilities that is coloured here: a threshold that moves recolours its tiles and asks the server for nothing.
// Each tile is a picture whose red is the value of a class and whose green is the step of its probability.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});
  const CHANNEL = "emberscope threshold";
  // More polygons than this make a map heavy; they come largest first.
  const MOST_POLYGONS = 3000;
  const layers = new Set();
  const steps = new Map(); // channel -> step, as the panel told it last
  const outlines = new Map(); // channel -> what is drawn of the polygons

  /** Colours of a layer as 256 words of red, green, blue and alpha; classes without one are transparent. */
  function palette(colours) {
    const bytes = new Uint8ClampedArray(256 * 4);
    for (const [value, bands] of Object.entries(colours)) {
      bytes.set(bands, value * 4);
    }
    return new Uint32Array(bytes.buffer);
  }

  /**
   * Colour the pixels of a tile.
   *
   * @param {Uint8ClampedArray} read red, green, blue and alpha of the tile as it came; alpha is 0 where there is nothing.
   * @param {Uint32Array} inks colours by class.
   * @param {number} step pixels of this step and above are shown.
   * @param {Uint32Array} shown one word a pixel; what is not shown becomes 0.
   */
  function colour(read, inks, step, shown) {
    for (let index = 0, at = 0; index < shown.length; index += 1, at += 4) {
      shown[index] = read[at + 3] && read[at + 1] >= step ? inks[read[at]] : 0;
    }
  }

  /** Draw a tile anew from the pixels that it keeps. */
  function paint(tile, layer) {
    if (!tile.read) {
      return;
    }
    const image = new ImageData(tile.width, tile.height);
    colour(tile.read, layer.inks, layer.step, new Uint32Array(image.data.buffer));
    tile.getContext("2d").putImageData(image, 0, 0);
  }

  /** Fetch a tile and keep its pixels. */
  function load(tile, layer, url, done) {
    const image = new Image();
    image.onload = () => {
      const context = tile.getContext("2d", { willReadFrequently: true });
      context.drawImage(image, 0, 0);
      tile.read = context.getImageData(0, 0, tile.width, tile.height).data;
      paint(tile, layer);
      done(null, tile);
    };
    image.onerror = () => done(new Error(`The tile ${url} did not come.`), tile);
    image.src = url;
  }

  /** The words beside the pointer over a polygon. */
  function words({ name, hectares, probability }) {
    const area = hectares.toLocaleString("en", { maximumFractionDigits: 1 });
    return `${name}: ${area} ha, mean probability ${probability.toFixed(2)}`;
  }

  /** Draw the polygons of an address, or none; how many they are, and of how many hectares. */
  async function outline(map, channel, url) {
    outlines.get(channel)?.remove();
    outlines.delete(channel);
    if (!url) {
      return { count: 0, hectares: 0 };
    }
    const marker = L.geoJSON(null, {
      pane: "outlines",
      style: { color: "#1c1916", weight: 1.4, fill: false },
      onEachFeature: (feature, layer) => layer.bindTooltip(document.createTextNode(words(feature.properties)).textContent),
    });
    outlines.set(channel, marker);
    const answer = await fetch(url);
    if (!answer.ok) {
      throw new Error(await answer.text());
    }
    const { features } = await answer.json();
    if (outlines.get(channel) === marker) {
      marker.addData({ type: "FeatureCollection", features: features.slice(0, MOST_POLYGONS) });
      marker.addTo(map);
    }
    return { count: features.length, hectares: features.reduce((sum, { properties }) => sum + properties.hectares, 0) };
  }

  Object.assign(Emberscope, {
    /**
     * A layer of tiles that is cut at a threshold.
     *
     * @param {string} url address of the tiles, with {z}, {x} and {y}.
     * @param {object} options of L.GridLayer, and: channel, step, colours.
     */
    thresholdTiles(url, options) {
      const Layer = L.GridLayer.extend({
        createTile(coords, done) {
          const tile = L.DomUtil.create("canvas", "leaflet-tile");
          Object.assign(tile, { width: 256, height: 256 });
          load(tile, this, L.Util.template(url, coords), done);
          return tile;
        },
        onAdd(map) {
          layers.add(this);
          L.GridLayer.prototype.onAdd.call(this, map);
        },
        onRemove(map) {
          layers.delete(this);
          L.GridLayer.prototype.onRemove.call(this, map);
        },
        cut(step) {
          this.step = step;
          for (const { el } of Object.values(this._tiles)) {
            paint(el, this);
          }
        },
      });
      const layer = new Layer({ ...options, attribution: options.attribution });
      layer.inks = palette(options.colours);
      layer._url = url; // where the pointer finds the layer's token
      layer.step = steps.get(options.channel) ?? options.step;
      return layer;
    },

    /**
     * Hear from the page's panel where to cut and which polygons to draw, and ask it for what it says now.
     *
     * @param {object} map Leaflet's map.
     */
    listenToThresholds(map) {
      const channel = new BroadcastChannel(CHANNEL);
      channel.onmessage = ({ data }) => {
        if (Number.isInteger(data.step)) {
          steps.set(data.channel, data.step);
          for (const layer of layers) {
            if (layer.options.channel === data.channel) {
              layer.cut(data.step);
            }
          }
        }
        if (data.polygons !== undefined) {
          outline(map, data.channel, data.polygons)
            .then((found) => channel.postMessage({ drawn: data.channel, ...found, most: MOST_POLYGONS }))
            .catch((error) => channel.postMessage({ drawn: data.channel, error: error.message }));
        }
      };
      channel.postMessage({ asks: true });
    },

    colourTile: colour,
    thresholdPalette: palette,
  });
}

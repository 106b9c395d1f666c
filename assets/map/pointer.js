// What lies under the pointer: coordinates, and of each layer in sight its value and date.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});
  // The pointer rests so long before the server is asked; one question is under way at a time.
  const REST_MS = 120;
  const TOKEN = /\/tiles\/([0-9a-f]{32})\//;

  function isSeen(map, pane) {
    const style = map.getPane(pane)?.style;
    return style !== undefined && style.visibility !== "hidden" && Number(style.opacity || 1) > 0;
  }

  /** Layers in sight that can say something of a place, from above. */
  function asked(map) {
    const found = [];
    map.eachLayer((layer) => {
      const { pane, reads } = layer.options ?? {};
      const token = TOKEN.exec(layer._url ?? "")?.[1];
      if (pane && isSeen(map, pane) && (layer.options.valueAt || (token && reads !== false))) {
        found.push({ layer, token, height: Number(map.getPane(pane).style.zIndex) });
      }
    });
    return found.sort((one, other) => other.height - one.height);
  }

  /** Values of the layers that the server reads, by token. */
  async function fromServer(url, layers, { lat, lng }) {
    const tokens = layers.filter((one) => !one.layer.options.valueAt).map((one) => one.token);
    if (!tokens.length) {
      return {};
    }
    const query = new URLSearchParams({ lat: lat.toFixed(6), lon: Emberscope.wrapped(lng).toFixed(6), layers: tokens.join(",") });
    const answer = await fetch(`${url}?${query}`);
    return answer.ok ? answer.json() : {};
  }

  /** One line of a layer: its title, and the value with its date, or that there is none. */
  function drawLine(box, title, value) {
    const line = L.DomUtil.create("div", "", box);
    L.DomUtil.create("b", "", line).textContent = title;
    const words = value?.words?.length ? value.words.join(" · ") : "no data";
    line.append(` ${words}${value?.words?.length && value.date ? ` · ${value.date}` : ""}`);
  }

  Object.assign(Emberscope, {
    /**
     * Say what lies under the pointer, or at the centre while the map is moved by the keyboard.
     *
     * A layer of our own says it by `options.valueAt(latlng)`: {words: string[], date: string}, a promise of it, or null.
     *
     * @param {object} map Leaflet's map.
     * @param {object} options
     * @param {string} options.url address that answers with the values of registered layers.
     */
    pointer(map, { url }) {
      let box, at = null, timer = null, isAsking = false;
      const control = L.control({ position: "bottomright" });
      control.onAdd = () => {
        box = L.DomUtil.create("div", "ember-pointer");
        box.hidden = true;
        return box;
      };
      control.addTo(map);

      const draw = (place, lines) => {
        box.replaceChildren();
        box.hidden = false;
        for (const [title, value] of lines) {
          drawLine(box, title, value);
        }
        const words = `${Emberscope.latitude(place.lat)}, ${Emberscope.longitude(place.lng)}`;
        L.DomUtil.create("div", "ember-place", box).textContent = words;
      };
      const ask = async () => {
        timer = null;
        if (isAsking || !at) {
          return;
        }
        isAsking = true;
        const place = at;
        try {
          const layers = asked(map);
          const held = await fromServer(url, layers, place);
          const lines = [];
          for (const { layer, token } of layers) {
            const value = layer.options.valueAt ? await layer.options.valueAt(place) : held[token];
            lines.push([layer.options.title ?? "", value]);
          }
          if (at) {
            draw(at, lines);
          }
        } catch (error) {
          console.warn(`The value is not shown: ${error.message}`);
        } finally {
          isAsking = false;
          if (at && at !== place) {
            timer ??= setTimeout(ask, REST_MS);
          }
        }
      };
      const point = (place) => {
        at = place;
        timer ??= setTimeout(ask, REST_MS);
      };
      const container = map.getContainer();
      let isByKeyboard = false;
      map.on("mousemove click", (event) => {
        isByKeyboard = false;
        point(event.latlng);
      });
      container.addEventListener("mouseleave", () => {
        at = null;
        box.hidden = true;
      });
      container.addEventListener("keydown", () => {
        isByKeyboard = document.activeElement === container;
      });
      map.on("moveend", () => {
        if (isByKeyboard) {
          point(map.getCenter());
        }
      });
    },
  });
}

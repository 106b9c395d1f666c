// The list of what lies on the map: visibility, opacity, order and legend of each pane; the server is not asked.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});

  // In a narrower window the open list would lie over most of the map.
  const LEAST_OPEN_PX = 1100;

  /** How a pane stands, as an address writes it: "-overlay:40" is hidden, at 40 %. */
  function written({ pane, isVisible, percent }) {
    return `${isVisible ? "" : "-"}${pane}${percent === 100 ? "" : `:${percent}`}`;
  }

  /** By pane, what the words of an address say; and those words that say nothing of a pane that there is. */
  function parsed(words, panes) {
    const [found, refused] = [new Map(), []];
    for (const part of words?.split(",") ?? []) {
      const [, hidden, pane, percent] = /^(-?)([a-z_]+)(?::(\d{1,3}))?$/.exec(part) ?? [];
      if (panes.includes(pane) && Number(percent ?? 100) <= 100) {
        found.set(pane, { isVisible: !hidden, percent: Number(percent ?? 100) });
      } else {
        refused.push(part);
      }
    }
    return { found, refused };
  }

  /** Colours and their meaning below a row: swatches, or a bar from low to high. */
  function drawLegend(element, { swatches = [], bar = null, note = "" } = {}) {
    element.replaceChildren();
    element.hidden = !swatches.length && !bar && !note;
    for (const [colour, words] of swatches) {
      const entry = L.DomUtil.create("span", "ember-swatch", element);
      L.DomUtil.create("i", "", entry).style.background = colour;
      entry.append(words);
    }
    if (bar) {
      const entry = L.DomUtil.create("span", "ember-ramp", element);
      L.DomUtil.create("i", "", entry).style.background = `linear-gradient(to right, ${bar.colours.join(", ")})`;
      L.DomUtil.create("span", "", entry).textContent = bar.low;
      L.DomUtil.create("span", "", entry).textContent = bar.high;
    }
    if (note) {
      L.DomUtil.create("small", "", element).textContent = note;
    }
  }

  /** A button that moves a row. */
  function mover(parent, sign, way) {
    const button = L.DomUtil.create("button", "ember-mover", parent);
    Object.assign(button, { type: "button", textContent: sign, value: way });
    return button;
  }

  /** One row of the list: a box to tick, a title, two buttons for the order, a slider and the legend. */
  function layerRow(map, parent, { pane, title, percent, isFixed }, held) {
    const element = L.DomUtil.create("li", "ember-layer", parent);
    element.dataset.pane = pane;
    const head = L.DomUtil.create("div", "ember-head", element);
    const label = L.DomUtil.create("label", "", head);
    const tick = L.DomUtil.create("input", "", label);
    const words = L.DomUtil.create("span", "", label);
    const movers = isFixed ? [] : [mover(head, "↑", "up"), mover(head, "↓", "down")];
    const slider = L.DomUtil.create("input", "", element);
    const legend = L.DomUtil.create("div", "ember-legend", element);
    Object.assign(tick, { type: "checkbox", checked: held.isVisible });
    Object.assign(slider, { type: "range", min: 0, max: 100, step: 1, value: held.percent });
    const row = {
      element, pane, movers, words, count: 0, isFixed,
      state: () => ({ pane, isVisible: tick.checked, percent: Number(slider.value) }),
      usual: { pane, isVisible: true, percent },
      describe(options = {}) {
        words.textContent = options.title ?? title;
        slider.ariaLabel = `Opacity of ${words.textContent}`;
        for (const button of movers) {
          button.ariaLabel = `Move ${words.textContent} ${button.value}`;
        }
        drawLegend(legend, options.legend);
      },
      show() {
        map.getPane(pane).style.opacity = slider.value / 100;
        map.getPane(pane).style.visibility = tick.checked ? "" : "hidden";
        slider.title = `${slider.value} %`;
      },
    };
    for (const [input, event] of [[slider, "input"], [tick, "change"]]) {
      input.addEventListener(event, () => {
        row.show();
        Emberscope.remember(`pane ${pane}`, row.state());
        row.changed?.();
      });
    }
    row.describe();
    element.hidden = true;
    row.show();
    return row;
  }

  /** Rows in the order that a person gave them; those that they have not seen keep their place from above. */
  function ordered(rows, order) {
    const place = (row) => (row.isFixed ? Infinity : order.indexOf(row.pane));
    const moved = rows.filter((row) => place(row) >= 0).sort((one, other) => place(one) - place(other));
    const places = rows.map((row) => (place(row) >= 0 ? null : row));
    return places.map((row) => row ?? moved.shift());
  }

  /** Give the panes of the rows their heights anew: the first row lies on top. */
  function stack(map, rows, heights) {
    for (const [index, row] of rows.entries()) {
      map.getPane(row.pane).style.zIndex = heights[index];
    }
  }

  /** The list's rows with their order, what is kept of them and what the address says. */
  function rowsOf(map, list, given) {
    const panes = given.map((row) => row.pane);
    const { found: linked, refused } = parsed(Emberscope.address.take("layers"), panes);
    if (refused.length) {
      Emberscope.refuse(map, "layers", refused.join(","));
    }
    const order = linked.size ? [...linked.keys()] : Emberscope.recall("order") ?? [];
    const rows = given.map((row) => {
      const usual = { isVisible: true, percent: row.percent };
      return layerRow(map, list, row, linked.get(row.pane) ?? Emberscope.recall(`pane ${row.pane}`) ?? usual);
    });
    return ordered(rows, order);
  }

  Object.assign(Emberscope, {
    /**
     * Put a list on the map of what lies on it: each pane that has layers.
     *
     * A layer names itself by its options: `pane`, `title`, and `legend` ({swatches: [[colour, words]], bar: {colours, low,
     * high}, note}). A pane that is filled without a layer's events tells `map.fire("ember:describe", {pane, title, legend})`.
     *
     * @param {object} map Leaflet's map.
     * @param {object} options
     * @param {{pane: string, title: string, percent: number, isFixed: boolean}[]} options.rows from above; a layer's own
     *   title replaces the row's, the opacity (0 to 100) is the one at the start, and a fixed row is not moved.
     */
    layerList(map, { rows: given }) {
      const control = L.control({ position: "topright" });
      control.onAdd = () => {
        const box = L.DomUtil.create("details", "ember-box ember-layers leaflet-control");
        box.open = map.getSize().x > LEAST_OPEN_PX;
        L.DomUtil.create("summary", "", box).textContent = "Layers";
        const list = L.DomUtil.create("ul", "", box);
        let rows = rowsOf(map, list, given);
        const heights = given.map((row) => Number(map.getPane(row.pane).style.zIndex));
        const tell = () => {
          const isUsual = rows.every((row, index) => row.pane === given[index].pane && written(row.state()) === written(row.usual));
          Emberscope.address.keep("layers", isUsual ? null : rows.map((row) => written(row.state())).join(","));
        };
        const arrange = () => {
          stack(map, rows, heights);
          list.replaceChildren?.(...rows.map((row) => row.element));
          tell();
        };
        const move = (row, step) => {
          const shown = rows.filter((other) => !other.element.hidden && !other.isFixed);
          const other = shown[shown.indexOf(row) + step];
          if (other) {
            rows = rows.map((each) => (each === row ? other : each === other ? row : each));
            Emberscope.remember("order", rows.filter((each) => !each.isFixed).map((each) => each.pane));
            arrange();
            row.movers[step < 0 ? 0 : 1].focus?.();
          }
        };
        for (const row of rows) {
          row.changed = tell;
          for (const button of row.movers) {
            button.addEventListener("click", () => move(row, button.value === "up" ? -1 : 1));
          }
        }
        const rowOf = (pane) => rows.find((row) => row.pane === pane);
        const note = (layer, change) => {
          const row = rowOf(layer.options?.pane);
          if (row && !layer.options.isPartOfAnother) {
            row.count += change;
            row.element.hidden = row.count === 0;
            if (change > 0) {
              row.describe(layer.options);
            }
          }
        };
        map.eachLayer((layer) => note(layer, 1));
        map.on("layeradd", (event) => note(event.layer, 1));
        map.on("layerremove", (event) => note(event.layer, -1));
        map.on("ember:describe", (event) => {
          const row = rowOf(event.pane);
          if (row) {
            row.element.hidden = false;
            row.describe(event);
          }
        });
        arrange();
        L.DomEvent.disableClickPropagation(box);
        L.DomEvent.disableScrollPropagation(box);
        return box;
      };
      control.addTo(map);
    },
  });
}

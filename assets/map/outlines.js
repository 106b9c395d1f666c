// Lines around scenes and regions, with the words that stand beside the pointer.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});

  Object.assign(Emberscope, {
    /**
     * Draw the lines into a group.
     *
     * @param {object} group a feature group of Leaflet.
     * @param {object} options
     * @param {{rings: number[][][], colour: string, weight: number, words: string}[]} options.lines rings of latitude and longitude;
     *   the words are plain text.
     */
    outlines(group, { lines }) {
      for (const { rings, colour, weight, words } of lines) {
        const told = Object.assign(document.createElement("div"), { textContent: words });
        L.polygon(rings, { color: colour, weight, fill: false, pane: "outlines" })
          .bindTooltip(told, { sticky: true })
          .addTo(group);
      }
    },
  });
}

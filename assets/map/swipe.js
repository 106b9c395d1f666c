// A line across a map that is drawn to and fro: one pane shows on its left, another on its right.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});
  const STEPS = 1000;

  /** The line and what draws it: a slider over the whole width, which keys move too. */
  function makeHandle(map, words) {
    const box = L.DomUtil.create("div", "ember-swipe", map.getContainer());
    const line = L.DomUtil.create("div", "ember-swipe-line", box);
    const slider = L.DomUtil.create("input", "", box);
    Object.assign(slider, { type: "range", min: 0, max: STEPS, value: STEPS / 2, ariaLabel: words });
    L.DomEvent.disableClickPropagation(slider);
    return { line, slider };
  }

  Object.assign(Emberscope, {
    /**
     * Show one pane left of a line and another right of it.
     *
     * @param {object} map Leaflet's map.
     * @param {object} options
     * @param {string} options.left, options.right names of panes.
     * @param {string} options.words what the slider is called.
     */
    swipe(map, { left, right, words }) {
      const { line, slider } = makeHandle(map, words);
      const cut = () => {
        const { x: width, y: height } = map.getSize();
        const at = (slider.value / STEPS) * width;
        line.style.left = `${at}px`;
        const [begin, middle, end] = [[0, 0], [at, 0], [width, height]].map((point) => map.containerPointToLayerPoint(point));
        const box = (from, to) => `polygon(${from}px ${begin.y}px, ${to}px ${begin.y}px, ${to}px ${end.y}px, ${from}px ${end.y}px)`;
        map.getPane(left).style.clipPath = box(begin.x, middle.x);
        map.getPane(right).style.clipPath = box(middle.x, end.x);
      };
      slider.addEventListener("input", cut);
      map.on("move zoomend viewreset resize", cut);
      cut();
    },
  });
}

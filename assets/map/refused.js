// What a link asks of the map in vain, said on the map; the page tells of its own below its heading.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});
  // In a narrower window the panel stands below the map (assets/page/page.css has the same limit).
  const BESIDE_FROM_PX = 900;

  /** The box of a map, above everything; its button takes it away. */
  function boxOf(map) {
    const box = L.DomUtil.create("div", "ember-box ember-refused", map.getContainer());
    box.role = "status";
    // The map learns of its panel after its list of layers, which may refuse something already.
    setTimeout(() => box.style.setProperty("--panel", `${map.getSize().x > BESIDE_FROM_PX ? map.emberPanelPx ?? 0 : 0}px`));
    L.DomEvent.disableClickPropagation(box);
    const close = L.DomUtil.create("button", "", box);
    Object.assign(close, { type: "button", textContent: "×", ariaLabel: "Close this note" });
    close.addEventListener("click", () => {
      box.remove();
      map.emberRefused = null;
    });
    return box;
  }

  Object.assign(Emberscope, {
    /**
     * Say what a link asks for and the map does not show.
     *
     * @param {object} map Leaflet's map.
     * @param {string} what such as "base map".
     * @param {string} asked as the address has it.
     * @param {string} why the rest of the sentence.
     */
    refuse(map, what, asked, why = "which cannot be shown here. Something else is shown.") {
      map.emberRefused ??= boxOf(map);
      L.DomUtil.create("p", "", map.emberRefused).textContent = `The link asks for the ${what} “${asked.slice(0, 200)}”, ${why}`;
    },
  });
}

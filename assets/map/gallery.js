// The scenes of a map side by side at its foot, and their places on it: a click brings one into sight.
"use strict";

{
  const Emberscope = (globalThis.Emberscope ??= {});
  // A scene smaller than this on the screen is a mark, so that it can be seen and clicked.
  const LEAST_PX = 18;
  const FOOT_PX = 176;
  const FOLDED_PX = 40;
  const BELOW_PX = 16;
  // A map that has no scenes side by side by then has none to which a link could lead.
  const NONE_AFTER_MS = 3000;

  /** How often each word stands in a list, as "32 train, 8 test". */
  function counted(words) {
    const counts = new Map();
    for (const word of words.filter(Boolean)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    return [...counts].map(([word, count]) => `${count} ${word}`).join(", ");
  }

  /** A share of burned ground counts as "with fire". */
  function kind(label) {
    return label.endsWith("burned") ? "with fire" : label;
  }

  /** "48 scenes · 35 with fire, 13 fire-free · 32 train, 8 test · scores of conv on rcf". */
  function summary(scenes, scoredBy, isWorstFirst) {
    const parts = [counted(scenes.map((scene) => kind(scene.label))), counted(scenes.map((scene) => scene.split))];
    parts.push(scoredBy && `scores of ${scoredBy}`);
    return [`${scenes.length} scenes${isWorstFirst ? ", the worst first" : ""}`, ...parts.filter(Boolean)].join(" · ");
  }

  function button(parent, words, label, act) {
    const made = L.DomUtil.create("button", "", parent);
    Object.assign(made, { type: "button", textContent: words, title: label, ariaLabel: label });
    made.addEventListener("click", act);
    return made;
  }

  /** One scene of the strip: its picture, and what is told of it. */
  function card(parent, scene, pictures, number, act) {
    const made = L.DomUtil.create("button", "ember-scene", parent);
    made.type = "button";
    const picture = L.DomUtil.create("img", "", made);
    Object.assign(picture, { loading: "lazy", alt: "", src: `${pictures}/${scene.picture}.png` });
    const told = [scene.date, scene.label, scene.score, scene.cloud, scene.split].filter(Boolean);
    // What is seen is also the button's name, so that it can be called by it; the title describes it.
    for (const [index, words] of told.entries()) {
      L.DomUtil.create(index ? "small" : "b", "", made).textContent = words;
    }
    made.title = `Scene ${number}: ${scene.title}`;
    made.addEventListener("click", act);
    return made;
  }

  /** Marks of the scenes that are too small to be seen at this zoom. */
  function marks(map, scenes, choose) {
    const made = scenes.map((scene, index) => {
      const [[south, west], [north, east]] = scene.box;
      const mark = L.circleMarker([(south + north) / 2, (west + east) / 2], {
        pane: "outlines", radius: 6, className: "ember-mark", bubblingMouseEvents: false, isPartOfAnother: true,
      });
      mark.bindTooltip(document.createTextNode(`${index + 1}: ${scene.title}`));
      return mark.on("click", () => choose(index));
    });
    const group = L.layerGroup(made).addTo(map);
    const show = () => {
      for (const [index, mark] of made.entries()) {
        const [[, west], [, east]] = scenes[index].box;
        const isSmall = ((east - west) / 360) * 256 * 2 ** map.getZoom() < LEAST_PX;
        mark.getElement().style.display = isSmall ? "" : "none";
      }
    };
    map.on("zoomend", show);
    show();
    return {
      choose(index) {
        for (const [at, mark] of made.entries()) {
          mark.setStyle({ fillOpacity: at === index ? 1 : 0.25, weight: at === index ? 3 : 2 });
        }
      },
      remove() {
        map.off("zoomend", show);
        group.remove();
      },
    };
  }

  /** Tell the page how much of the map's foot is taken, so that its legend stands above (assets/page/page.css). */
  function takeFoot(map, px) {
    map.emberFootPx = px;
    try {
      parent.document.documentElement.style.setProperty("--es-foot", `${px}px`);
    } catch {
      // A page that keeps itself from us has no legend of ours.
    }
  }

  /** Draws the strip and its marks; returns what takes them away again. */
  function drawGallery(map, { scenes, scoredBy, isWorstFirst }, pictures, panelPx) {
    const box = L.DomUtil.create("details", "ember-box ember-gallery", map.getContainer());
    L.DomEvent.disableClickPropagation(box);
    L.DomEvent.disableScrollPropagation(box);
    box.open = Emberscope.recall("gallery") ?? map.getSize().y > 560;
    box.style.setProperty("--panel", `${map.getSize().x > 2 * panelPx ? panelPx : 0}px`);
    L.DomUtil.create("summary", "", box).textContent = summary(scenes, scoredBy, isWorstFirst);
    const bar = L.DomUtil.create("div", "ember-bar", box);
    const strip = L.DomUtil.create("div", "ember-strip", box);
    let chosen = -1;

    const all = [
      [Math.min(...scenes.map((scene) => scene.box[0][0])), Math.min(...scenes.map((scene) => scene.box[0][1]))],
      [Math.max(...scenes.map((scene) => scene.box[1][0])), Math.max(...scenes.map((scene) => scene.box[1][1]))],
    ];
    const highlight = (index) => {
      chosen = index;
      map.emberScene = scenes[index].id;
      for (const [at, element] of cards.entries()) {
        element.ariaPressed = String(at === index);
        element.tabIndex = at === index ? 0 : -1;
      }
      cards[index].scrollIntoView({ block: "nearest", inline: "nearest" });
      onMap.choose(index);
      position.textContent = `${index + 1} of ${scenes.length}`;
    };
    const choose = (index) => {
      highlight(index);
      Emberscope.address.keep("scene", scenes[index].id);
      Emberscope.fit(map, scenes[index].box);
    };
    const step = (by) => choose((chosen + by + scenes.length) % scenes.length);
    button(bar, "All", `Show all ${scenes.length} scenes`, () => Emberscope.fit(map, all));
    button(bar, "‹", "The scene before", () => step(chosen < 0 ? 0 : -1));
    const position = L.DomUtil.create("span", "", bar);
    position.textContent = `${scenes.length} scenes`;
    button(bar, "›", "The next scene", () => step(1));
    const onMap = marks(map, scenes, choose);
    const cards = scenes.map((scene, index) => card(strip, scene, pictures, index + 1, () => choose(index)));
    // The Tab key comes to the strip once, and the arrows go along it.
    for (const [index, element] of cards.entries()) {
      element.tabIndex = index ? -1 : 0;
    }
    strip.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (by) {
        event.preventDefault();
        step(by);
        cards[chosen].focus();
      }
    });
    const settle = () => {
      const px = box.open ? Math.max(FOOT_PX, (box.offsetHeight ?? 0) + BELOW_PX) : FOLDED_PX;
      map.getContainer().style.setProperty("--foot", `${px}px`);
      takeFoot(map, px);
    };
    box.addEventListener("toggle", () => {
      Emberscope.remember("gallery", box.open);
      settle();
    });
    map.on("resize", settle);
    settle();
    begin(map, scenes, highlight);
    return () => {
      map.off("resize", settle);
      onMap.remove();
      box.remove();
      takeFoot(map, 0);
    };
  }

  /** Say that the scene of a link is not on the map; from then on the address names none. */
  function refuseScene(map, asked) {
    Emberscope.refuse(map, "scene", asked);
    Emberscope.address.keep("scene", null);
  }

  /** The scene of the link, or the one that fills the middle of the map. */
  function begin(map, scenes, highlight) {
    const before = scenes.findIndex((scene) => scene.id === map.emberScene);
    if (before >= 0) {
      highlight(before); // the same scenes in other bands
      return;
    }
    const asked = Emberscope.address.take("scene");
    const linked = scenes.findIndex((scene) => scene.id === asked);
    if (linked >= 0) {
      highlight(linked);
      Emberscope.address.keep("scene", asked);
      if (!map.hasLinkedView) {
        Emberscope.fit(map, scenes[linked].box);
      }
      return;
    }
    if (asked !== null) {
      refuseScene(map, asked);
    }
    const { lat, lng } = map.getCenter();
    const inSight = scenes.findIndex(({ box: [[south, west], [north, east]] }) => south <= lat && lat <= north && west <= lng && lng <= east);
    if (inSight >= 0) {
      highlight(inSight);
    }
  }

  Object.assign(Emberscope, {
    /**
     * Show the gallery of the layer that brings one (`options.gallery`, its address), and take it away with its last layer.
     *
     * @param {object} map Leaflet's map.
     * @param {object} options
     * @param {number} options.panelPx so much of the left side lies below the page's panel where the window is wide.
     */
    gallery(map, { panelPx }) {
      let shown = "";
      let remove = () => {};
      takeFoot(map, map.emberFootPx ?? 0);
      const look = () => {
        const found = new Set();
        map.eachLayer((layer) => layer.options?.gallery && found.add(layer.options.gallery));
        const wanted = [...found][0] ?? "";
        if (wanted === shown) {
          return;
        }
        shown = wanted;
        if (!wanted) {
          remove();
          return;
        }
        fetch(wanted)
          .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.status))))
          .then((facts) => {
            if (shown === wanted) {
              remove();
              remove = drawGallery(map, facts, `${wanted.split("maps/")[0]}tiles/${facts.layer}/pictures`, panelPx);
            }
          })
          .catch((error) => console.warn(`The gallery is not shown: ${error.message}`));
      };
      // A swap of layers takes the old away and brings the new: only what lies there afterwards counts.
      setTimeout(() => {
        const asked = shown ? null : Emberscope.address.take("scene");
        if (asked !== null) {
          refuseScene(map, asked);
        }
      }, NONE_AFTER_MS);
      let timer = null;
      map.on("layeradd layerremove", () => {
        timer ??= setTimeout(() => {
          timer = null;
          look();
        }, 60);
      });
    },
  });
}

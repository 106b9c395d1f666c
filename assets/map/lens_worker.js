// The worker of one lens: it holds a store's components, knows what the map shows, and draws when either is told anew.
// Every message is answered by one: a picture, or what lies below the pointer, or what went wrong.
"use strict";

{
  const MOST_PICKED = 200;
  const version = self.location.search; // the address of each part changes with its content
  const parts = new URLSearchParams(version);
  importScripts(`lens_kernel.js?v=${parts.get("kernel")}`, `lens_picture.js?v=${parts.get("picture")}`);
  const { open, apply, similarity, valueOf } = globalThis.EmberscopeKernel;
  const { look, paint, patchAt, corners, inside } = globalThis.EmberscopePicture;

  let store = null;
  let view = null;
  let index = null;
  let lens = null;
  let follows = false;
  let picked = { positive: [], negative: [] };
  let shown = null;

  /** The module of the inner loops; null where this browser has no SIMD, or must do without. */
  async function kernelModule(isPlain) {
    if (isPlain || typeof WebAssembly === "undefined") {
      return null;
    }
    try {
      const answer = await fetch(`lens_kernel.wasm?v=${parts.get("wasm")}`);
      return await WebAssembly.compile(await answer.arrayBuffer());
    } catch {
      return null;
    }
  }

  async function load({ url, isPlain }) {
    const [answer, module] = await Promise.all([fetch(url), kernelModule(isPlain)]);
    if (!answer.ok) {
      throw new Error(`The server does not have what this map shows (${answer.status}). Load the page again.`);
    }
    store = await open(await answer.arrayBuffer(), module);
    const { components, share, step, patches, dates } = store.header;
    return { is: "loaded", components, share, step, patches, dates, isPlain: store.isPlain };
  }

  /** What is drawn: the lens, or the similarity to what is picked, else to the patch below the pointer. */
  function current(below) {
    if (!follows) {
      return lens;
    }
    const towards = picked.positive.length || below < 0 ? picked : { positive: [below], negative: picked.negative };
    return similarity(store, towards, lens) ?? lens.idle ?? null;
  }

  /** A picture of all patches in sight; without a view or a lens there is none yet. */
  function draw(below, started) {
    shown = store && lens ? current(below) : null;
    if (shown === null || index === null) {
      return { is: "nothing" };
    }
    const colours = paint(store, shown, index, apply(store, shown));
    return { is: "picture", pixels: colours, view, below, ms: performance.now() - started };
  }

  /** What lies below a place, and the value that is shown there. */
  function over({ x, y }, started) {
    if (store === null || lens === null) {
      return { is: "nothing" };
    }
    const below = x === null ? -1 : patchAt(store, x, y, view?.date ?? null);
    const isNew = follows && !picked.positive.length && below >= 0;
    const answer = isNew ? draw(below, started) : { is: "over", below };
    const value = below >= 0 && shown !== null ? valueOf(store, shown, below) : null;
    return { ...answer, value, corners: below >= 0 ? corners(store, below) : null };
  }

  const answers = {
    load,
    set(told, started) {
      ({ lens, follows, picked } = told);
      return { ...draw(-1, started), outlines: outlines() };
    },
    look(told, started) {
      view = told.view;
      index = store === null ? null : look(store, view);
      return draw(-1, started);
    },
    over,
    click({ x, y }) {
      return { is: "click", below: store === null ? -1 : patchAt(store, x, y, view?.date ?? null) };
    },
    inside({ polygon }) {
      return { is: "inside", patches: store === null ? [] : inside(store, polygon, view?.date ?? null, MOST_PICKED) };
    },
  };

  /** Corners of all picked patches. */
  function outlines() {
    const of = (patches) => patches.map((patch) => corners(store, patch)).filter((one) => one !== null);
    return store === null ? null : { positive: of(picked.positive), negative: of(picked.negative) };
  }

  self.onmessage = async ({ data }) => {
    try {
      const answer = await answers[data.do](data, performance.now());
      self.postMessage({ ...answer, to: data.do }, answer.pixels ? [answer.pixels.buffer] : []);
    } catch (error) {
      self.postMessage({ is: "failed", to: data.do, words: error.message });
    }
  };
}

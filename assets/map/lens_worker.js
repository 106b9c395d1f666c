// The worker of one lens: it holds a store's components, knows what the map shows, and draws when either is told anew.
// Every message is answered by one: a picture, or what lies below the pointer, or what went wrong. Besides, of a large
// store, "arrived" says that patches in sight have come, and can be drawn.
"use strict";

{
  const MOST_PICKED = 200;
  const version = self.location.search; // the address of each part changes with its content
  const parts = new URLSearchParams(version);
  importScripts(...["kernel", "picture", "pieces"].map((name) => `lens_${name}.js?v=${parts.get(name)}`));
  const { open, apply, similarity, valueOf, components } = globalThis.EmberscopeKernel;
  const { look, paint, patchAt, corners, inside } = globalThis.EmberscopePicture;
  const Pieces = globalThis.EmberscopePieces;

  let store = null;
  let pieces = null; // of a store that came as an overview
  let view = null;
  let sight = null; // what the view shows of each store: [{of, index}, …], the overview first
  let lens = null;
  let follows = false;
  let picked = { positive: [], negative: [] };
  let shown = null;
  let pointer = null;
  let isAsking = false;
  let failure = null;

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
    const { components: count, share, step, patches, dates, facts } = store.header;
    pieces = facts?.pieces ? Pieces.of(store, url, module) : null;
    return { is: "loaded", components: count, share, step, patches, dates, isPlain: store.isPlain, hasPieces: pieces !== null };
  }

  /** The components of a row of the store. */
  function numbersOf(row) {
    return pieces === null ? components(store, row) : Pieces.componentsOfRow(pieces, row);
  }

  /** What is drawn: the lens, or the similarity to what is picked, else to the patch below the pointer. */
  function current(below) {
    if (!follows) {
      return lens;
    }
    if (picked.positive.length || below === null) {
      return similarity(store, picked, lens, numbersOf) ?? lens.idle ?? null;
    }
    const own = components(below.of, below.patch);
    const numbers = (row) => (row === below.row ? own : numbersOf(row));
    return similarity(store, { positive: [below.row], negative: picked.negative }, lens, numbers) ?? lens.idle ?? null;
  }

  /** Which patch lies below each pixel, of the overview and of the patches that have come. */
  function see() {
    const stores = pieces?.detail ? [store, pieces.detail] : [store];
    sight = stores.map((of) => ({ of, index: look(of, view, of === store ? pieces?.drawn : undefined) }));
    sight = pieces === null ? sight : sight.filter(({ index }) => index.some((patch) => patch >= 0));
  }

  /** What a person is told of the resolution; null where all patches are here. */
  function resolution() {
    if (pieces === null || sight === null) {
      return null;
    }
    const isFine = sight.some(({ of }) => of !== store);
    return { step: store.header.step, isFine, isCoarse: sight.some(({ of }) => of === store), isComing: isAsking, failure };
  }

  /** A picture of all patches in sight; without a view or a lens there is none yet. */
  function draw(below, started) {
    shown = store && lens ? current(below) : null;
    if (shown === null || sight === null) {
      return { is: "nothing" };
    }
    const out = new Uint32Array(view.width * view.height);
    sight.forEach(({ of, index }) => paint(of, shown, index, apply(of, shown), out));
    const pixels = new Uint8ClampedArray(out.buffer);
    return { is: "picture", pixels, view, below: below?.row ?? -1, resolution: resolution(), ms: performance.now() - started };
  }

  /** The patch at a place: the store that it is drawn from, its number there, and its row; null where there is none. */
  function hit(x, y) {
    const date = view?.date ?? null;
    const fine = pieces?.detail ? patchAt(pieces.detail, x, y, date) : -1;
    if (fine >= 0) {
      return { of: pieces.detail, patch: fine, row: Pieces.rowOfDetail(pieces, fine) };
    }
    const patch = patchAt(store, x, y, date);
    return patch < 0 ? null : { of: store, patch, row: pieces === null ? patch : Pieces.anyRow(pieces, patch) };
  }

  /** What lies below a place, and the value that is shown there. */
  function over({ x, y }, started) {
    if (store === null || lens === null) {
      return { is: "nothing" };
    }
    pointer = x === null ? null : { x, y };
    const below = pointer && hit(x, y);
    const isNew = follows && !picked.positive.length && below !== null;
    const answer = isNew ? draw(below, started) : { is: "over", below: below?.row ?? -1 };
    const value = below !== null && shown !== null ? valueOf(below.of, shown, below.patch) : null;
    return { ...answer, value, corners: below !== null ? corners(below.of, below.patch) : null };
  }

  /** The rows of some patches of the overview, or the patches themselves. */
  async function rowsOf(patches) {
    return pieces === null ? patches : Pieces.exactRows(pieces, patches);
  }

  /** The row that a click picks; -1 where there is none. */
  async function click({ x, y }) {
    const found = store === null ? null : hit(x, y);
    if (found === null || found.of !== store) {
      return { is: "click", below: found?.row ?? -1 };
    }
    const [below] = await rowsOf([found.patch]);
    return { is: "click", below };
  }

  /** Ask for the patches in sight until all are here; each answer is told, and then drawn. */
  async function askForPieces() {
    if (isAsking) {
      return;
    }
    isAsking = true;
    failure = null;
    try {
      for (let missing = lacking(); missing.length; missing = lacking()) {
        await Pieces.fetchSome(pieces, missing);
        Pieces.forget(pieces, Pieces.wanted(pieces, view));
        isAsking = lacking().length > 0;
        self.postMessage({ is: "arrived" });
      }
    } catch (error) {
      failure = error.message;
      self.postMessage({ is: "arrived" });
    }
    isAsking = false;
  }

  /** The tiles that the view wants and that are not here. */
  function lacking() {
    return Pieces.wanted(pieces, view).filter((number) => !pieces.kept.has(number));
  }

  /** Draw with the patches that have come. */
  async function refine(started) {
    if (view === null || store === null) {
      return { is: "nothing" };
    }
    if (pieces !== null) {
      await Pieces.assemble(pieces, Pieces.wanted(pieces, view));
    }
    see();
    return draw(follows && pointer ? hit(pointer.x, pointer.y) : null, started);
  }

  const answers = {
    load,
    async set(told, started) {
      ({ lens, follows, picked } = told);
      if (pieces !== null && follows) {
        await Pieces.know(pieces, [...picked.positive, ...picked.negative]);
      }
      return { ...draw(null, started), outlines: outlines() };
    },
    async look(told, started) {
      view = told.view;
      if (pieces !== null && lacking().length) {
        askForPieces();
      }
      return refine(started);
    },
    refine: (_, started) => refine(started),
    over,
    click,
    async inside({ polygon }) {
      const found = store === null ? [] : inside(store, polygon, view?.date ?? null, MOST_PICKED);
      return { is: "inside", patches: (await rowsOf(found)).filter((row) => row >= 0) };
    },
  };

  /** Corners of all picked patches. */
  function outlines() {
    const cornersOf = (row) => (pieces === null ? corners(store, row) : Pieces.cornersOfRow(pieces, row));
    const of = (rows) => rows.map(cornersOf).filter((one) => one !== null);
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

// The inner loops of the lens: with and without WebAssembly the same bytes, and what is no file of a lens is told.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { assemble } from "../make_wasm.mjs";
import { lensFile, numbers } from "./lens_file.mjs";

await import("../map/lens_kernel.js");
await import("../map/lens_picture.js");
const { open, apply, similarity, valueOf, components } = globalThis.EmberscopeKernel;
const { look, paint, patchAt, corners, inside } = globalThis.EmberscopePicture;
const built = await readFile(new URL("../map/lens_kernel.wasm", import.meta.url));
const module = await WebAssembly.compile(built);
const PALETTE = Array.from({ length: 256 }, (_, step) => [step, 255 - step, 7, 255]);

const both = async (options) => Promise.all([open(lensFile(options), module), open(lensFile(options), null)]);

/** A lens with random rows. */
function lensOf(kind, rows, k, changes = {}) {
  const next = numbers(5);
  const row = () => Array.from({ length: k }, () => next() - 0.5);
  const each = (value) => Array.from({ length: rows }, () => value);
  const lens = { kind, rows: Array.from({ length: rows }, row), bias: each(0.1), low: each(-2), high: each(2), palette: PALETTE };
  return { ...lens, unit: false, threshold: null, names: each("one"), ...changes };
}

test("the module is what its source assembles to", async () => {
  assert.deepEqual(new Uint8Array(built), new Uint8Array(await assemble()));
});

for (const [kind, rows, changes] of [
  ["rgb", 3, {}],
  ["ramp", 1, {}],
  ["ramp", 1, { unit: true, low: [-1], high: [1] }],
  ["ramp", 1, { low: [0], high: [0] }],
  ["classes", 24, {}],
  ["norm", 32, { low: [0], high: [9] }],
]) {
  test(`plain JavaScript gives the bytes of WebAssembly: ${kind} of ${rows}, ${JSON.stringify(changes)}`, async () => {
    const [fast, plain] = await both({ components: 32, tiles: 3, side: 9 });
    const lens = lensOf(kind, rows, 32, changes);
    const found = [fast, plain].map((store) => Array.from(apply(store, lens).bytes));
    assert.equal(plain.isPlain, true);
    assert.equal(fast.isPlain, false);
    assert.deepEqual(found[0], found[1]);
    assert.ok(new Set(found[0]).size > (lens.low[0] === lens.high[0] ? 0 : 3));
  });
}

test("components that are no multiple of sixteen are those of the file", async () => {
  const [fast, plain] = await both({ components: 5, tiles: 1, side: 4 });
  const lens = lensOf("rgb", 3, 5);
  assert.deepEqual(Array.from(apply(fast, lens).bytes), Array.from(apply(plain, lens).bytes));
  assert.equal(components(fast, 3).length, 5);
});

test("a patch is most similar to itself, unlike what it was set against, and nothing is similar to nothing", async () => {
  const [store] = await both({ components: 32, tiles: 1, side: 8 });
  const like = { low: [-1], high: [1], palette: PALETTE, threshold: null };
  const towards = similarity(store, { positive: [10], negative: [] }, like);
  assert.ok(Math.abs(valueOf(store, towards, 10)[0] - 1) < 1e-9);
  const against = similarity(store, { positive: [10], negative: [20] }, like);
  assert.ok(valueOf(store, against, 20)[0] < valueOf(store, towards, 20)[0]);
  assert.equal(similarity(store, { positive: [], negative: [] }, like), null);
  assert.equal(similarity(store, { positive: [10], negative: [10] }, like), null);
});

test("a patch without data has no value, no colour and no place below the pointer", async () => {
  const [store] = await both({ components: 16, tiles: 1, side: 4, invalid: [0, 5] });
  const lens = lensOf("rgb", 3, 16);
  const view = { width: 40, height: 40, west: 0, north: 400, step: 10 };
  const index = look(store, view);
  const pixels = new Uint32Array(paint(store, lens, index, apply(store, lens)).buffer);
  assert.equal(valueOf(store, lens, 5), null);
  assert.equal(patchAt(store, 50, 350), -1);
  assert.deepEqual([index[5 * 40 + 5], pixels[5 * 40 + 5], index[15 * 40 + 15]], [-1, 0, -1]);
  assert.ok(index[5 * 40 + 15] === 1 && pixels[5 * 40 + 15] !== 0);
});

test("each patch is found below its own middle, in each copy of the world, and its corners surround it", async () => {
  const [store] = await both({ components: 16, tiles: 2, side: 4 });
  const world = 2 * Math.PI * 6378137;
  for (const patch of [0, 7, 15, 16, 31]) {
    const around = corners(store, patch);
    const [x, y] = [0, 1].map((axis) => around.reduce((sum, corner) => sum + corner[axis], 0) / 4);
    assert.equal(patchAt(store, x, y), patch);
    assert.equal(patchAt(store, x - world, y), patch);
    assert.deepEqual(inside(store, around, null, 9), [patch]);
  }
});

test("what lies closer than a pixel is still one pixel", async () => {
  const [store] = await both({ components: 16, tiles: 2, side: 4 });
  const index = look(store, { width: 10, height: 10, west: -50000, north: 50000, step: 10000 });
  assert.equal(index.filter((patch) => patch >= 0).length, 1);
});

test("below a threshold nothing is drawn", async () => {
  const [store] = await both({ components: 16, tiles: 1, side: 4 });
  const lens = lensOf("ramp", 1, 16);
  const index = look(store, { width: 40, height: 40, west: 0, north: 400, step: 10 });
  const drawn = (threshold) => {
    const seen = { ...lens, threshold };
    return new Uint32Array(paint(store, seen, index, apply(store, seen)).buffer).filter((pixel) => pixel > 0).length;
  };
  assert.equal(drawn(null), 1600);
  assert.ok(drawn(0) > 0 && drawn(0) < 1600);
});

test("what is no file of a lens, or only a part of one, is told", async () => {
  const file = lensFile({ components: 16, tiles: 1, side: 4 });
  await assert.rejects(open(new ArrayBuffer(64), null), /no file of a lens/);
  await assert.rejects(open(file.slice(0, file.byteLength - 5), null), /incomplete/);
});

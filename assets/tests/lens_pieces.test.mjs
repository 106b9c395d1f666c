// The patches in sight of a large store: which tiles are asked for, and that what is drawn of them is the store itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { lensFile } from "./lens_file.mjs";

await import("../map/lens_kernel.js");
await import("../map/lens_picture.js");
await import("../map/lens_pieces.js");
const { open, components } = globalThis.EmberscopeKernel;
const { corners, patchAt } = globalThis.EmberscopePicture;
const Pieces = globalThis.EmberscopePieces;
const [TILES, SIDE, STEP] = [4, 6, 2];
const SIDE_M = SIDE * 100;

/** The store whole, and in pieces whose server is this function. */
async function bothWays(invalid = []) {
  const file = { tiles: TILES, side: SIDE, components: 16 };
  const whole = await open(lensFile({ ...file, invalid }), null);
  const base = await open(lensFile({ ...file, side: SIDE / STEP, patchM: 100 * STEP }), null);
  Object.assign(base.header, { step: STEP, shapes: Array.from({ length: TILES }, () => [SIDE, SIDE]) });
  const asked = [];
  const ask = async (address) => {
    asked.push(address);
    const runs = address.match(/\/([^/]+)\.bin$/)[1].split(",").map((run) => run.split("-").map(Number));
    const bytes = runs.flatMap(([first, count]) => Array.from(whole.q.subarray(first * SIDE ** 2 * 16, (first + count) * SIDE ** 2 * 16)));
    return { ok: true, arrayBuffer: async () => new Int8Array(bytes).buffer };
  };
  return { whole, pieces: Pieces.of(base, "https://here/lens/token.bin", null, ask), asked };
}

const view = (west, width, step = 20) => ({ west, north: SIDE_M, width, height: SIDE_M / step, step, date: null });

test("only tiles in sight are asked for, the middle first, and none where the overview shows as much", async () => {
  const { pieces } = await bothWays();
  assert.deepEqual(Pieces.wanted(pieces, view(10, 20)), [0]);
  assert.deepEqual(Pieces.wanted(pieces, view(SIDE_M + 10, 50)).slice(0, 1), [1]);
  assert.deepEqual(Pieces.wanted(pieces, view(0, 100, 150)), []);
  assert.deepEqual(Pieces.wanted(pieces, view(-9e6, 20)), []);
});

test("what is drawn of the pieces is what the whole store has at the same place", async () => {
  const { whole, pieces, asked } = await bothWays();
  await Pieces.fetchSome(pieces, [3, 1, 2]);
  assert.deepEqual(asked, ["https://here/lens/token/1-3.bin"]);
  await Pieces.assemble(pieces, [3, 1]);
  assert.deepEqual([...pieces.drawn], [1, 3]);
  for (const [x, y] of [[SIDE_M + 30, 40], [3 * SIDE_M + 555, 590], [2 * SIDE_M + 5, 5]]) {
    const patch = patchAt(whole, x, y);
    const found = patchAt(pieces.detail, x, y);
    assert.equal(found < 0, Math.floor(x / SIDE_M) === 2);
    if (found >= 0) {
      assert.equal(Pieces.rowOfDetail(pieces, found), patch);
      assert.deepEqual(components(pieces.detail, found), components(whole, patch));
      assert.deepEqual(corners(pieces.detail, found), corners(whole, patch));
    }
  }
});

test("a row is itself in the overview too: its corners, its components, and a patch with data below a click", async () => {
  const { whole, pieces } = await bothWays([43, 44]);
  for (const row of [0, 41, 143]) {
    Pieces.cornersOfRow(pieces, row).flat().forEach((part, i) => {
      assert.ok(Math.abs(part - corners(whole, row).flat()[i]) < 1e-6);
    });
  }
  assert.equal(Pieces.cornersOfRow(pieces, 144), null);
  const coarse = Pieces.coarsePatch(pieces, 43);
  const [row] = await Pieces.exactRows(pieces, [coarse]);
  assert.ok(row !== 43 && Pieces.coarsePatch(pieces, row) === coarse && components(whole, row) !== null);
  await Pieces.know(pieces, [row, 43]);
  pieces.kept.clear();
  assert.deepEqual(Pieces.componentsOfRow(pieces, row), components(whole, row));
  assert.deepEqual(Pieces.componentsOfRow(pieces, 100), components(pieces.base, Pieces.coarsePatch(pieces, 100)));
});

test("tiles that the server does not have, or that come incomplete, are told", async () => {
  const { pieces } = await bothWays();
  pieces.ask = async () => ({ ok: false, status: 404 });
  await assert.rejects(Pieces.fetchSome(pieces, [0]), /does not have the patches in sight \(404\)/);
  pieces.ask = async () => ({ ok: true, arrayBuffer: async () => new ArrayBuffer(7) });
  await assert.rejects(Pieces.fetchSome(pieces, [0]), /incomplete/);
});

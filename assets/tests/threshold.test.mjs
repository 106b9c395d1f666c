// The layer that is cut in the browser, and the panel beside it: what is shown, and how much of it there is.
import assert from "node:assert/strict";
import { test } from "node:test";

import { drawnInWords, fileAddress, hectaresAbove, inWords, stepOf } from "../page/threshold_panel.mjs";

await import("../map/threshold.js");
const { Emberscope } = globalThis;
const EMBER = [213, 94, 0, 255];

/** Pixels as a tile brings them: red is the class, green the step; null is nothing. */
function tile(pixels) {
  return Uint8ClampedArray.from(pixels.flatMap((pixel) => (pixel ? [pixel[0], pixel[1], pixel[1], 255] : [0, 0, 0, 0])));
}

function shown(pixels, step, colours = { 1: EMBER }) {
  const words = new Uint32Array(pixels.length);
  Emberscope.colourTile(tile(pixels), Emberscope.thresholdPalette(colours), step, words);
  return Array.from(new Uint8Array(words.buffer)).reduce((rows, byte, at) => {
    (rows[Math.floor(at / 4)] ??= []).push(byte);
    return rows;
  }, []);
}

test("a pixel is shown from its step on, and never where there is nothing", () => {
  const pixels = [[1, 99], [1, 100], [1, 199], null];
  assert.deepEqual(shown(pixels, 100).map((colour) => colour[3]), [0, 255, 255, 0]);
  assert.deepEqual(shown(pixels, 100)[1], EMBER);
  assert.deepEqual(shown(pixels, 0).map((colour) => colour[3]), [255, 255, 255, 0]);
});

test("each class has its colour, and one without a colour is transparent", () => {
  const colours = { 10: [1, 2, 3, 255], 30: EMBER };
  assert.deepEqual(shown([[10, 50], [30, 50], [20, 50]], 1, colours), [[1, 2, 3, 255], EMBER, [0, 0, 0, 0]]);
});

test("hectares are summed from the step of the threshold, as the server sums them", () => {
  const steps = Array.from({ length: 200 }, (_, step) => (step === 100 ? 2 : step === 99 ? 5 : step === 199 ? 1234.56 : 0));
  assert.equal(stepOf(0.5), 100);
  assert.equal(stepOf(0.29), 58);
  assert.equal(inWords(hectaresAbove(steps, stepOf(0.5))), "1,236.6 ha");
  assert.equal(inWords(hectaresAbove(steps, 99)), "1,241.6 ha");
  assert.equal(inWords(0), "0.0 ha");
});

test("hectares of the polygons that the files hold are told, also where not all are drawn", () => {
  const few = { count: 312, hectares: 2168.21, most: 3000 };
  assert.equal(drawnInWords(few, "1"), "Of these, 2,168.2 ha lie in 312 polygons of 1 ha or more.");
  const many = { ...few, count: 4012 };
  assert.match(drawnInWords(many, "0"), /4,012 polygons of 0 ha or more\. The 3,000 largest are drawn\.$/);
});

test("the address of a file carries the threshold", () => {
  assert.equal(fileAddress("take/ab?threshold=THRESHOLD&smallest=1", 0.7), "take/ab?threshold=0.70&smallest=1");
});

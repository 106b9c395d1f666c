// A small file of a lens: tiles side by side on Web Mercator itself, 100 m a patch, with random numbers.
const COLUMNS = 28;
const PATCH_M = 100;

/** Random numbers from 0 to 1, the same every time (a linear congruential generator, Numerical Recipes' constants). */
export function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The numbers of a tile that begins so far east: its box, and polynomials that are straight lines. */
function row(number, side, patchM) {
  const size = side * patchM;
  const west = number * size;
  const found = new Float64Array(COLUMNS);
  found.set([number * side * side, side, side, 0, west, 0, west + size, size]);
  found.set([side / 2, side / 2], 8); // column = side / 2 * (1 + u)
  found.set([side / 2, 0, -side / 2], 18); // row = side / 2 * (1 - v)
  return found;
}

/** @returns {ArrayBuffer} */
export function lensFile({ components, tiles, side, invalid = [], patchM = PATCH_M }) {
  const stored = Math.ceil(components / 16) * 16;
  const patches = tiles * side * side;
  const scales = Array.from({ length: components }, (_, i) => 0.05 / (1 + i));
  const header = { components, stored, patches, tiles, scales, step: 1, share: 1, dates: [""] };
  const head = new TextEncoder().encode(JSON.stringify(header));
  const at = Math.ceil((12 + head.length) / 16) * 16;
  const bytes = new Uint8Array(at + tiles * COLUMNS * 8 + patches * stored);
  bytes.set(new TextEncoder().encode("EMBLENS1"));
  new DataView(bytes.buffer).setUint32(8, head.length, true);
  bytes.set(head, 12);
  for (let number = 0; number < tiles; number++) {
    bytes.set(new Uint8Array(row(number, side, patchM).buffer), at + number * COLUMNS * 8);
  }
  const next = numbers(1);
  const q = new Int8Array(bytes.buffer, at + tiles * COLUMNS * 8);
  for (let patch = 0; patch < patches; patch++) {
    for (let i = 0; i < components; i++) {
      q[patch * stored + i] = invalid.includes(patch) ? (i === 0 ? -128 : 0) : Math.round((next() - 0.5) * 254);
    }
  }
  return bytes.buffer;
}

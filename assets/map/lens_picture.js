// From patches to pixels: which patch lies below each pixel of a map's picture, and the picture in a lens's colours.
// Places are metres of Web Mercator; each tile has a polynomial from there to its patches (engine/views/lens/placement.py).
"use strict";

{
  const { COLUMNS, INVALID } = globalThis.EmberscopeKernel;
  const WORLD_M = 2 * Math.PI * 6378137;
  const NEWTON_STEPS = 8;
  const NONE = new Set();

  /** A tile of the table, and how its polynomials are asked. */
  function tileOf(store, number) {
    const at = number * COLUMNS;
    const [first, h, w, date, west, south, east, north] = store.table.subarray(at, at + 8);
    return { first, h, w, date, west, south, east, north, column: at + 8, row: at + 18 };
  }

  /** A cubic in (u, v), whose ten numbers begin at a place of the table. */
  function cubic(table, at, u, v) {
    const constant = table[at] + v * (table[at + 2] + v * (table[at + 5] + v * table[at + 9]));
    const linear = table[at + 1] + v * (table[at + 4] + v * table[at + 8]);
    return constant + u * (linear + u * (table[at + 3] + v * table[at + 7] + u * table[at + 6]));
  }

  /** First and last pixel of a range of metres; a range between two pixels takes the nearer one. */
  function pixels(from, to, begin, step, size) {
    const first = Math.ceil((from - begin) / step - 0.5);
    const last = Math.floor((to - begin) / step - 0.5);
    const middle = Math.floor(((from + to) / 2 - begin) / step);
    const isSpeck = last < first;
    return [Math.max(isSpeck ? middle : first, 0), Math.min(isSpeck ? middle : last, size - 1), isSpeck];
  }

  /** Write the patches of one tile, `shift` metres east of where the table has it, into the picture. */
  function lay(store, tile, shift, view, index) {
    const { table, q, k } = store;
    const [left, right, isNarrow] = pixels(tile.west + shift, tile.east + shift, view.west, view.step, view.width);
    const [top, bottom, isLow] = pixels(-tile.north, -tile.south, -view.north, view.step, view.height);
    const [halfX, halfY] = [(tile.east - tile.west) / 2, (tile.north - tile.south) / 2];
    const isSpeck = isNarrow || isLow;
    const { column: c, row: r, w, h, first } = tile;
    const stepU = view.step / halfX;
    for (let j = top; j <= bottom; j++) {
      const v = isSpeck ? 0 : (view.north - (j + 0.5) * view.step - (tile.south + halfY)) / halfY;
      // Along a line of the picture a cubic in (u, v) is a cubic in u.
      const c0 = table[c] + v * (table[c + 2] + v * (table[c + 5] + v * table[c + 9]));
      const c1 = table[c + 1] + v * (table[c + 4] + v * table[c + 8]);
      const c2 = table[c + 3] + v * table[c + 7];
      const c3 = table[c + 6];
      const r0 = table[r] + v * (table[r + 2] + v * (table[r + 5] + v * table[r + 9]));
      const r1 = table[r + 1] + v * (table[r + 4] + v * table[r + 8]);
      const r2 = table[r + 3] + v * table[r + 7];
      const r3 = table[r + 6];
      let u = (view.west + (left + 0.5) * view.step - shift - (tile.west + halfX)) / halfX;
      for (let i = left; i <= right; i++, u += stepU) {
        const at = isSpeck ? 0 : u;
        const column = c0 + at * (c1 + at * (c2 + at * c3));
        const row = r0 + at * (r1 + at * (r2 + at * r3));
        if (column >= 0 && row >= 0 && column < w && row < h) {
          const patch = first + Math.floor(row) * w + Math.floor(column);
          if (q[patch * k] !== INVALID) {
            index[j * view.width + i] = patch;
          }
        }
      }
    }
  }

  /** Whole worlds between a tile and each of its copies in a view. */
  function* copies(tile, west, east) {
    const begin = Math.ceil((west - tile.east) / WORLD_M);
    for (let world = begin; tile.west + world * WORLD_M <= east; world++) {
      yield world * WORLD_M;
    }
  }

  /**
   * The patch below each pixel, -1 where there is none.
   *
   * @param {{width: number, height: number, west: number, north: number, step: number, date: (number|null)}} view
   *   pixels, the corner of the first one, metres of a pixel; tiles of other dates are left out.
   * @param {Set<number>} without tiles that are drawn otherwise.
   */
  function look(store, view, without = NONE) {
    const index = new Int32Array(view.width * view.height).fill(-1);
    const east = view.west + view.width * view.step;
    const south = view.north - view.height * view.step;
    for (let number = 0; number < store.header.tiles; number++) {
      const tile = tileOf(store, number);
      const isMeant = (view.date === null || view.date === undefined || tile.date === view.date) && !without.has(number);
      if (isMeant && tile.w > 0 && tile.south < view.north && tile.north > south) {
        for (const shift of copies(tile, view.west, east)) {
          lay(store, tile, shift, view, index);
        }
      }
    }
    return index;
  }

  /** The colours of a palette as pixels; below a threshold they are transparent. */
  function colourTable(lens) {
    const found = new Uint32Array(256);
    const span = lens.kind === "classes" ? 0 : lens.high[0] - lens.low[0];
    const hasThreshold = lens.kind !== "classes" && lens.threshold !== null && lens.threshold !== undefined && span > 0;
    const least = hasThreshold ? ((lens.threshold - lens.low[0]) * 255) / span : -1;
    lens.palette.forEach(([red, green, blue, alpha], step) => {
      const isShown = step + 0.5 >= least;
      found[step] = isShown ? ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0 : 0;
    });
    return found;
  }

  /** @returns {Uint8ClampedArray} red, green, blue and opacity of each pixel; those without a patch stay as they are in `out`. */
  function paint(store, lens, index, { bytes, stride }, out = new Uint32Array(index.length)) {
    if (stride === 4) {
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, store.n);
      for (let p = 0; p < index.length; p++) {
        if (index[p] >= 0) {
          out[p] = words[index[p]] | 0xff000000;
        }
      }
    } else {
      const colours = colourTable(lens);
      for (let p = 0; p < index.length; p++) {
        if (index[p] >= 0) {
          out[p] = colours[bytes[index[p]]];
        }
      }
    }
    return new Uint8ClampedArray(out.buffer);
  }

  /** The patch at a place, -1 where there is none; the last tile on top, as in the picture. */
  function patchAt(store, x, y, date = null) {
    for (let number = store.header.tiles - 1; number >= 0; number--) {
      const tile = tileOf(store, number);
      const isMeant = (date === null || tile.date === date) && tile.w > 0 && y >= tile.south && y <= tile.north;
      const shift = isMeant ? copies(tile, x, x).next().value : undefined;
      if (shift !== undefined) {
        const u = (2 * (x - shift - tile.west)) / (tile.east - tile.west) - 1;
        const v = (2 * (y - tile.south)) / (tile.north - tile.south) - 1;
        const column = Math.floor(cubic(store.table, tile.column, u, v));
        const row = Math.floor(cubic(store.table, tile.row, u, v));
        const patch = tile.first + row * tile.w + column;
        if (column >= 0 && row >= 0 && column < tile.w && row < tile.h && store.q[patch * store.k] !== INVALID) {
          return patch;
        }
      }
    }
    return -1;
  }

  /** The tile of a patch. */
  function tileWith(store, patch) {
    for (let number = 0; number < store.header.tiles; number++) {
      const tile = tileOf(store, number);
      if (patch >= tile.first && patch < tile.first + tile.w * tile.h) {
        return tile;
      }
    }
    return null;
  }

  /** Where a column and row of a tile lie, by Newton's method on its two polynomials. */
  function placeOf(store, tile, column, row) {
    const f = (u, v) => [cubic(store.table, tile.column, u, v) - column, cubic(store.table, tile.row, u, v) - row];
    const d = 1e-4;
    let [u, v] = [0, 0];
    for (let turn = 0; turn < NEWTON_STEPS; turn++) {
      const [a, b] = f(u, v);
      const [au, bu] = f(u + d, v).map((value, i) => (value - [a, b][i]) / d);
      const [av, bv] = f(u, v + d).map((value, i) => (value - [a, b][i]) / d);
      const determinant = au * bv - av * bu;
      u -= (a * bv - b * av) / determinant;
      v -= (b * au - a * bu) / determinant;
    }
    return [tile.west + ((u + 1) / 2) * (tile.east - tile.west), tile.south + ((v + 1) / 2) * (tile.north - tile.south)];
  }

  /** @returns {number[][]|null} the four corners of a patch, from the north-west clockwise. */
  function corners(store, patch) {
    const tile = tileWith(store, patch);
    if (tile === null) {
      return null;
    }
    const row = Math.floor((patch - tile.first) / tile.w);
    const column = (patch - tile.first) % tile.w;
    return [[0, 0], [1, 0], [1, 1], [0, 1]].map(([dx, dy]) => placeOf(store, tile, column + dx, row + dy));
  }

  /** The patches whose middle lies in a polygon, at most `most` of them, evenly spread. */
  function inside(store, polygon, date, most) {
    const [xs, ys] = [polygon.map(([x]) => x), polygon.map(([, y]) => y)];
    const found = [];
    for (let number = 0; number < store.header.tiles; number++) {
      const tile = tileOf(store, number);
      const isMeant = (date === null || tile.date === date) && tile.west < Math.max(...xs) && tile.east > Math.min(...xs);
      if (isMeant && tile.south < Math.max(...ys) && tile.north > Math.min(...ys)) {
        for (let patch = tile.first; patch < tile.first + tile.w * tile.h; patch++) {
          const [column, row] = [(patch - tile.first) % tile.w, Math.floor((patch - tile.first) / tile.w)];
          if (store.q[patch * store.k] !== INVALID && isInside(polygon, placeOf(store, tile, column + 0.5, row + 0.5))) {
            found.push(patch);
          }
        }
      }
    }
    const every = Math.ceil(found.length / most);
    return found.filter((_, i) => i % every === 0);
  }

  /** Whether a point lies in a polygon: a ray from it crosses the outline an odd number of times. */
  function isInside(polygon, [x, y]) {
    let isIn = false;
    polygon.forEach(([x1, y1], i) => {
      const [x0, y0] = polygon[(i + polygon.length - 1) % polygon.length];
      if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) {
        isIn = !isIn;
      }
    });
    return isIn;
  }

  globalThis.EmberscopePicture = { tileOf, placeOf, copies, look, paint, patchAt, corners, inside, colourTable };
}

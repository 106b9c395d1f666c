// A store's components in a browser: the file is read, and a lens is applied to every patch at once.
// Runs in the lens's worker and, for its tests, in Node. engine/views/lens/reduction_file.py says what the file holds, and
// engine/views/lens/lens.py what a lens is; lens_kernel.wat does the inner loops where a browser has SIMD.
"use strict";

{
  const MAGIC = "EMBLENS1";
  const COLUMNS = 28;
  const INVALID = -128;
  const LANES = 16;
  const PAGE_BYTES = 65536;
  // Weights, gains and shifts lie in the first page: 224 rows of 64 weights of 16 bits, and twice 256 numbers.
  const GAIN_AT = 224 * 64 * 2;
  const SHIFT_AT = GAIN_AT + 1024;
  const MOST_WEIGHT = 32767;
  const SHARES = ["probability", "uncertainty"];

  /** A number as a byte: rounded, 0 and 255 at the ends. Numbers are rounded to 32 bits as WebAssembly does. */
  function toByte(value) {
    return Math.trunc(Math.min(255, Math.max(0, Math.fround(value + 0.5))));
  }

  /** The exports of lens_kernel.wat in JavaScript, on the same memory. */
  function plainKernel(memory) {
    const bytes = new Int8Array(memory.buffer);
    const weights = new Int16Array(memory.buffer, 0, GAIN_AT / 2);
    const floats = new Float32Array(memory.buffer);
    const out8 = new Uint8Array(memory.buffer);
    const dot = (q, w, k) => {
      let sum = 0;
      for (let i = 0; i < k; i++) {
        sum += bytes[q + i] * weights[w + i];
      }
      return Math.fround(sum);
    };
    const scaled = (q, w, k, row, gain) => Math.fround(dot(q, (w >> 1) + row * k, k) * floats[(gain >> 2) + row]);
    return {
      steps(q, n, k, w, rows, gain, shift, inverse, out, stride) {
        for (let patch = 0; patch < n; patch++) {
          for (let row = 0; row < rows; row++) {
            let y = scaled(q + patch * k, w, k, row, gain);
            if (inverse) {
              y = Math.fround(y * floats[(inverse >> 2) + patch]);
            }
            out8[out + patch * stride + row] = toByte(Math.fround(y + floats[(shift >> 2) + row]));
          }
        }
      },
      classes(q, n, k, w, rows, gain, shift, out) {
        for (let patch = 0; patch < n; patch++) {
          let best = -Infinity;
          let found = 0;
          for (let row = 0; row < rows; row++) {
            const y = Math.fround(scaled(q + patch * k, w, k, row, gain) + floats[(shift >> 2) + row]);
            if (y > best) {
              best = y;
              found = row;
            }
          }
          out8[out + patch] = found;
        }
      },
      lengths(q, n, k, w, rows, gain, shift, scale, begin, out) {
        const [stretch, least] = [Math.fround(scale), Math.fround(begin)];
        for (let patch = 0; patch < n; patch++) {
          let sum = 0;
          for (let row = 0; row < rows; row++) {
            const y = Math.fround(scaled(q + patch * k, w, k, row, gain) + floats[(shift >> 2) + row]);
            sum = Math.fround(sum + Math.fround(y * y));
          }
          const length = Math.fround(Math.fround(Math.sqrt(sum)) * stretch);
          out8[out + patch] = toByte(Math.fround(length + least));
        }
      },
    };
  }

  /** The head, the table of tiles and where the numbers begin. */
  function readHead(buffer) {
    const bytes = new Uint8Array(buffer);
    if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(0, 8)) !== MAGIC) {
      throw new Error("What the server sent is no file of a lens. Load the page again.");
    }
    const length = new DataView(buffer).getUint32(8, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, 12 + length)));
    const at = Math.ceil((12 + length) / LANES) * LANES;
    const table = new Float64Array(buffer.slice(at, at + header.tiles * COLUMNS * 8));
    const begin = at + table.byteLength;
    if (bytes.length !== begin + header.patches * header.stored) {
      throw new Error("The file of the lens came incomplete. Load the page again.");
    }
    return { header, table, numbers: new Int8Array(buffer, begin) };
  }

  /** One over the length of each patch, from its stored numbers; 0 without data. */
  function fillInverse(store) {
    const { q, n, k, inverse } = store;
    const squares = new Float64Array(k);
    store.header.scales.forEach((scale, i) => {
      squares[i] = scale * scale;
    });
    for (let patch = 0, at = 0; patch < n; patch++, at += k) {
      let sum = 0;
      if (q[at] !== INVALID) {
        for (let i = 0; i < k; i++) {
          sum += squares[i] * q[at + i] * q[at + i];
        }
      }
      inverse[patch] = sum > 0 ? 1 / Math.sqrt(sum) : 0;
    }
  }

  /**
   * Take a file into memory.
   *
   * @param {ArrayBuffer} buffer the file.
   * @param {WebAssembly.Module|null} module of lens_kernel.wasm; null: plain JavaScript.
   */
  async function open(buffer, module) {
    const { header, table, numbers } = readHead(buffer);
    return build(header, table, module, (q) => q.set(numbers));
  }

  /** A store in memory, whose numbers `fill` writes. */
  async function build(header, table, module, fill) {
    const [n, k] = [header.patches, header.stored];
    const qAt = PAGE_BYTES;
    const inverseAt = qAt + Math.ceil((n * k) / LANES) * LANES;
    const outAt = inverseAt + Math.ceil((n * 4) / LANES) * LANES;
    const pages = Math.ceil((outAt + n * 4) / PAGE_BYTES);
    const memory = module
      ? new WebAssembly.Memory({ initial: pages })
      : { buffer: new ArrayBuffer(pages * PAGE_BYTES) };
    const kernel = module
      ? (await WebAssembly.instantiate(module, { lens: { memory } })).exports
      : plainKernel(memory);
    const store = {
      header, table, n, k, kernel, qAt, inverseAt, outAt, isPlain: !module,
      q: new Int8Array(memory.buffer, qAt, n * k),
      inverse: new Float32Array(memory.buffer, inverseAt, n),
      out: new Uint8Array(memory.buffer, outAt, n * 4),
      weights: new Int16Array(memory.buffer, 0, GAIN_AT / 2),
      gains: new Float32Array(memory.buffer, GAIN_AT, 256),
      shifts: new Float32Array(memory.buffer, SHIFT_AT, 256),
    };
    fill(store.q);
    fillInverse(store);
    return store;
  }

  /** Write a lens's weights; each row as 16 bits with a factor of its own. */
  function setWeights(store, lens) {
    const { scales } = store.header;
    if (lens.rows.length * store.k * 2 > GAIN_AT || lens.rows.length > 256) {
      throw new Error(`A lens of ${lens.rows.length} rows is larger than a map shows.`);
    }
    store.weights.fill(0);
    lens.rows.forEach((row, number) => {
      const own = row.map((weight, i) => weight * scales[i]);
      const most = own.reduce((largest, weight) => Math.max(largest, Math.abs(weight)), 0);
      own.forEach((weight, i) => {
        store.weights[number * store.k + i] = most > 0 ? Math.round((weight / most) * MOST_WEIGHT) : 0;
      });
      store.gains[number] = most / MOST_WEIGHT;
      store.shifts[number] = lens.bias[number];
    });
  }

  /** One number of the softmax of y: the share of one row, or 1 minus the lead of the largest share. */
  function ofShares(lens, y) {
    const most = Math.max(...y);
    const grown = y.map((one) => Math.exp(one - most));
    const total = grown.reduce((sum, one) => sum + one, 0);
    if (lens.kind === "probability") {
      return grown[lens.shown] / total;
    }
    let second = -Infinity;
    y.forEach((one, row) => {
      second = row !== y.indexOf(most) && one > second ? one : second;
    });
    return 1 - (1 - Math.exp(second - most)) / total;
  }

  /** The palette's steps of a probability or an uncertainty, from 0 to 1. */
  function applyShares(store, lens) {
    const { q, n, k, out } = store;
    const { scales } = store.header;
    const rows = lens.rows.map((row) => Float32Array.from(row, (weight, i) => weight * scales[i]));
    const y = new Array(rows.length);
    for (let patch = 0, at = 0; patch < n; patch++, at += k) {
      for (let r = 0; r < rows.length; r++) {
        const row = rows[r];
        let sum = lens.bias[r];
        for (let i = 0; i < row.length; i++) {
          sum += q[at + i] * row[i];
        }
        y[r] = sum;
      }
      out[patch] = toByte(255 * ofShares(lens, y));
    }
    return { bytes: out, stride: 1 };
  }

  /**
   * What the palette is asked for, of every patch.
   *
   * @returns {{bytes: Uint8Array, stride: number}} three bytes of each four for red, green and blue, else one each.
   */
  function apply(store, lens) {
    const { kernel, n, k, qAt, inverseAt, outAt } = store;
    const rows = lens.rows.length;
    if (SHARES.includes(lens.kind)) {
      return applyShares(store, lens);
    }
    setWeights(store, lens);
    if (lens.kind === "classes") {
      kernel.classes(qAt, n, k, 0, rows, GAIN_AT, SHIFT_AT, outAt);
      return { bytes: store.out, stride: 1 };
    }
    if (lens.kind === "norm") {
      const span = lens.high[0] - lens.low[0];
      const scale = span > 0 ? 255 / span : 0;
      const begin = span > 0 ? -lens.low[0] * scale : 127.5;
      kernel.lengths(qAt, n, k, 0, rows, GAIN_AT, SHIFT_AT, scale, begin, outAt);
      return { bytes: store.out, stride: 1 };
    }
    for (let row = 0; row < rows; row++) {
      const span = lens.high[row] - lens.low[row];
      store.shifts[row] = span > 0 ? ((lens.bias[row] - lens.low[row]) * 255) / span : 127.5;
      store.gains[row] = span > 0 ? (store.gains[row] * 255) / span : 0;
    }
    const stride = lens.kind === "rgb" ? 4 : 1;
    kernel.steps(qAt, n, k, 0, rows, GAIN_AT, SHIFT_AT, lens.unit ? inverseAt : 0, outAt, stride);
    return { bytes: store.out, stride };
  }

  /** The components of a patch in their own unit; null without data. */
  function components(store, patch) {
    const at = patch * store.k;
    if (!(patch >= 0 && patch < store.n) || store.q[at] === INVALID) {
      return null;
    }
    return store.header.scales.map((scale, i) => scale * store.q[at + i]);
  }

  /** The mean of the unit vectors of some patches; null where none has data. */
  function meanUnit(patches, numbersOf) {
    const found = patches.map(numbersOf).filter((one) => one !== null);
    const units = found.map((one) => {
      const length = Math.hypot(...one);
      return one.map((number) => (length > 0 ? number / length : 0));
    });
    return units.length ? units[0].map((_, i) => units.reduce((sum, one) => sum + one[i], 0) / units.length) : null;
  }

  /**
   * Cosine with some patches against others, as `similarity_lens` of engine/views/lens/kinds.py.
   *
   * @param {object} like gives low, high, palette and threshold.
   * @param {function} numbersOf the components of a patch.
   * @returns {object|null} null where there is nothing to be similar to.
   */
  function similarity(store, { positive, negative }, like, numbersOf = (patch) => components(store, patch)) {
    const towards = meanUnit(positive, numbersOf);
    const away = meanUnit(negative, numbersOf);
    if (towards === null) {
      return null;
    }
    const direction = away === null ? towards : towards.map((number, i) => number - away[i]);
    const length = Math.hypot(...direction);
    if (!(length > 0)) {
      return null;
    }
    return { ...like, kind: "ramp", unit: true, bias: [0], rows: [direction.map((number) => number / length)] };
  }

  /** y of one patch, as numbers; null without data. */
  function valueOf(store, lens, patch) {
    const own = components(store, patch);
    if (own === null) {
      return null;
    }
    const length = lens.unit ? Math.hypot(...own) || Infinity : 1;
    const y = lens.rows.map((row, r) => row.reduce((sum, weight, i) => sum + weight * own[i], 0) / length + lens.bias[r]);
    if (SHARES.includes(lens.kind)) {
      return [ofShares(lens, y)];
    }
    return lens.kind === "norm" ? [Math.hypot(...y)] : y;
  }

  globalThis.EmberscopeKernel = { open, build, apply, similarity, valueOf, components, COLUMNS, INVALID };
}

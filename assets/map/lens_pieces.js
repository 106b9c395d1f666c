// The tiles in sight of a large store. What a browser gets whole is an overview, whose patches are means; the patches
// themselves come from the server as the map needs them (engine/views/lens/overview.py).
//
// A patch is known outside of the worker by its row in the store, whichever of the two it was seen in.
"use strict";

{
  const { build, components, COLUMNS, INVALID } = globalThis.EmberscopeKernel;
  const { tileOf, placeOf, copies } = globalThis.EmberscopePicture;
  // Bytes in sight beyond which the overview is drawn: half a million patches of 32.
  const MOST_SEEN_BYTES = 16e6;
  const MOST_KEPT_BYTES = 64e6;
  // A browser asks for so much at once, so that its picture grows sharp step by step.
  const BATCH_BYTES = 3e6;
  const MOST_RUNS = 200;
  // Pixels of the picture that a patch of the overview fills before single patches would show more.
  const LEAST_PX = 2;

  /** @returns {Float64Array} the store's first row of each tile, and the number of rows at the end. */
  function firstRows(header) {
    const found = new Float64Array(header.shapes.length + 1);
    header.shapes.forEach(([h, w], number) => {
      found[number + 1] = found[number] + h * w;
    });
    return found;
  }

  /** The last place of a rising list whose number is at most a value. */
  function lastUpTo(list, count, value) {
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      [low, high] = list(middle) <= value ? [middle, high] : [low, middle - 1];
    }
    return low;
  }

  /** Where a row of the store lies: its tile, and its row and column there; null where there is none. */
  function whereIs(pieces, row) {
    const { rows, base } = pieces;
    const { shapes } = base.header;
    if (!(row >= 0 && row < rows[shapes.length])) {
      return null;
    }
    const tile = lastUpTo((at) => rows[at], shapes.length, row);
    const [, w] = shapes[tile];
    return { tile, down: Math.floor((row - rows[tile]) / w), across: (row - rows[tile]) % w };
  }

  /** The patch of the overview that holds a row of the store; -1 where there is none. */
  function coarsePatch(pieces, row) {
    const at = whereIs(pieces, row);
    if (at === null) {
      return -1;
    }
    const { step, shapes } = pieces.base.header;
    const across = Math.ceil(shapes[at.tile][1] / step);
    return pieces.base.table[at.tile * COLUMNS] + Math.floor(at.down / step) * across + Math.floor(at.across / step);
  }

  /** The rows of the store below a patch of the overview, those nearest to its middle first. */
  function rowsBelow(pieces, patch) {
    const { table, header } = pieces.base;
    const { step, shapes } = header;
    const tile = lastUpTo((at) => table[at * COLUMNS], shapes.length, patch);
    const [h, w] = shapes[tile];
    const within = patch - table[tile * COLUMNS];
    const across = Math.ceil(w / step);
    const [top, left] = [Math.floor(within / across) * step, (within % across) * step];
    const found = [];
    for (let down = top; down < Math.min(top + step, h); down++) {
      for (let right = left; right < Math.min(left + step, w); right++) {
        const far = (down - top - (step - 1) / 2) ** 2 + (right - left - (step - 1) / 2) ** 2;
        found.push({ row: pieces.rows[tile] + down * w + right, tile, far });
      }
    }
    return found.sort((one, other) => one.far - other.far);
  }

  /** The row of the store in the middle of a patch of the overview. */
  function anyRow(pieces, patch) {
    return rowsBelow(pieces, patch)[0].row;
  }

  /** The four corners of a row of the store, from the north-west clockwise; null where there is none. */
  function cornersOfRow(pieces, row) {
    const at = whereIs(pieces, row);
    if (at === null) {
      return null;
    }
    const { step } = pieces.base.header;
    const tile = tileOf(pieces.base, at.tile);
    return [[0, 0], [1, 0], [1, 1], [0, 1]].map(
      ([dx, dy]) => placeOf(pieces.base, tile, (at.across + dx) / step, (at.down + dy) / step),
    );
  }

  /** The tiles that a view wants patch by patch, the middle first; none where the overview shows as much. */
  function wanted(pieces, view) {
    const { base } = pieces;
    const { stored, shapes } = base.header;
    const [east, south] = [view.west + view.width * view.step, view.north - view.height * view.step];
    const [x, y] = [(view.west + east) / 2, (view.north + south) / 2];
    const found = [];
    let bytes = 0;
    for (let number = 0; number < shapes.length; number++) {
      const tile = tileOf(base, number);
      const isMeant = view.date === null || view.date === undefined || tile.date === view.date;
      const isLevel = isMeant && tile.w > 0 && tile.south < view.north && tile.north > south;
      const shift = isLevel ? copies(tile, view.west, east).next().value : undefined;
      if (shift !== undefined) {
        if ((tile.east - tile.west) / tile.w < LEAST_PX * view.step) {
          return [];
        }
        bytes += shapes[number][0] * shapes[number][1] * stored;
        if (bytes > MOST_SEEN_BYTES) {
          return [];
        }
        found.push([Math.hypot((tile.west + tile.east) / 2 + shift - x, (tile.north + tile.south) / 2 - y), number]);
      }
    }
    return found.sort(([one], [other]) => one - other).map(([, number]) => number);
  }

  /** As many of some tiles as one answer holds, as runs of numbers. */
  function batch(pieces, tiles) {
    const { stored, shapes } = pieces.base.header;
    const chosen = [];
    let bytes = 0;
    for (const number of tiles) {
      bytes += shapes[number][0] * shapes[number][1] * stored;
      if (chosen.length && (bytes > BATCH_BYTES || chosen.length >= MOST_RUNS)) {
        break;
      }
      chosen.push(number);
    }
    chosen.sort((one, other) => one - other);
    const runs = [];
    chosen.forEach((number) => {
      const last = runs.at(-1);
      if (last && last[0] + last[1] === number) {
        last[1] += 1;
      } else {
        runs.push([number, 1]);
      }
    });
    return { chosen, runs };
  }

  /** Ask the server for some tiles, and keep them. */
  async function fetchSome(pieces, tiles) {
    const { stored, shapes } = pieces.base.header;
    const { chosen, runs } = batch(pieces, tiles);
    const name = runs.map(([first, count]) => `${first}-${count}`).join(",");
    const answer = await pieces.ask(pieces.url.replace(/\.bin$/, `/${name}.bin`));
    if (!answer.ok) {
      throw new Error(`The server does not have the patches in sight (${answer.status}). Load the page again.`);
    }
    const numbers = new Int8Array(await answer.arrayBuffer());
    let begin = 0;
    chosen.forEach((number) => {
      const end = begin + shapes[number][0] * shapes[number][1] * stored;
      pieces.kept.set(number, numbers.slice(begin, end));
      begin = end;
    });
    if (begin !== numbers.length) {
      throw new Error("The patches in sight came incomplete. Load the page again.");
    }
  }

  /** Forget the tiles that were longest out of sight. */
  function forget(pieces, needed) {
    let bytes = [...pieces.kept.values()].reduce((sum, one) => sum + one.length, 0);
    const spared = new Set(needed);
    for (const [number, numbers] of pieces.kept) {
      if (bytes <= MOST_KEPT_BYTES) {
        return;
      }
      if (!spared.has(number)) {
        pieces.kept.delete(number);
        bytes -= numbers.length;
      }
    }
  }

  /** Make the detail of those tiles that are here: a store that is drawn over the overview; null where none is. */
  async function assemble(pieces, tiles) {
    const { base, kept, module } = pieces;
    const { header } = base;
    const here = tiles.filter((number) => kept.has(number)).sort((one, other) => one - other);
    if (here.length === pieces.drawn.size && here.every((number) => pieces.drawn.has(number))) {
      return;
    }
    const numbers = here.map((number) => kept.get(number)); // what is forgotten meanwhile is drawn all the same
    const table = new Float64Array(here.length * COLUMNS);
    const first = new Float64Array(here.length);
    let patches = 0;
    here.forEach((number, at) => {
      const own = base.table.subarray(number * COLUMNS, (number + 1) * COLUMNS);
      table.set(own.map((value, column) => (column < 8 ? value : value * header.step)), at * COLUMNS);
      const [h, w] = header.shapes[number];
      table.set([patches, h, w], at * COLUMNS);
      first[at] = pieces.rows[number];
      patches += h * w;
    });
    const fine = { ...header, step: 1, tiles: here.length, patches };
    const made = here.length === 0 ? null : await build(fine, table, module, (q) => {
      here.forEach((_, at) => q.set(numbers[at], table[at * COLUMNS] * header.stored));
    });
    pieces.detail = made;
    pieces.firsts = first;
    pieces.drawn = new Set(here);
  }

  /** The store's row of a patch of the detail. */
  function rowOfDetail(pieces, patch) {
    const { table, header } = pieces.detail;
    const tile = lastUpTo((at) => table[at * COLUMNS], header.tiles, patch);
    return pieces.firsts[tile] + patch - table[tile * COLUMNS];
  }

  /** Fetch the tiles of some rows unless they are here. */
  async function fetchRows(pieces, rows) {
    const tiles = new Set(rows.map((row) => whereIs(pieces, row)?.tile).filter((tile) => tile !== undefined));
    const missing = [...tiles].filter((tile) => !pieces.kept.has(tile));
    while (missing.length) {
      await fetchSome(pieces, missing);
      missing.splice(0, missing.length, ...missing.filter((tile) => !pieces.kept.has(tile)));
    }
  }

  /** The components of a row whose tile is here; null without data or without the tile. */
  function exact(pieces, row) {
    const at = whereIs(pieces, row);
    const numbers = at === null ? undefined : pieces.kept.get(at.tile);
    if (numbers === undefined) {
      return null;
    }
    const { stored, scales } = pieces.base.header;
    const begin = (row - pieces.rows[at.tile]) * stored;
    return numbers[begin] === INVALID ? null : scales.map((scale, i) => scale * numbers[begin + i]);
  }

  /** One row with data for each of some patches of the overview. */
  async function exactRows(pieces, patches) {
    const below = patches.map((patch) => rowsBelow(pieces, patch));
    await fetchRows(pieces, below.map(([{ row }]) => row));
    return below.map((rows) => rows.find(({ row }) => exact(pieces, row) !== null)?.row ?? -1);
  }

  /** The components of a row: its own where they are known, else those of the overview's patch. */
  function componentsOfRow(pieces, row) {
    return pieces.known.get(row) ?? exact(pieces, row) ?? components(pieces.base, coarsePatch(pieces, row));
  }

  /** Fetch what some rows hold, and remember it beyond the tiles. */
  async function know(pieces, rows) {
    const unknown = rows.filter((row) => !pieces.known.has(row) && whereIs(pieces, row) !== null);
    await fetchRows(pieces, unknown);
    unknown.forEach((row) => {
      const found = exact(pieces, row);
      if (found !== null) {
        pieces.known.set(row, found);
      }
    });
  }

  /** @param {object} base the overview; `url` of its file, the module of the inner loops, and how the server is asked. */
  function of(base, url, module, ask = (address) => fetch(address)) {
    return { base, url, module, ask, rows: firstRows(base.header), kept: new Map(), known: new Map(), detail: null, drawn: new Set() };
  }

  globalThis.EmberscopePieces = {
    of, wanted, fetchSome, forget, assemble, rowOfDetail, exactRows, componentsOfRow, cornersOfRow, know, coarsePatch, anyRow,
  };
}

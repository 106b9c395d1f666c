"""A large store in two files for a browser: an overview of means, and all patches, of which it gets the tiles in sight.

The second file is `pieces_path` of the first. Both are files of a reduction, with the same tiles, components and scales.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.errors import StoreError
from engine.views.lens.reduction_file import (
    INVALID,
    Header,
    read_header,
    read_numbers,
    read_table,
    write_file,
)

# Bytes that a browser gets whole: a million patches of 32, which it redraws in 16 ms.
MOST_BYTES = 32_000_000
# Bytes of one answer with tiles; a browser asks for less at once, so that its picture grows sharp step by step.
MOST_ANSWER_BYTES = 16_000_000
# In the facts of an overview: there are pieces.
HAS_PIECES = "pieces"


def pieces_path(path: Path) -> Path:
    """Where all patches of a store lie whose overview is at `path`."""
    return path.with_name(f"{path.stem}-pieces{path.suffix}")


Thin = Callable[[np.ndarray, int], np.ndarray]
"""From the numbers of a tile (h, w, stored) to those of its blocks of so many patches a side (n, stored), int8."""


def step_for(shapes: Iterable[tuple[int, int]], stored: int, most_bytes: int) -> int:
    """Patches along a side whose mean is one of the overview; 1 where a browser gets all of them.

    Args:
        shapes: (h, w) of each tile.
        stored: bytes of a patch.
    """
    step, sides = 1, list(shapes)
    while stored * sum(-(-h // step) * -(-w // step) for h, w in sides) > most_bytes:
        step += 1
        if step > max(max(side) for side in sides):
            break
    return step


def kept_header(path: Path, identity: str) -> Header | None:
    """The head of a file that is still true; None also where its pieces have gone."""
    header = read_header(path)
    if header is None or header.identity != identity:
        return None
    if header.step > 1:
        every = read_header(pieces_path(path))
        if every is None or every.identity != identity:
            return None
    return header


def means(stored: np.ndarray, step: int) -> np.ndarray:
    """Means over the patches with data of each block; marked where none has."""
    blocks, has_data = blocks_of(stored, step)
    total = np.where(has_data[..., None], blocks, np.float32(0)).sum(axis=1)
    count = has_data.sum(axis=1)
    found = np.rint(total / np.maximum(count, 1)[:, None]).astype(np.int8)
    found[count == 0, 0] = INVALID
    return found


def blocks_of(stored: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, step * step, stored) int8 of each block of a tile, and which of its patches have data; none beyond the tile."""
    h, w = (-(-side // step) * step for side in stored.shape[:2])
    room = np.full((h, w, stored.shape[-1]), INVALID, np.int8)
    room[: stored.shape[0], : stored.shape[1]] = stored
    blocks = (
        room.reshape(h // step, step, w // step, step, -1)
        .swapaxes(1, 2)
        .reshape(-1, step**2, stored.shape[-1])
    )
    return blocks, blocks[..., 0] != INVALID


def write_overview(path: Path, step: int, thin: Thin = means) -> Header:
    """Write the overview of the pieces that lie beside it: one of `step` x `step` patches of each tile.

    Raises:
        StoreError: there are no pieces.
        DiskFull: no room.
    """
    full = pieces_path(path)
    every = read_header(full)
    if every is None:
        raise StoreError(f"{full} is no file of a lens. Open the store again.")
    header = replace(every, step=step, facts={**every.facts, HAS_PIECES: True})
    table = read_table(full, every)
    firsts = np.cumsum([0, *(-(-h // step) * -(-w // step) for h, w in every.shapes)])[:-1]
    table[:, 0] = firsts
    table[:, 1:3] = -(-table[:, 1:3] // step)  # those of a tile that is left out are 0
    table[:, 8:] /= step
    return write_file(path, header, table, _thinned(read_numbers(full, every), every, step, thin))


def read_pieces(path: Path, runs: Sequence[tuple[int, int]]) -> bytes:
    """The numbers of some tiles, tile after tile.

    Args:
        path: of the overview.
        runs: first tile and number of tiles.

    Raises:
        StoreError: a store without pieces, tiles that it does not have, or more than one answer holds.
    """
    full = pieces_path(path)
    header = read_header(full)
    if header is None:
        raise StoreError(f"{path} has no pieces. Load the page again.")
    ends = np.cumsum([0, *(h * w for h, w in header.shapes)])
    if any(first < 0 or count < 1 or first + count >= len(ends) for first, count in runs):
        raise StoreError(f"{path} has {len(ends) - 1:,} tiles. Ask for tiles among them.")
    ranges = [(int(ends[first]), int(ends[first + count])) for first, count in runs]
    if sum(end - begin for begin, end in ranges) * header.stored > MOST_ANSWER_BYTES:
        raise StoreError(f"The tiles have more than {MOST_ANSWER_BYTES:,} bytes. Ask for fewer at once.")
    numbers = read_numbers(full, header)
    return b"".join(numbers[begin:end].tobytes() for begin, end in ranges)


def _thinned(numbers: np.ndarray, header: Header, step: int, thin: Thin) -> Iterator[np.ndarray]:
    """Tile by tile, (n, stored) int8."""
    first = 0
    for h, w in header.shapes:
        yield thin(numbers[first : first + h * w].reshape(h, w, -1), step)
        first += h * w

"""A large store in two files for a browser: an overview of means, and all patches, of which it gets the tiles in sight.

The second file is `pieces_path` of the first. Both are files of a reduction, with the same tiles, components and scales.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

# Bytes of one answer with tiles; a browser asks for less at once, so that its picture grows sharp step by step.
MOST_ANSWER_BYTES = 16_000_000
# In the facts of an overview: there are pieces.
HAS_PIECES = "pieces"


def pieces_path(path: Path) -> Path:
    """Where all patches of a store lie whose overview is at `path`."""
    return path.with_name(f"{path.stem}-pieces{path.suffix}")


def write_overview(path: Path, step: int) -> Header:
    """Write the overview of the pieces that lie beside it: means over `step` x `step` patches with data of each tile.

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
    return write_file(path, header, table, _means(read_numbers(full, every), every, step))


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


def _means(numbers: np.ndarray, header: Header, step: int) -> Iterator[np.ndarray]:
    """Tile by tile, (n, stored) int8."""
    first = 0
    for h, w in header.shapes:
        stored = numbers[first : first + h * w].reshape(h, w, -1)
        first += h * w
        yield _mean(stored, step)


def _mean(stored: np.ndarray, step: int) -> np.ndarray:
    """(n, stored) int8 means of an (h, w, stored) tile; marked where no patch has data."""
    h, w = (-(-side // step) * step for side in stored.shape[:2])
    room = np.zeros((h, w, stored.shape[-1]), np.float32)
    counts = np.zeros((h, w), np.float32)
    has_data = stored[..., 0] != INVALID
    here = np.s_[: stored.shape[0], : stored.shape[1]]
    counts[here] = has_data
    room[here] = np.where(has_data[..., None], stored, 0)
    total = room.reshape(h // step, step, w // step, step, -1).sum(axis=(1, 3))
    count = counts.reshape(h // step, step, w // step, step).sum(axis=(1, 3))
    means = np.rint(total / np.maximum(count, 1)[..., None]).astype(np.int8)
    means[count == 0, 0] = INVALID
    return means.reshape(-1, stored.shape[-1])

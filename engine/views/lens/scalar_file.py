"""One number for each patch as a file of a lens: what is no linear map of one store's embeddings, such as a change.

A number is two components, a coarse one of 127 steps and a fine one that divides such a step by 127; the lens that adds
them up has the row (1, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.store.schema import StoredTile
from engine.views.lens.lens import Lens, ramp
from engine.views.lens.overview import (
    MOST_BYTES,
    blocks_of,
    kept_header,
    pieces_path,
    step_for,
    write_overview,
)
from engine.views.lens.placement import place
from engine.views.lens.reduction_file import INVALID, Header, tile_table, write_file

_STEPS = 127
_LANES = 16

Pieces = Callable[[], Iterable[tuple[StoredTile, np.ndarray]]]
"""Tile by tile, numbers of 0 or more (h, w), NaN without data."""


def scalar_file(
    path: Path,
    identity: str,
    highest: float,
    pieces: Pieces,
    facts: Mapping[str, Any] | None = None,
    *,
    is_class: bool = False,
    most_bytes: int = MOST_BYTES,
) -> Header:
    """Write the numbers unless the file is there already; of a large store as an overview and its pieces (`overview.py`).

    Args:
        identity: of all that the numbers depend on.
        highest: number that larger ones are cut to.
        facts: that the head of the file keeps.
        is_class: numbers name classes and have no mean: a block of the overview has its first one.
        most_bytes: that a browser gets whole.

    Raises:
        DiskFull: no room.
    """
    kept = kept_header(path, identity)
    if kept is not None:
        return kept
    coarse = max(highest, 1e-30) / _STEPS
    tiles: list[StoredTile] = []
    stored: list[np.ndarray] = []
    for tile, numbers in pieces():
        tiles.append(tile)
        stored.append(_stored(numbers, coarse))
    header = Header(
        identity=identity, components=2, step=1, shapes=tuple((tile.h, tile.w) for tile in tiles),
        scales=(coarse, coarse / _STEPS), deviations=(1.0, 1.0), share=1.0, dates=("",),
        facts=dict(facts or {}),
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    step = step_for(header.shapes, _LANES, most_bytes)
    whole = path if step == 1 else pieces_path(path)
    write_file(whole, header, tile_table(place(tiles), header, np.zeros(len(tiles))), stored)
    return header if step == 1 else write_overview(path, step, _firsts if is_class else _means)


def scalar_lens(name: str, low: float, high: float, threshold: float | None = None) -> Lens:
    """The numbers of such a file on a ramp."""
    zero = np.zeros(1)
    return Lens(
        "ramp", np.ones((1, 2)), np.zeros(2), zero, np.array([low]), np.array([high]), ramp(), threshold=threshold,
        names=(name,),
    )  # fmt: skip


def _stored(numbers: np.ndarray, coarse: float) -> np.ndarray:
    """(n, 16) int8."""
    flat = numbers.reshape(-1)
    has_data = np.isfinite(flat)
    return _split(np.clip(np.where(has_data, flat, 0) / coarse, 0, _STEPS), has_data)


def _split(steps: np.ndarray, has_data: np.ndarray) -> np.ndarray:
    """(n, 16) int8 of numbers counted in coarse steps."""
    whole = np.minimum(np.floor(steps), _STEPS)
    made = np.zeros((len(steps), _LANES), np.int8)
    made[:, 0] = np.where(has_data, whole, INVALID)
    made[:, 1] = np.where(has_data, np.rint((steps - whole) * _STEPS), 0)
    return made


def _means(stored: np.ndarray, step: int) -> np.ndarray:
    """(n, 16) int8 of the mean number of each block."""
    blocks, has_data = blocks_of(stored, step)
    steps = blocks[..., 0] + blocks[..., 1].astype(np.float64) / _STEPS
    count = has_data.sum(axis=1)
    mean = np.where(has_data, steps, 0).sum(axis=1) / np.maximum(count, 1)
    return _split(mean, count > 0)


def _firsts(stored: np.ndarray, step: int) -> np.ndarray:
    """(n, 16) int8 of the first patch with data of each block."""
    blocks, has_data = blocks_of(stored, step)
    return blocks[np.arange(len(blocks)), has_data.argmax(axis=1)]

"""A Zarr group of embeddings on a grid, read chunk by chunk: TESSERA's zones, and any in the geoemb convention.

Such a group holds `embeddings` by time, dimension, row and column, and `scales` where they are stored in 8 bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import StoreError
from engine.imagery.cubes.chunk_reader import ChunkReader
from engine.imagery.cubes.cube import DAMAGE
from engine.imagery.cubes.zarr_store import open_arrays
from engine.imagery.raster.rasters import in_short
from engine.store.products.known import is_alphaearth
from engine.store.products.nearest_pixel import on_metric_grid
from engine.store.products.pixel_grid import Box, PixelGrid
from engine.store.products.zarr.group import EMBEDDINGS, Layout, ZarrGroup, layout_of, one_group
from engine.store.products.zarr.group_attributes import above_of, source_of, stated
from engine.store.products.zarr.group_times import moments_of
from engine.store.products.zarr.placing import grid_of
from engine.store.products.zarr.scaling import Scaling, decoded, gaps_in_words, gaps_of, scaling_of

_TIME = "time"


@contextmanager
def opened(path: Path, year: int | None = None) -> Iterator[PixelGrid]:
    """The embeddings of a group: of each date that it states, or of a year.

    Raises:
        StoreError: several groups, no scales, a year that is not there, or a form that is not known.
        SceneError: links or codecs that are not followed, or a chunk that cannot be unpacked.
    """
    group = one_group(path)
    try:
        told, arrays = open_arrays(group)
    except DAMAGE as err:
        raise StoreError(f"{group.name} cannot be read as Zarr ({in_short(err)}). Copy it again.") from err
    found = pixels_of(group.name, told, arrays, ChunkReader(group.name, arrays).read, above_of(group), year)
    if year is not None and [int(moment[:4]) for _, moment in found.dates] != [year]:
        raise StoreError(
            f"{group.name} has no date of {year} alone. {' '.join(found.notes)} Choose another year."
        )
    yield found


def pixels_of(
    name: str,
    told: dict[str, Any],
    arrays: dict[str, Any],
    read: Any,
    above: dict[str, Any],
    year: int | None = None,
) -> PixelGrid:
    """The embeddings of a group, however its chunks are read.

    Args:
        name: of the group, for messages.
        told, above: attributes of the group, and of the store that it lies in.
        read: numbers of a part of an array, as `ZarrGroup.read`.
        year: which of its dates; None: all that it states. The newest where it states none, or not this one.

    Raises:
        StoreError: no scales, or a form that is not known.
        SceneError: a chunk that cannot be unpacked, or a place that is none on Earth.
    """
    group = ZarrGroup(name, told, above, arrays, read)
    try:
        layout = layout_of(group)
        grid = grid_of(group, layout)
        # A decoding that such groups state linearly contradicts the length of 1: it is told by the numbers themselves.
        is_whole = np.issubdtype(group.embeddings.dtype, np.integer)
        is_raw = is_alphaearth(source_of(told, above).lower()) and is_whole
        scaling = Scaling() if is_raw else scaling_of(group, layout)
        moments = moments_of(arrays.get(_TIME), read, name)
    except DAMAGE as err:
        raise StoreError(f"{name} cannot be read as Zarr ({in_short(err)}). Copy it again.") from err
    dates = 1 if layout.time is None else group.embeddings.shape[layout.time]
    numbered = list(enumerate(moments)) if len(moments) == dates else []
    of_year = [one for one in numbered if year is not None and one[1][:4] == str(year)]
    taken = of_year if of_year else numbered if year is None else numbered[-1:]
    date, dim, gaps = (
        taken[-1][0] if taken else dates - 1,
        group.embeddings.shape[layout.dim],
        gaps_of(group, scaling),
    )

    def read_date(box: Box, number: int) -> tuple[np.ndarray, np.ndarray]:
        return _read(group, layout, box, number, scaling, gaps)

    pixels = PixelGrid(
        grid, dim, lambda box: read_date(box, date), (), (1.0,) * dim, (0.0,) * dim, gaps_in_words(scaling, gaps), bool(is_whole),
        tuple(_notes(group, numbered, taken, dates)), _tags(group, dict(numbered).get(date)), scaling.words, tuple(taken), read_date,
    )  # fmt: skip
    return on_metric_grid(pixels, name)


def _read(
    group: ZarrGroup, layout: Layout, box: Box, date: int, scaling: Scaling, gaps: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, D) numbers of a box of the stored grid, decoded where there are scales, and (h, w) bool: where there are embeddings."""
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    part: list[int | slice] = [slice(0, side) for side in group.embeddings.shape]
    part[layout.row], part[layout.column] = rows, columns
    if layout.time is not None:
        part[layout.time] = date
    values = group.read(EMBEDDINGS, tuple(part))
    left = [axis for axis in range(len(part)) if axis != layout.time]  # a date takes its axis away
    values = np.transpose(values, [left.index(axis) for axis in (layout.row, layout.column, layout.dim)])
    found = np.ascontiguousarray(decoded(group, scaling, values, rows, columns, date))
    is_valid = np.isfinite(found).all(axis=-1) & (found != 0).any(axis=-1)
    for gap in gaps:
        is_valid &= (values != gap).any(axis=-1)
    return found, is_valid


def _tags(group: ZarrGroup, moment: str | None) -> dict[str, str]:
    told = {} if moment is None else {"datetime": moment}
    source = source_of(group.told, group.above)
    model = (
        "alphaearth_v1"
        if is_alphaearth(source.lower())
        else str(stated("model", group.told, group.above) or "")
    )
    return {**told, **({"model": model} if model else {})}


def _notes(
    group: ZarrGroup, numbered: list[tuple[int, str]], taken: list[tuple[int, str]], dates: int
) -> Iterator[str]:
    days = ", ".join(moment[:4] if moment[4:10] == "-01-01" else moment[:10] for _, moment in numbered)
    if len(taken) > 1:
        yield f"The group holds {days}: each is a date of the store. --year takes one."
    elif dates > 1:
        yield f"The group holds {days or f'{dates} dates that it does not state'}; {'one' if days else 'the last'} is read."
    shorter = [name for name in sorted(group.arrays) if name.startswith(f"{EMBEDDINGS}_d")]
    if shorter:
        yield f"It also holds {', '.join(shorter)}, the leading numbers of the same embeddings, which are not read."
    chips = stated("chip_layout", group.told, group.above)
    if isinstance(chips, dict) and stated("type", group.told, group.above) == "chip":
        yield f"Each embedding is of a chip of {chips.get('chip_size', 'an unstated size of')} pixels, one every {chips.get('stride', '?')}."

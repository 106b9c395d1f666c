"""The parts of a set of rasters, read window by window from where they lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine

from engine.store.parts import StorePart
from engine.store.products.pixel_grid import Box
from engine.store.products.raster_rows import KeptOpen, OpenedRaster, Readable, windows_told
from engine.store.products.raster_sets.uncovered import Laid, Uncovered, may_meet
from engine.store.products.raster_tiles import RasterDate, dates_of
from engine.store.schema import StoreMeta, TileRows


def set_parts(path: Path, meta: StoreMeta, told: Mapping[str, Any]) -> tuple[StorePart, ...]:
    """A part a window of a raster, raster after raster.

    Args:
        told: as `raster_set` leaves it in `Taken.in_place`; paths are those below the folder.
    """
    return parts_of(path, meta.dims[0], told["members"])


def parts_of(path: Path, dim: int, members: Sequence[Mapping[str, Any]]) -> tuple[StorePart, ...]:
    """The same by the members."""
    kept, before = KeptOpen(), list[tuple[str | None, Laid]]()
    parts: list[StorePart] = []
    for told in members:
        raster = OpenedRaster(path / told["path"], told["decoding"], kept)
        for date in dates_of(told["dates"], told["moment"]):
            laid = Laid(raster, told["crs"], Affine(*told["transform"]), Box(*told["box"]), date.number)
            parts += windows_told(_without_earlier(laid, date, before), path / told["path"], dim, told, date)
            before.append((date.moment, laid))
    return tuple(parts)


def tiles_of_parts(parts: Sequence[StorePart], column: str, dim: int) -> Iterator[TileRows]:
    """The tiles with embeddings; tiles of gaps alone are left out."""
    for part in parts:
        assert part.foreign is not None
        rows = np.empty((part.rows, dim), np.float32)
        part.foreign.fill(column, 0, rows)
        valid, first = part.foreign.valid_fraction(), 0
        for tile in part.tiles:
            own = slice(first, first + tile.rows)
            if valid[own].any():
                yield TileRows(tile, (rows[own].copy(),), valid[own])
            first += tile.rows


def _without_earlier(laid: Laid, date: RasterDate, before: Sequence[tuple[str | None, Laid]]) -> Readable:
    earlier = [other for moment, other in before if moment == date.moment and may_meet(laid, other)]
    return Uncovered(laid, earlier) if earlier else laid.raster

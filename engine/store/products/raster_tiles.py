"""A raster of embeddings cut into the tiles of a store, one row a pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.imagery.raster.dates import tagged_time
from engine.imagery.region import Region
from engine.imagery.scene import scene_id
from engine.store.products.own_exports.tags import own_of_tags
from engine.store.products.pixel_grid import Box
from engine.store.products.raster import FORMS, RasterEmbeddings, understood_raster
from engine.store.products.taken import Taken
from engine.store.schema import StoredTile, TileRows

RASTER_ENDINGS = tuple(FORMS)
# Splits for training keep tiles whole: 640 m with pixels of 10 m, so that a small region still has enough of them.
TILE_PX = 64
# Tiles are read together up to this side, and up to so many decoded bytes: a block of the file is unpacked once for them.
_MOST_WINDOW_PX, _MOST_WINDOW_BYTES = 512, 128_000_000


@contextmanager
def taken_raster(
    path: Path, region: Region | None, year: int | None = None, model: str | None = None
) -> Iterator[Taken]:
    """The embeddings of a raster, of a Zarr group with several dates those of each.

    Args:
        year: which of the dates; None: all.
        model: as a person states it; it decides where the file tells none.

    Raises:
        SceneError, RegionError, StoreError: as `understood_raster`.
    """
    with understood_raster(path, region, year, model) as found:
        windows = list(windows_of(found.box, found.pixels.dim))
        dates = dates_of(found.pixels.dates, moment_in(found))
        in_place = {"kind": "raster", **told_of(found, scene_id(path.stem), moment_in(found))}
        yield Taken(
            found.understood, "patch", 1,
            lambda: chain.from_iterable(rows_of(found, scene_id(path.stem), one.moment, one) for one in dates),
            most_tiles=sum(len(list(tiles_in(window))) for window in windows) * len(dates), in_place=in_place,
            own=own_of_tags(found.pixels.tags),
        )  # fmt: skip


def told_of(found: RasterEmbeddings, name: str, moment: str | None) -> dict[str, Any]:
    """What a reader must know to read the same rows of a raster again.

    Args:
        name: of the raster; ids of its tiles begin with it.
        moment: of one that holds one date.
    """
    box, grid = found.box, found.pixels.grid
    return {
        "box": [box.top, box.left, box.bottom, box.right], "dim": found.pixels.dim, "decoding": found.decoding.words,
        "crs": str(grid.crs), "transform": list(grid.transform[:6]), "shape": list(grid.shape), "name": name, "moment": moment,
        "dates": [list(one) for one in found.pixels.dates],
    }  # fmt: skip


def windows_of(box: Box, dim: int) -> Iterator[Box]:
    """Windows of a box that are read at once, each of whole tiles: rows from the north, in each from the west."""
    along = min(_MOST_WINDOW_PX, int((_MOST_WINDOW_BYTES / (4 * dim)) ** 0.5)) // TILE_PX
    yield from _lattice(box, max(1, along) * TILE_PX)


def tiles_in(window: Box) -> Iterator[Box]:
    """Tiles of a window on a lattice that begins at the raster's north-west corner: the same ground has the same tile."""
    yield from _lattice(window, TILE_PX)


def stored_tile(grid: GeoBox, box: Box, name: str, moment: str | None, in_id: str = "") -> StoredTile:
    """A tile of a raster as a store has it.

    Args:
        name: of the raster; ids of its tiles begin with it.
        in_id: what tells the tiles of a date from those of others.
    """
    h, w = box.bottom - box.top, box.right - box.left
    transform = grid.transform @ Affine.translation(box.left, box.top)
    return StoredTile(
        id=f"{name}_{box.top // TILE_PX}_{box.left // TILE_PX}{in_id}", crs=str(grid.crs),
        transform=tuple(float(one) for one in transform[:6]), h=h, w=w, height_px=h, width_px=w,
        datetimes=(moment,), scene_ids=(name,), split=None,
    )  # fmt: skip


def cut(window: Box, tile: Box, values: np.ndarray) -> np.ndarray:
    """The rows and columns of a tile out of those of the window that it lies in."""
    top, left = tile.top - window.top, tile.left - window.left
    return values[top : top + tile.bottom - tile.top, left : left + tile.right - tile.left]


def moment_in(found: RasterEmbeddings) -> str | None:
    """When the embeddings are dated: as the file states it, else by the year in its name."""
    stated, _ = tagged_time(found.pixels.tags)
    return moment_of(found.understood.year) if stated is None else stated.isoformat()


def moment_of(year: int | None) -> str | None:
    """When embeddings of a year are dated."""
    return None if year is None else f"{year}-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class RasterDate:
    """One of the dates that a raster holds.

    Attributes:
        number: in the file; None where it has one date.
        in_id: what tells its tiles from those of other dates; empty where one is taken.
    """

    number: int | None
    moment: str | None
    in_id: str = ""


def dates_of(dates: Sequence[Sequence[Any]], moment: str | None) -> tuple[RasterDate, ...]:
    """The dates that are taken.

    Args:
        dates: number and moment of each, where a file states several.
        moment: of a file that holds one.
    """
    if not dates:
        return (RasterDate(None, moment),)
    return tuple(
        RasterDate(int(number), str(own), f"_t{number}" if len(dates) > 1 else "") for number, own in dates
    )


def rows_of(
    found: RasterEmbeddings, name: str, moment: str | None, date: RasterDate | None = None
) -> Iterator[TileRows]:
    """The tiles with embeddings, window by window; tiles of gaps alone are left out.

    Args:
        name: of the raster; ids of its tiles begin with it.
        date: where the raster has several.
    """
    for window in windows_of(found.box, found.pixels.dim):
        every, valid = found.read(window, None if date is None else date.number)
        for box in tiles_in(window):
            values, is_valid = cut(window, box, every), cut(window, box, valid)
            if is_valid.any():
                tile = stored_tile(found.pixels.grid, box, name, moment, "" if date is None else date.in_id)
                rows = values.reshape(tile.rows, -1)
                yield TileRows(tile, (rows,), is_valid.reshape(-1).astype(np.float32))


def _lattice(box: Box, side: int) -> Iterator[Box]:
    """The squares of a lattice from the raster's corner, as far as they lie in a box."""
    for top in range(box.top // side * side, box.bottom, side):
        for left in range(box.left // side * side, box.right, side):
            yield Box(
                max(top, box.top), max(left, box.left), min(top + side, box.bottom), min(left + side, box.right)
            )  # fmt: skip

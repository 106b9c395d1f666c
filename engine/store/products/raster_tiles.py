"""A raster of embeddings cut into the tiles of a store, one row a pixel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from affine import Affine

from engine.imagery.region import Region
from engine.imagery.scene import scene_id
from engine.store.products.pixel_grid import Box
from engine.store.products.raster import FORMS, RasterEmbeddings, understood_raster
from engine.store.products.taken import Taken, Tell
from engine.store.schema import StoredTile, TileRows

RASTER_ENDINGS = tuple(FORMS)
# Splits for training keep tiles whole: 640 m with pixels of 10 m, so that a small region still has enough of them.
_TILE_PX = 64


@contextmanager
def taken_raster(path: Path, region: Region | None) -> Iterator[Taken]:
    """The embeddings of a raster.

    Raises:
        SceneError, RegionError, StoreError: as `understood_raster`.
    """
    with understood_raster(path, region) as found:
        yield Taken(found.understood, "patch", 1, lambda tell: _rows(found, path, tell))


def _rows(found: RasterEmbeddings, path: Path, tell: Tell) -> Iterator[TileRows]:
    """The tiles with embeddings, by rows from the north-west; tiles of gaps alone are left out."""
    year = found.understood.year
    moment = None if year is None else f"{year}-01-01T00:00:00+00:00"
    boxes, name, last = list(_boxes(found.box)), scene_id(path.stem), time.monotonic()
    for number, box in enumerate(boxes):
        if time.monotonic() - last > 1:
            tell(f"{number} of {len(boxes)} tiles")
            last = time.monotonic()
        values, is_valid = found.read(box)
        if not is_valid.any():
            continue
        h, w = is_valid.shape
        transform = found.pixels.grid.transform @ Affine.translation(box.left, box.top)
        tile = StoredTile(
            id=f"{name}_{box.top // _TILE_PX}_{box.left // _TILE_PX}", crs=str(found.pixels.grid.crs),
            transform=tuple(float(one) for one in transform[:6]), h=h, w=w, height_px=h, width_px=w,
            datetimes=(moment,), scene_ids=(name,), split=None,
        )  # fmt: skip
        yield TileRows(tile, (values.reshape(h * w, -1),), is_valid.reshape(-1).astype(np.float32))


def _boxes(box: Box) -> Iterator[Box]:
    """Tiles of a box on a lattice that begins at the raster's north-west corner: the same ground has the same tile."""
    for top in range(box.top // _TILE_PX * _TILE_PX, box.bottom, _TILE_PX):
        for left in range(box.left // _TILE_PX * _TILE_PX, box.right, _TILE_PX):
            yield Box(
                max(top, box.top),
                max(left, box.left),
                min(top + _TILE_PX, box.bottom),
                min(left + _TILE_PX, box.right),
            )

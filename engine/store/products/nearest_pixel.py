"""A raster of embeddings brought to a grid in metres whose rows run from the north: each pixel takes the nearest embedding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from odc.geo.geobox import GeoBox
from pyproj import CRS, Transformer

from engine.imagery.geobox import applied
from engine.imagery.projection import metric_grid_of
from engine.store.products.pixel_grid import Box, PixelGrid, Read


def on_metric_grid(pixels: PixelGrid, where: str) -> PixelGrid:
    """The same raster, its own pixels where they are square metres; else the nearest ones, which is said.

    Args:
        pixels: whose grid is of any CRS, and whose rows may run either way.
        where: its name, for messages.

    Raises:
        SceneError: it has no place on Earth, or too wide a one for any grid in metres.
    """
    own = pixels.grid
    a, b, _, d, e, _ = own.transform[:6]
    placed = metric_grid_of(own, CRS.from_user_input(str(own.crs)), where)
    if not placed.note and a > 0 > e and b == d == 0:
        return pixels
    # South-up rows and the like keep their own pixels: their middles fall on middles.
    told = placed.note.removesuffix(" (bilinear).")
    notes = (f"{told}: each pixel of the grid in metres takes the nearest embedding.",) if told else ()
    read_date = pixels.read_date
    dated = None if read_date is None else (
        lambda box, date: _nearest(lambda one: read_date(one, date), own, placed.grid, box)
    )  # fmt: skip
    return replace(
        pixels, grid=placed.grid, read=lambda box: _nearest(pixels.read, own, placed.grid, box), read_date=dated,
        notes=(*pixels.notes, *notes),
    )  # fmt: skip


def _nearest(read: Read, own: GeoBox, grid: GeoBox, box: Box) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, D) numbers and (h, w) bool at the middles of a grid's pixels."""
    columns, rows = np.meshgrid(np.arange(box.left, box.right) + 0.5, np.arange(box.top, box.bottom) + 0.5)
    x, y = applied(grid.transform, columns, rows)
    if grid.crs != own.crs:
        x, y = Transformer.from_crs(str(grid.crs), str(own.crs), always_xy=True).transform(x, y)
    column, row = (np.floor(one).astype(np.int64) for one in applied(~own.transform, x, y))
    height, width = own.shape
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    at = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
    kept = tuple(one[inside] if inside.any() else one.ravel()[:1] for one in at)
    window = Box(int(kept[0].min()), int(kept[1].min()), int(kept[0].max()) + 1, int(kept[1].max()) + 1)
    values, is_valid = read(window)
    within = tuple(
        np.clip(one - first, 0, size - 1)
        for one, first, size in zip(at, (window.top, window.left), is_valid.shape, strict=True)
    )
    return np.ascontiguousarray(values[within]), is_valid[within] & inside

"""Where a sparse raster holds anything: its blocks, groups of blocks that touch, and the area of their cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import rasterio
from affine import Affine
from pyproj import Geod, Transformer
from rasterio.windows import Window

_ELLIPSOID = Geod(ellps="WGS84")
_SQUARE_METRES_A_HECTARE = 10_000.0
# Corners along a side of a block, so that its outline on the ellipsoid follows the sides on the map.
_POINTS_A_SIDE = 5


def filled_blocks(dataset: rasterio.DatasetReader) -> Iterator[Window]:
    """The blocks of a raster that are in its file, row by row; those left out hold only gaps."""
    for (row, col), window in dataset.block_windows(1):
        if _is_in_file(dataset, row, col):
            yield window


def block_groups(dataset: rasterio.DatasetReader) -> list[Window]:
    """Windows around groups of filled blocks that touch by a side or a corner; what touches never lies in two groups."""
    from scipy.ndimage import find_objects, label

    down, across = dataset.block_shapes[0]
    rows, cols = -(-dataset.height // down), -(-dataset.width // across)
    is_filled = np.zeros((rows, cols), bool)
    for (row, col), _ in dataset.block_windows(1):
        is_filled[row, col] = _is_in_file(dataset, row, col)
    groups, _ = label(is_filled, structure=np.ones((3, 3)))
    whole = Window(0, 0, dataset.width, dataset.height)
    return [
        Window.from_slices(
            (found[0].start * down, found[0].stop * down), (found[1].start * across, found[1].stop * across)
        ).intersection(whole)
        for found in find_objects(groups)
    ]  # fmt: skip


def cell_hectares(dataset: rasterio.DatasetReader, window: Window) -> float:
    """Mean hectares of a cell of a window on the WGS 84 ellipsoid, whatever the map's projection."""
    steps = np.linspace(0, 1, _POINTS_A_SIDE)[:-1]
    zero, one = np.zeros_like(steps), np.ones_like(steps)
    across, down = np.r_[steps, one, 1 - steps, zero], np.r_[zero, steps, one, 1 - steps]
    x, y = transform_of(dataset, window) @ (across * window.width, down * window.height)
    lon, lat = Transformer.from_crs(dataset.crs, "EPSG:4326", always_xy=True).transform(x, y)
    area, _ = _ELLIPSOID.polygon_area_perimeter(lon, lat)
    return abs(area) / _SQUARE_METRES_A_HECTARE / (window.width * window.height)


def transform_of(dataset: rasterio.DatasetReader, window: Window) -> Affine:
    """Cells of a window to the map's CRS (rasterio 1.4 does this with an operator that affine gives up)."""
    return dataset.transform @ Affine.translation(window.col_off, window.row_off)


def trimmed(dataset: rasterio.DatasetReader, window: Window) -> Window:
    """The part of a window in which the first band has values; the window itself where it has none."""
    has_value = dataset.read_masks(1, window=window) > 0
    rows, cols = np.flatnonzero(has_value.any(axis=1)), np.flatnonzero(has_value.any(axis=0))
    if not rows.size:
        return window
    return Window(
        window.col_off + int(cols[0]), window.row_off + int(rows[0]), int(cols[-1] - cols[0]) + 1, int(rows[-1] - rows[0]) + 1
    )  # fmt: skip


def blocks_of(dataset: rasterio.DatasetReader, window: Window) -> Iterator[Window]:
    """The blocks of a raster inside a window that begins at a block's corner."""
    down, across = dataset.block_shapes[0]
    bottom, right = window.row_off + window.height, window.col_off + window.width
    for row in range(window.row_off, bottom, down):
        for col in range(window.col_off, right, across):
            yield Window(col, row, min(across, right - col), min(down, bottom - row))


def _is_in_file(dataset: rasterio.DatasetReader, row: int, col: int) -> bool:
    """GDAL names the place of a block in its file, and none of a block that was left out (GTiff driver, TIFF domain)."""
    return dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=1) is not None

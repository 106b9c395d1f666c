"""A raster of embeddings in degrees that is too wide for any grid in metres, as Copernicus-Embed's: each pixel is a footprint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from rasterio.io import DatasetReader
from rasterio.windows import Window

from engine.errors import BadInput, RegionError
from engine.imagery.raster.rasters import damage_told, open_raster
from engine.imagery.region import Region
from engine.store.products.tables.table import taken_footprints
from engine.store.products.taken import Taken

# Wider than two UTM zones, a raster has no one grid in metres (imagery/projection.py).
_WIDE_DEG = 12.0
_LEAST_BANDS = 8
# Of more pixels without a region, those in the middle are looked at.
_MOST_PIXELS, _LOOKED_PX = 200_000, 60
# 721 x 1440 pixels of a quarter of a degree, one embedding each (torchgeo/copernicus_embed on Hugging Face states no licence).
_COPERNICUS = (721, 1440, 768)


def is_degree_grid(path: Path) -> bool:
    """Whether a file is a GeoTIFF of embeddings in degrees, wider than two UTM zones."""
    if path.suffix.lower() not in (".tif", ".tiff") or not path.is_file():
        return False
    with open_raster(path) as dataset:
        is_wide = abs(dataset.transform.a) * dataset.width > _WIDE_DEG
        return bool(dataset.crs and dataset.crs.is_geographic and is_wide and dataset.count >= _LEAST_BANDS)


@contextmanager
def taken_degrees(path: Path, region: Region | None) -> Iterator[Taken]:
    """The embeddings of the pixels that a region meets; zero in all numbers is a gap.

    Raises:
        RegionError: none meets it.
        BadInput: too many do.
    """
    with open_raster(path) as dataset:
        window, in_all = _window(dataset, region, path), 0
        if region is None and window.width * window.height > _MOST_PIXELS:
            window, in_all = _with_numbers(dataset, path), dataset.width * dataset.height
        if window.width * window.height > _MOST_PIXELS:
            raise BadInput(
                f"{path.name} has {window.width * window.height:,} embeddings there. Choose a smaller part with --region."
            )
        with damage_told(path, "the embeddings"):
            values = np.moveaxis(dataset.read(window=window), 0, -1).astype(np.float32)
        shapes = _outlines(dataset, window)
        size, bounds = (dataset.height, dataset.width, dataset.count), tuple(dataset.bounds)
    values[~np.isfinite(values).all(axis=-1)] = 0
    found, here = values.reshape(-1, values.shape[-1]), np.ones(len(shapes), bool)
    if region is not None:
        here = shapely.intersects(shapes, region.polygon)
    is_known = size == _COPERNICUS
    told = {"model": {"id": "copernicus_fm"}} if is_known else {}
    title = "Copernicus-Embed" if is_known else "embeddings"
    note = (
        f"{path.name} is in degrees and too wide for a grid in metres: each pixel is a footprint of its own."
    )
    numbers = _numbers(window, size[1])
    made = taken_footprints(
        path, shapes[here], found[here], told, f"{title} in a GeoTIFF in degrees", (note,), numbers[here],
        {"kind": "degrees", "width": size[1]}, in_all,
    )  # fmt: skip
    yield replace(made, understood=replace(made.understood, bounds_lonlat=bounds)) if in_all else made


def _numbers(window: Window, width: int) -> np.ndarray:
    """(n,) of the pixels of a window in the raster, row by row."""
    rows = np.arange(window.row_off, window.row_off + window.height)
    columns = np.arange(window.col_off, window.col_off + window.width)
    return np.asarray(rows[:, None] * width + columns).ravel()


def _with_numbers(dataset: DatasetReader, path: Path) -> Window:
    """A square of pixels that are not all gaps, such as oceans: the middle, else one beside it."""
    side = min(_LOOKED_PX, dataset.width, dataset.height)
    tops, lefts = (range(0, max(1, size - side + 1), side) for size in (dataset.height, dataset.width))
    places = [(top, left) for top in tops for left in lefts]
    places.sort(
        key=lambda at: abs(at[0] + side / 2 - dataset.height / 2) + abs(at[1] + side / 2 - dataset.width / 2)
    )
    for top, left in places:
        window = Window(left, top, side, side)
        with damage_told(path, "the embeddings"):
            first = dataset.read(1, window=window)
        if (np.isfinite(first) & (first != 0)).any():
            return window
    top, left = places[0]
    return Window(left, top, side, side)


def _window(dataset: DatasetReader, region: Region | None, path: Path) -> Window:
    """Rows and columns around a region; all where there is none."""
    if region is None:
        return Window(0, 0, dataset.width, dataset.height)
    west, south, east, north = region.polygon.bounds
    columns, rows = zip(
        *(~dataset.transform @ corner for corner in ((west, north), (east, south))), strict=True
    )
    left, right = max(0, int(np.floor(min(columns)))), min(dataset.width, int(np.ceil(max(columns))))
    top, bottom = max(0, int(np.floor(min(rows)))), min(dataset.height, int(np.ceil(max(rows))))
    if left >= right or top >= bottom:
        raise RegionError(
            f"The region and {path.name} do not overlap. Choose a region inside the file's bounds."
        )
    return Window(left, top, right - left, bottom - top)


def _outlines(dataset: DatasetReader, window: Window) -> np.ndarray:
    """(n,) the pixels of a window as polygons in lon/lat, row by row, no farther than the poles."""
    column, row = np.meshgrid(
        np.arange(window.width) + window.col_off, np.arange(window.height) + window.row_off
    )
    a, _, west, _, e, north = dataset.transform[:6]
    lower, upper = sorted((e, 0.0))
    bottom, top = (np.clip(north + row * e + part, -90, 90) for part in (lower, upper))
    return np.asarray(shapely.box(west + column * a, bottom, west + (column + 1) * a, top)).ravel()

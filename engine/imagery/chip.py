"""How a tile's pixels are read: stored values with a mask, never a zero that something averages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from engine.errors import SceneError
from engine.imagery.grid import Tile
from engine.imagery.rasters import OpenRasters, in_short, open_raster
from engine.imagery.scene import Scene

# Transforms that differ by less than this share of a pixel are one grid (float64 metres, rounded by writers).
_SAME_GRID_PX = 1e-3
# Integers that a device turns into reflectance itself; others are turned here.
_KEPT_TYPES = (np.dtype(np.int16), np.dtype(np.uint16), np.dtype(np.uint8))


@dataclass(frozen=True)
class Chip:
    """Pixels of one tile.

    Attributes:
        stored: (T, C, H, W) integers as the files hold them, or float32 reflectance; values where `valid` is
            False mean nothing.
        valid: (T, H, W) bool.
        datetimes: T acquisition times, None where the source does not state one.
        scale, offset: reflectance = stored * scale + offset.
    """

    tile: Tile
    stored: np.ndarray
    valid: np.ndarray
    datetimes: tuple[datetime | None, ...]
    scale: float = 1.0
    offset: float = 0.0

    @property
    def image(self) -> np.ndarray:
        """(T, C, H, W) float32 reflectance, 0 where `valid` is False."""
        image = self.stored * np.float32(self.scale) + np.float32(self.offset)
        return np.where(self.valid[:, None], image, np.float32(0))


@dataclass(frozen=True)
class _Date:
    """One date of a chip: (C, H, W) and (H, W)."""

    stored: np.ndarray
    valid: np.ndarray
    scale: float
    offset: float

    @property
    def way(self) -> tuple[np.dtype[np.generic], float, float]:
        """What must be the same for stored values to be put side by side."""
        return self.stored.dtype, self.scale, self.offset

    def as_reflectance(self) -> _Date:
        """The same in float32 reflectance."""
        stored = self.stored * np.float32(self.scale) + np.float32(self.offset)
        return _Date(stored.astype(np.float32, copy=False), self.valid, 1.0, 0.0)


def read_chip(
    scenes: Sequence[Scene],
    tile: Tile,
    bands: Sequence[str],
    fills: Sequence[Scene] = (),
    rasters: OpenRasters | None = None,
) -> Chip:
    """The pixels of a tile, one date a scene, in the order of the scenes.

    Args:
        fills: scenes from which pixels are taken where the (one) scene has none, the first one first.
        rasters: those that the calling thread keeps open; None: they are opened for this tile.

    Raises:
        SceneError: a file is damaged where the tile lies.
        MissingBand: a scene lacks a band.
    """
    if rasters is None:
        with OpenRasters() as passing:
            return read_chip(scenes, tile, bands, fills, passing)
    dates = [_read_date(scene, tile, bands, rasters) for scene in scenes]
    if fills:
        dates = [_filled(dates[0], fills, tile, bands, rasters)]
    if len({date.way for date in dates}) > 1:
        dates = [date.as_reflectance() for date in dates]
    return Chip(
        tile,
        np.stack([date.stored for date in dates]),  # (T, C, H, W)
        np.stack([date.valid for date in dates]),  # (T, H, W)
        tuple(scene.datetime for scene in scenes),
        dates[0].scale,
        dates[0].offset,
    )


def read_mask(path: Path, tile: Tile) -> np.ndarray:
    """Labels of a tile's pixels, nearest neighbour where the raster lies on another grid.

    Returns:
        (H, W) int8: 1 burnt, 0 not, -1 missing (also outside the raster).

    Raises:
        SceneError: the file cannot be read.
    """
    with open_raster(path) as dataset:
        values, inside = _read_window(dataset, [1], tile, Resampling.nearest, path)
    is_label = np.isin(values[0], (0, 1)) & inside
    labels = np.full(is_label.shape, -1, np.int8)
    labels[is_label] = values[0][is_label]
    return labels


def _filled(
    date: _Date, fills: Sequence[Scene], tile: Tile, bands: Sequence[str], rasters: OpenRasters
) -> _Date:
    """A date with its gaps filled from other scenes, as far as they go."""
    for scene in fills:
        if date.valid.all():
            break
        other = _read_date(scene, tile, bands, rasters)
        if other.way != date.way:
            date, other = date.as_reflectance(), other.as_reflectance()
        takes = other.valid & ~date.valid
        date = _Date(
            np.where(takes, other.stored, date.stored), date.valid | other.valid, date.scale, date.offset
        )
    return date


def _read_date(scene: Scene, tile: Tile, bands: Sequence[str], rasters: OpenRasters) -> _Date:
    scene.require(bands, "reading")
    indexes = [scene.bands[band] for band in bands]
    raw, valid = _read_window(rasters.get(scene.path), indexes, tile, Resampling.bilinear, scene.path)
    if np.issubdtype(raw.dtype, np.floating):
        valid = valid & np.isfinite(raw).all(axis=0)
    if scene.nodata is not None:
        valid = valid & (raw != scene.nodata).all(axis=0)
    date = _Date(raw, valid, scene.scale, scene.offset)
    return date if raw.dtype in _KEPT_TYPES else date.as_reflectance()


def _read_window(
    dataset: DatasetReader, indexes: list[int], tile: Tile, resampling: Resampling, path: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Raw values (C, H, W) of a tile and which of its pixels (H, W) lie inside the raster."""
    try:
        if _on_one_grid(dataset, tile):
            return _read_aligned(dataset, indexes, tile)
        target = {"crs": tile.crs, "transform": tile.transform, "height": tile.height, "width": tile.width}
        if dataset.crs.is_projected:
            # GDAL else finds the size of its kernel from the part of a window that lies on the raster: pixels would
            # depend on the window (GDALWarpOptions, XSCALE).
            target |= {
                "XSCALE": abs(dataset.transform.a) / tile.gsd_m,
                "YSCALE": abs(dataset.transform.e) / tile.gsd_m,
            }
        has_alpha = dataset.nodata is None
        with WarpedVRT(dataset, resampling=resampling, add_alpha=has_alpha, **target) as warped:
            inside = warped.read(warped.count) > 0 if has_alpha else warped.dataset_mask() > 0
            return warped.read(indexes), inside
    except (RasterioIOError, RasterioError) as err:
        raise SceneError(
            f"pixels of tile {tile.id} were wanted, found {path.name} damaged or cut short there ({in_short(err)}). "
            f"Copy or download the file again."
        ) from err


def _read_aligned(dataset: DatasetReader, indexes: list[int], tile: Tile) -> tuple[np.ndarray, np.ndarray]:
    column, row = (round(v) for v in ~dataset.transform @ (tile.transform.c, tile.transform.f))
    left, top = max(column, 0), max(row, 0)
    right, bottom = min(column + tile.width, dataset.width), min(row + tile.height, dataset.height)
    values = np.zeros((len(indexes), tile.height, tile.width), dtype=dataset.dtypes[0])
    inside = np.zeros((tile.height, tile.width), dtype=bool)
    if right <= left or bottom <= top:
        return values, inside
    window = Window(left, top, right - left, bottom - top)
    place = np.s_[top - row : bottom - row, left - column : right - column]
    values[(slice(None), *place)] = dataset.read(indexes, window=window)
    inside[place] = True
    return values, inside


def _on_one_grid(dataset: DatasetReader, tile: Tile) -> bool:
    here, there = dataset.transform, tile.transform
    if dataset.crs != rasterio.crs.CRS.from_user_input(tile.crs) or here.b != 0 or here.d != 0:
        return False
    tolerance = _SAME_GRID_PX * abs(here.a)
    same_size = (
        abs(here.a - there.a) < tolerance / max(dataset.width, 1) * 10 and abs(here.e - there.e) < tolerance
    )
    column, row = ~here @ (there.c, there.f)
    return bool(
        same_size and abs(column - round(column)) < _SAME_GRID_PX and abs(row - round(row)) < _SAME_GRID_PX
    )

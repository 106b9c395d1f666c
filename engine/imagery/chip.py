"""The pixels of a tile: stored values of each date with a mask, never a zero that something averages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path

import numpy as np
from rasterio.io import DatasetReader

from engine.imagery.grid import Tile
from engine.imagery.masks import is_clouded
from engine.imagery.raster.rasters import OpenRasters, damage_told
from engine.imagery.raster.window import read_window
from engine.imagery.remote.fetching import CONNECTIONS
from engine.imagery.remote.remote_file import is_remote
from engine.imagery.scene import Asset, MaskKind, Scene

# Integers that a device turns into reflectance itself; others are turned here.
_KEPT_TYPES = (np.dtype(np.int16), np.dtype(np.uint16), np.dtype(np.uint8))

# Bands that lie on other computers are read side by side: each waits for its answer most of the time. There are more threads
# than connections, so that those that unpack leave no connection idle.
_side_by_side = ThreadPoolExecutor(2 * CONNECTIONS, "bands")

Clouded = Callable[["Chip", Scene], np.ndarray]
"""Clouded pixels (H, W) bool of a chip of one date of a scene."""


@dataclass(frozen=True)
class Chip:
    """Pixels of one tile.

    Attributes:
        stored: (T, C, H, W) integers as the files hold them, or float32 measured values (reflectance, decibels, metres);
            values where `valid` is False mean nothing.
        valid: (T, H, W) bool.
        datetimes: T acquisition times, None where the source does not state one.
        scale, offset: measured value = stored * scale + offset.
    """

    tile: Tile
    stored: np.ndarray
    valid: np.ndarray
    datetimes: tuple[datetime | None, ...]
    scale: float = 1.0
    offset: float = 0.0

    @property
    def image(self) -> np.ndarray:
        """(T, C, H, W) float32 measured values, 0 where `valid` is False."""
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
    def encoding(self) -> tuple[np.dtype[np.generic], float, float]:
        """What must be the same for stored values to be put side by side."""
        return self.stored.dtype, self.scale, self.offset

    def measured(self) -> _Date:
        """The same in float32 measured values."""
        stored = self.stored * np.float32(self.scale) + np.float32(self.offset)
        return _Date(stored.astype(np.float32, copy=False), self.valid, 1.0, 0.0)


def read_chip(
    scenes: Sequence[Scene],
    tile: Tile,
    bands: Sequence[str],
    fills: Sequence[Scene] = (),
    rasters: OpenRasters | None = None,
    clouded: Clouded | None = None,
) -> Chip:
    """The pixels of a tile, one date a scene, in the order of the scenes.

    Args:
        fills: scenes from which pixels are taken where the (one) scene has none, the first one first.
        rasters: those that the calling thread keeps open; None: they are opened for this tile.
        clouded: finds pixels that count as gaps of their scene, before gaps are filled from the next.

    Raises:
        SceneError: a file is damaged where the tile lies.
        MissingBand: a scene lacks a band.
    """
    if rasters is None:
        with OpenRasters() as passing:
            return read_chip(scenes, tile, bands, fills, passing, clouded)
    dates = [_read_date(scene, tile, bands, rasters, clouded) for scene in scenes]
    for scene in fills:
        if dates[0].valid.all():
            break
        dates = [_filled(dates[0], _read_date(scene, tile, bands, rasters, clouded))]
    if len({date.encoding for date in dates}) > 1:
        dates = [date.measured() for date in dates]
    return Chip(
        tile,
        _stacked([date.stored for date in dates]),  # (T, C, H, W)
        _stacked([date.valid for date in dates]),  # (T, H, W)
        tuple(scene.datetime for scene in scenes),
        dates[0].scale,
        dates[0].offset,
    )


def _stacked(parts: list[np.ndarray]) -> np.ndarray:
    """The same with an axis of dates before it; one date is not copied."""
    return parts[0][None] if len(parts) == 1 else np.stack(parts)


def _filled(date: _Date, other: _Date) -> _Date:
    """A date with its gaps filled from another, as far as it goes."""
    if other.encoding != date.encoding:
        date, other = date.measured(), other.measured()
    takes = other.valid & ~date.valid
    return _Date(
        np.where(takes, other.stored, date.stored), date.valid | other.valid, date.scale, date.offset
    )


def _read_date(
    scene: Scene, tile: Tile, bands: Sequence[str], rasters: OpenRasters, clouded: Clouded | None = None
) -> _Date:
    scene.require(bands, "Reading")
    assets = [scene.assets[band] for band in bands]
    mask = _mask_begun(scene, assets, tile, rasters)
    try:
        date = _of_scene(_read_bands(assets, tile, rasters), scene, tile)
    finally:
        wait([mask] if mask else [])  # nothing is read of rasters that the caller may close
    if scene.mask is not None and date.valid.any():
        clear = mask.result() if mask else _is_clear(rasters.get(scene.mask[0].path), *scene.mask, tile)
        date = replace(date, valid=date.valid & clear)
    if clouded is None or not date.valid.any():
        return date
    alone = Chip(tile, date.stored[None], date.valid[None], (scene.datetime,), date.scale, date.offset)
    return _Date(date.stored, date.valid & ~clouded(alone, scene), date.scale, date.offset)


def _mask_begun(
    scene: Scene, assets: Sequence[Asset], tile: Tile, rasters: OpenRasters
) -> Future[np.ndarray] | None:
    """A scene's own mask on another computer, asked for beside its bands; None: it has none, or it lies here."""
    if scene.mask is None or not is_remote(scene.mask[0].path):
        return None
    dataset = rasters.get_all([scene.mask[0].path, *dict.fromkeys(one.path for one in assets)])[0]
    return _side_by_side.submit(_is_clear, dataset, *scene.mask, tile)


def _is_clear(dataset: DatasetReader, asset: Asset, kind: MaskKind, tile: Tile) -> np.ndarray:
    """Pixels (H, W) bool that the product's own mask does not call cloud or shadow."""
    with damage_told(asset.path, f"tile {tile.id}"):
        found, known = read_window(dataset, [asset.index], tile.grid, asset.crs, [()], is_nearest=True)
    return known & ~is_clouded(found[0], kind)


def _of_scene(date: _Date, scene: Scene, tile: Tile) -> _Date:
    """A date without pixels whose middle lies beyond the scene's grid: lines of its files that are no ground."""
    if tile.crs != scene.crs:
        return date
    (west, south, east, north), grid = scene.bounds_m, tile.transform
    x = grid.c + grid.a * (np.arange(tile.width) + 0.5)
    y = grid.f + grid.e * (np.arange(tile.height) + 0.5)
    is_within = [(west < x) & (x < east), (south < y) & (y < north)]
    if is_within[0].all() and is_within[1].all():
        return date
    return replace(date, valid=date.valid & is_within[1][:, None] & is_within[0])


def _read_bands(assets: Sequence[Asset], tile: Tile, rasters: OpenRasters) -> _Date:
    """Bands of one date, each from its own file; a pixel counts where all bands have a value."""
    groups = [list(group) for _, group in groupby(assets, key=_reading)]
    opened = rasters.get_all([group[0].path for group in groups])
    how = [(dataset, group, tile) for dataset, group in zip(opened, groups, strict=True)]
    if len(groups) > 1 and any(is_remote(group[0].path) for group in groups):
        begun = [_side_by_side.submit(_read_group, *one) for one in how]
        wait(begun)  # also where one fails: the others must not read rasters that the caller closes
        parts = [one.result() for one in begun]
    else:
        parts = [_read_group(*one) for one in how]
    if len({part.encoding for part in parts}) > 1 or parts[0].stored.dtype not in _KEPT_TYPES:
        parts = [part.measured() for part in parts]
    if len(parts) == 1:
        return parts[0]
    valid = np.logical_and.reduce([part.valid for part in parts])
    return _Date(np.concatenate([part.stored for part in parts]), valid, parts[0].scale, parts[0].offset)


def _read_group(dataset: DatasetReader, assets: Sequence[Asset], tile: Tile) -> _Date:
    """Bands that are read together."""
    first = assets[0]
    with damage_told(first.path, f"tile {tile.id}"):
        raw, valid = read_window(
            dataset, [asset.index for asset in assets], tile.grid, first.crs, [asset.nodata for asset in assets],
            first.sensor.is_resampled_by_nearest,
        )  # fmt: skip
    return _Date(raw, valid, first.scale, first.offset)


def _reading(asset: Asset) -> tuple[Path, str, bool, float, float]:
    """What bands that are read together share."""
    return asset.path, asset.crs, asset.sensor.is_resampled_by_nearest, asset.scale, asset.offset

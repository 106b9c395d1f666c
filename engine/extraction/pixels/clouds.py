"""Clouds and their shadows become gaps, where a configuration asks for it."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.backbones.cloud_mask import cloud_and_shadow
from engine.imagery.chip import Chip, Clouded, read_chip
from engine.imagery.geobox import applied, from_lonlat, gsd_m, to_lonlat, transform_bounds
from engine.imagery.grid import Tile
from engine.imagery.raster.rasters import OpenRasters
from engine.imagery.scene import Scene
from engine.imagery.sensors.table import HLS_BANDS

# "resampled to approximately 30 m": README of ukis-csmask 1.0.0. Within a fifth of it pixels are taken as they are.
_NETWORK_GSD_M = 30.0
_ABOUT = 0.2
# The network was trained on windows of this side in its own pixels, and sees so much of the ground around a tile at
# least: clouds that lie beside a tile throw shadows and grow into it.
_WINDOW_PX, _RIM_PX = 256, 16
# Clouds grow by this in every direction: the publisher's 4 pixels of 30 m.
_BUFFER_M = 120.0
# Ground that ends within this share of a pixel of its border ends there.
_ON_GRID = 1e-6


def cloud_finder(bands: tuple[str, ...], rasters: OpenRasters | None) -> Clouded:
    """What finds the clouded pixels of a chip of one date.

    Args:
        bands: of the chips; where they lack some that the network needs, those are read from the scene.
        rasters: those that the calling thread keeps open.

    Returns:
        A function that raises SceneError where bands cannot be read, WeightsError where the network is not installed.
    """

    def clouded(chip: Chip, scene: Scene) -> np.ndarray:
        around = _around(chip.tile.grid, scene)
        is_seen = around == chip.tile.grid and set(HLS_BANDS) <= set(bands)
        seen = chip if is_seen else read_chip([scene], Tile("around", around), HLS_BANDS, rasters=rasters)
        names = bands if is_seen else HLS_BANDS
        image, valid = (
            seen.image[0][[names.index(band) for band in HLS_BANDS]],
            seen.valid[0],
        )  # (6, H, W), (H, W)
        grid = _about_30_m(around)
        if grid != around:
            # Not bilinear: smooth pixels look like clouds. Of clear pieces of the sample scene, averaged to 60 m, a
            # third became clouds or shadows by bilinear resampling to 30 m, by nearest neighbour 0.3 % at most.
            image, valid = (sampled(pixels, around, grid) for pixels in (image, valid))
        level: Literal["l1c", "l2a"] = "l1c" if scene.level == "top of atmosphere" else "l2a"
        found = cloud_and_shadow(image, valid, level, round(_BUFFER_M / gsd_m(grid)))
        return sampled(found, grid, chip.tile.grid)

    return clouded


def _around(tile: GeoBox, scene: Scene) -> GeoBox:
    """A tile and the scene's ground around it: the scene's pixels, or pixels of 30 m where its own are finer."""
    factor = max(_NETWORK_GSD_M / scene.gsd_m, 1.0)
    factor = 1.0 if factor * (1 - _ABOUT) <= 1 else factor
    transform = scene.transform @ Affine.scale(factor)
    west, south, east, north = transform_bounds(tile, scene.crs)
    columns, rows = applied(~transform, np.array([west, east]), np.array([north, south]))
    in_network = _NETWORK_GSD_M / (scene.gsd_m * factor)
    left, right = _span(columns[0], columns[1], scene.width / factor, in_network)
    top, bottom = _span(rows[0], rows[1], scene.height / factor, in_network)
    return GeoBox((bottom - top, right - left), transform @ Affine.translation(left, top), scene.crs)


def _span(first: float, last: float, end: float, in_network: float) -> tuple[int, int]:
    """Where what is seen begins and ends along one side, in pixels of what is seen; the scene lies from 0 to `end`.

    Args:
        first, last: of the tile.
        in_network: pixels that are seen in one of the network's.
    """
    first, last, end = math.floor(first + _ON_GRID), math.ceil(last - _ON_GRID), math.ceil(end - _ON_GRID)
    wanted = math.ceil(max(_WINDOW_PX * in_network, last - first + 2 * _RIM_PX * in_network))
    start = max(min(first - (wanted - (last - first)) // 2, end - wanted), 0)
    return start, min(start + wanted, end)


def _about_30_m(grid: GeoBox) -> GeoBox:
    """The same ground in pixels of 30 m, where its own are much coarser."""
    factor = _NETWORK_GSD_M / gsd_m(grid)
    if factor * (1 + _ABOUT) >= 1:
        return grid
    shape = (math.ceil(grid.height / factor - _ON_GRID), math.ceil(grid.width / factor - _ON_GRID))
    return GeoBox(shape, grid.transform @ Affine.scale(factor), grid.crs)


def sampled(pixels: np.ndarray, here: GeoBox, there: GeoBox) -> np.ndarray:
    """Pixels (..., H, W) of one grid at the middles of another's; zero or False where those lie outside."""
    x, y = np.meshgrid(np.arange(there.width) + 0.5, np.arange(there.height) + 0.5)
    x, y = applied(there.transform, x, y)
    if here.crs != there.crs:
        x, y = from_lonlat(str(here.crs)).transform(*to_lonlat(str(there.crs)).transform(x, y))
    columns, rows = (np.floor(at).astype(int) for at in applied(~here.transform, x, y))
    is_inside = (columns >= 0) & (columns < here.width) & (rows >= 0) & (rows < here.height)
    found = pixels[..., np.clip(rows, 0, here.height - 1), np.clip(columns, 0, here.width - 1)]
    return np.where(is_inside, found, pixels.dtype.type(0))

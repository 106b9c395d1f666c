"""Clouds and their shadows become gaps, where a configuration asks for it."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from affine import Affine

from engine.backbones.cloud_mask import cloud_and_shadow
from engine.imagery.chip import Chip, Clouded, read_chip
from engine.imagery.grid import Tile
from engine.imagery.rasters import OpenRasters
from engine.imagery.scene import Scene
from engine.imagery.sensors.table import HLS_BANDS

# "resampled to approximately 30 m": README of ukis-csmask 1.0.0. Within a fifth of it pixels are taken as they are.
_NETWORK_GSD_M = 30.0
_ABOUT = 0.2
# Clouds grow by this in every direction: the publisher's 4 pixels of 30 m.
_BUFFER_M = 120.0


def cloud_finder(bands: tuple[str, ...], rasters: OpenRasters | None) -> Clouded:
    """What finds the clouded pixels of a chip of one date.

    Args:
        bands: of the chips; where they lack some that the network needs, those are read from the scene.
        rasters: those that the calling thread keeps open.

    Returns:
        A function that raises SceneError where bands cannot be read, WeightsError where the network is not installed.
    """

    def clouded(chip: Chip, scene: Scene) -> np.ndarray:
        is_direct = abs(chip.tile.gsd_m / _NETWORK_GSD_M - 1) <= _ABOUT and set(HLS_BANDS) <= set(bands)
        seen = chip if is_direct else read_chip([scene], _at_30_m(chip.tile), HLS_BANDS, rasters=rasters)
        names = bands if is_direct else HLS_BANDS
        image = seen.image[0][[names.index(band) for band in HLS_BANDS]]  # (6, H, W)
        level: Literal["l1c", "l2a"] = "l1c" if scene.level == "top of atmosphere" else "l2a"
        buffer_px = round(_BUFFER_M / seen.tile.gsd_m)
        found = cloud_and_shadow(image, seen.valid[0], level, buffer_px)
        return found if is_direct else _on_tile(found, seen.tile, chip.tile)

    return clouded


def _at_30_m(tile: Tile) -> Tile:
    """The ground of a tile in pixels that the network was trained on (its own where they are about that)."""
    factor = _NETWORK_GSD_M / tile.gsd_m
    if abs(1 / factor - 1) <= _ABOUT:
        return tile
    height, width = math.ceil(tile.height / factor - 1e-6), math.ceil(tile.width / factor - 1e-6)
    return Tile.of(tile.id, tile.crs, tile.transform @ Affine.scale(factor), height, width)


def _on_tile(found: np.ndarray, seen: Tile, tile: Tile) -> np.ndarray:
    """A mask of coarser or finer pixels on a tile's own: the pixel in which each middle lies."""
    factor = tile.gsd_m / seen.gsd_m
    rows = np.minimum(((np.arange(tile.height) + 0.5) * factor).astype(int), found.shape[0] - 1)
    columns = np.minimum(((np.arange(tile.width) + 0.5) * factor).astype(int), found.shape[1] - 1)
    return np.asarray(found[np.ix_(rows, columns)])

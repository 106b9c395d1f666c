"""Outermost pixels that a resampling has averaged with the nothing beyond the scene: a frame darker than the ground.

Encoders see it: in a scene of Sentinel-2 whose bands of 10 m were averaged to 20 m like this, the outermost patches held
2.6 times their share of the first components of EfficientNet-Lite0, and 1.1 times without that line of pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.io import DatasetReader
from rasterio.windows import Window

from engine.errors import RemoteError, SceneError
from engine.imagery.raster.rasters import damage_told, open_raster
from engine.imagery.raster.remote_raster import bring
from engine.imagery.scene import Asset

SIDES = ("northern", "eastern", "southern", "western")
# Pieces of a side that are looked at, and their length: blocks of a large raster, or all of a small one.
_PIECES, _PIECE_PX = 5, 128
# Pixels that must tell it.
_LEAST_PX = 32
# A share of nothing leaves the same share of every pixel: outermost pixels divided by those beside them spread by a few
# percent about it, and those beside them, divided by the next, about 1. The edge of a field or a lake does not.
_DARKEST, _BRIGHTEST, _SPREAD, _AS_BRIGHT = 0.1, 0.85, 0.12, 0.06
# Narrower rasters keep all of their pixels.
_SMALLEST_PX = 16


def without_dark_edges(grid: GeoBox, assets: Mapping[str, Asset]) -> tuple[GeoBox, str]:
    """The grid of a raster without outermost lines that were averaged with nothing, and what is to be said of them.

    Args:
        grid: that the raster is read on; grids that are not its own pixels stay as they are, as do those of damaged
            files, of which the tiles tell.
        assets: of the bands of one file.

    Raises:
        RemoteError: the file lies on another computer and cannot be had.
    """
    reflectance = {name: one for name, one in assets.items() if one.sensor.quantity == "reflectance"}
    paths = {asset.path for asset in reflectance.values()}
    if len(paths) != 1 or min(grid.shape) < _SMALLEST_PX:
        return grid, ""
    path = paths.pop()
    try:
        with open_raster(path) as dataset, damage_told(path, "its outermost pixels"):
            is_own = (dataset.height, dataset.width) == tuple(
                grid.shape
            ) and dataset.transform == grid.transform
            found = _dark_sides(dataset, reflectance) if is_own else {}
    except RemoteError:  # a grid must not depend on whether the network was there
        raise
    except SceneError:
        found = {}
    if not found:
        return grid, ""
    north, east, south, west = (side in found for side in SIDES)
    shape = (grid.shape[0] - north - south, grid.shape[1] - west - east)
    inner = GeoBox(shape, grid.transform @ Affine.translation(west, north), grid.crs)
    bands = list(dict.fromkeys(band for own in found.values() for band in own))
    return inner, _words(path, tuple(found), bands)


def _dark_sides(dataset: DatasetReader, assets: Mapping[str, Asset]) -> dict[str, list[str]]:
    """Side -> the bands that are averaged with nothing there."""
    indices = [asset.index for asset in assets.values()]
    found: dict[str, list[str]] = {}
    bring(dataset, indices, [window for side in SIDES for window in _windows(dataset, side)])
    for side in SIDES:
        lines = np.concatenate(
            [_from_outside(dataset.read(indices, window=window), side) for window in _windows(dataset, side)],
            axis=2,
        )  # (C, 3, n)
        dark = [
            band for (band, asset), own in zip(assets.items(), lines.astype(np.float64), strict=True)
            if _is_dark(own * asset.scale + asset.offset, np.isin(own, asset.nodata))
        ]  # fmt: skip
        if dark:
            found[side] = dark
    return found


def _windows(dataset: DatasetReader, side: str) -> list[Window]:
    """Pieces of the three outermost lines of a side."""
    is_row = side in ("northern", "southern")
    length = dataset.width if is_row else dataset.height
    count = min(_PIECES, -(-length // _PIECE_PX))
    starts = np.linspace(0, max(length - _PIECE_PX, 0), count).astype(int).tolist()
    across = {"northern": 0, "western": 0, "southern": dataset.height - 3, "eastern": dataset.width - 3}[side]
    own = min(_PIECE_PX, length)
    return [Window(start, across, own, 3) if is_row else Window(across, start, 3, own) for start in starts]


def _from_outside(values: np.ndarray, side: str) -> np.ndarray:
    """(C, 3, n) lines of a side, the outermost first."""
    lines = values if side in ("northern", "southern") else values.swapaxes(1, 2)
    return lines if side in ("northern", "western") else lines[:, ::-1]


def _is_dark(lines: np.ndarray, is_gap: np.ndarray) -> bool:
    """Whether the first of (3, n) lines is a constant share of the second, and the second as bright as the third."""
    known = ((lines > 0) & ~is_gap & np.isfinite(lines)).all(axis=0)
    if known.sum() < _LEAST_PX:
        return False
    outer, beside, next_one = lines[:, known]
    share, usual = outer / beside, beside / next_one
    low, middle, high = np.percentile(share, [25, 50, 75])
    is_constant = _DARKEST < middle < _BRIGHTEST and high - low < _SPREAD * middle
    return bool(is_constant and abs(np.median(usual) - 1) < _AS_BRIGHT)


def _words(path: Path, sides: tuple[str, ...], bands: list[str]) -> str:
    where = " and ".join([", ".join(sides[:-1]), sides[-1]] if len(sides) > 1 else sides)
    return (
        f"{path.name}: the outermost pixels on the {where} side of {', '.join(bands)} are a constant share of those beside "
        f"them, as after averaging with nothing; that line is left out."
    )

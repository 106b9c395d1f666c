"""A small picture of a raster, to recognise it by: one or three of its bands, stretched, gaps transparent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.io import DatasetReader
from rasterio.windows import Window

from engine.imagery.raster.rasters import damage_told, open_raster
from engine.imagery.raster.window import read_gaps

# A larger raster without overviews would be unpacked from end to end: its middle is shown instead.
_MOST_UNPACKED_PX = 25_000_000
_MIDDLE_PX = 1536
# Percentiles that become black and white, and the exponent by which reflectance becomes light enough for a screen.
_DARK, _BRIGHT, _GAMMA = 1.0, 98.5, 1 / 1.5


@dataclass(frozen=True)
class PictureBand:
    """One band of a picture.

    Attributes:
        index: band of the file, from 1.
        nodata: stored values that mark a gap, besides NaN and the file's own masks.
    """

    path: Path
    index: int
    nodata: tuple[float, ...] = ()


@dataclass(frozen=True)
class Picture:
    """Pixels for a screen.

    Attributes:
        pixels: (H, W, 4) uint8: red, green, blue, opacity; rows from the north unless the raster is rotated.
        is_middle: only the middle of the raster is shown.
        limits: of each band, the stored values that became black and white.
    """

    pixels: np.ndarray
    is_middle: bool
    limits: tuple[tuple[float, float], ...]


def picture_of(bands: Sequence[PictureBand], side_px: int = 480) -> Picture:
    """A picture of one band in grey, or of three as red, green and blue, which may have files and pixels of their own.

    Args:
        side_px: of its longer side, at most.

    Raises:
        SceneError: a file is absent or damaged.
    """
    with open_raster(bands[0].path) as first:
        share, shape = _part(first), _shape(first, side_px)
    layers = [_layer(band, share, shape) for band in bands]
    shown = np.all([valid for _, valid in layers], axis=0)
    limits = tuple(_limits(values[shown]) for values, _ in layers)
    grey = [_stretched(values, limit) for (values, _), limit in zip(layers, limits, strict=True)]
    colours = grey if len(grey) == 3 else grey[:1] * 3
    return Picture(np.dstack([*colours, np.where(shown, 255, 0).astype(np.uint8)]), share < 1, limits)


def _part(dataset: DatasetReader) -> float:
    """Share of each side that is shown."""
    is_small = dataset.height * dataset.width <= _MOST_UNPACKED_PX
    if is_small or dataset.overviews(1):
        return 1.0
    return min(1.0, _MIDDLE_PX / min(dataset.height, dataset.width))


def _shape(dataset: DatasetReader, side_px: int) -> tuple[int, int]:
    """Rows and columns of the file that the picture has, before it is turned."""
    thin = min(1.0, side_px / max(dataset.height, dataset.width))
    return max(1, round(dataset.height * thin)), max(1, round(dataset.width * thin))


def _layer(band: PictureBand, share: float, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Stored values of a band as float32 and where it has some, both turned to the north."""
    with open_raster(band.path) as dataset, damage_told(band.path, "a picture of it"):
        height, width = dataset.height * share, dataset.width * share
        window = Window((dataset.width - width) / 2, (dataset.height - height) / 2, width, height)
        read = dataset.read([band.index], window=window, out_shape=(1, *shape))
        valid = read_gaps(dataset, [band.index], read, [band.nodata], window=window, out_shape=shape)
        return _turned(read[0].astype(np.float32), dataset), _turned(valid, dataset)


def _turned(pixels: np.ndarray, dataset: DatasetReader) -> np.ndarray:
    """The same with rows from the north and columns from the west, for rasters that lie along the axes."""
    grid = dataset.transform
    is_turned = abs(grid.b) > abs(grid.a)
    down, across = (grid.d, grid.b) if is_turned else (grid.e, grid.a)
    pixels = pixels.T if is_turned else pixels
    return pixels[:: -1 if down > 0 else 1, :: -1 if across < 0 else 1]


def _limits(values: np.ndarray) -> tuple[float, float]:
    if not values.size:
        return 0.0, 1.0
    dark, bright = np.percentile(values, [_DARK, _BRIGHT])
    return float(dark), float(bright)


def _stretched(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """(H, W) uint8; a band that holds one value everywhere is mid grey."""
    dark, bright = limits
    if bright <= dark:
        return np.full(values.shape, 128, np.uint8)
    share = np.clip(np.nan_to_num((values - dark) / (bright - dark)), 0, 1)
    return (share**_GAMMA * 255).astype(np.uint8)

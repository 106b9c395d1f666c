"""A thinned picture of a band, for what must be known of its values before it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.io import DatasetReader
from rasterio.windows import Window

from engine.imagery.raster.rasters import damage_told, open_raster
from engine.imagery.raster.window import read_gaps
from engine.imagery.scene import Asset

# Side of the picture, and the pixels of a raster that are unpacked for it.
_SAMPLE_PX = 192
_MOST_UNPACKED = 4_000_000
# Side of the picture in which gaps are counted; a few windows would miss small clouds.
_COUNTED_PX = 256
# Windows along a side of a raster that is too large for that.
_WINDOWS_A_SIDE = 6


@dataclass(frozen=True)
class Sample:
    """Values of a band where it has some.

    Attributes:
        stored: (n,) as the file holds them.
        measured: (n,) scaled.
        dtype: of the file.
    """

    stored: np.ndarray
    measured: np.ndarray
    dtype: np.dtype[np.generic]


def sample_of(asset: Asset) -> Sample:
    """A thinned picture of a band, gaps left out.

    Raises:
        SceneError: the file is damaged.
    """
    return samples_of({"": asset})[""]


def samples_of(assets: Mapping[str, Asset]) -> dict[str, Sample]:
    """The same of several bands; each file is opened and unpacked once.

    Raises:
        SceneError: a file is damaged.
    """
    found: dict[str, Sample] = {}
    for path in dict.fromkeys(asset.path for asset in assets.values()):
        own = {band: asset for band, asset in assets.items() if asset.path == path}
        with open_raster(path) as dataset, damage_told(path, "a thinned picture of it"):
            stored = _some_values(dataset, list(own.values()))
        for (band, asset), values in zip(own.items(), stored, strict=True):
            found[band] = Sample(values, values.astype(np.float64) * asset.scale + asset.offset, values.dtype)
    return found


def valid_share(asset: Asset) -> float:
    """Share of a band's pixels that have a value, 0 to 1, counted in a thinned picture of all of it.

    Raises:
        SceneError: the file is damaged.
    """
    with open_raster(asset.path) as dataset, damage_told(asset.path, "a thinned picture of it"):
        shape = min(dataset.height, _COUNTED_PX), min(dataset.width, _COUNTED_PX)
        ((_, valid),) = _with_gaps(dataset, [asset], out_shape=shape)
    return float(np.mean(valid))


def _some_values(dataset: DatasetReader, assets: Sequence[Asset]) -> list[np.ndarray]:
    """Of each band, stored values outside gaps from all over a raster, (n,).

    A large raster without overviews would be unpacked from end to end for a thinned picture; a few windows do.
    """
    is_small = dataset.height * dataset.width <= _MOST_UNPACKED
    if not (is_small or dataset.overviews(assets[0].index)):
        parts = [_values(dataset, assets, window=window) for window in _windows(dataset)]
        found = [np.concatenate(part) for part in zip(*parts, strict=True)]
        if all(values.size for values in found):
            return found
    shape = min(dataset.height, _SAMPLE_PX), min(dataset.width, _SAMPLE_PX)
    return _values(dataset, assets, out_shape=shape)


def _values(dataset: DatasetReader, assets: Sequence[Asset], **how: Any) -> list[np.ndarray]:
    return [values[valid] for values, valid in _with_gaps(dataset, assets, **how)]


def _with_gaps(
    dataset: DatasetReader, assets: Sequence[Asset], **how: Any
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each band, (H, W) stored values and which of them are no gap."""
    read = dataset.read([asset.index for asset in assets], **_of_bands(how, len(assets)))
    for asset, values in zip(assets, read, strict=True):
        yield values, read_gaps(dataset, [asset.index], values[None], [asset.nodata], **how)


def _of_bands(how: dict[str, Any], count: int) -> dict[str, Any]:
    return {**how, "out_shape": (count, *how["out_shape"])} if "out_shape" in how else how


def _windows(dataset: DatasetReader) -> Iterator[Window]:
    """Squares evenly over a raster, together as many pixels as the thinned picture."""
    height, width = (min(_SAMPLE_PX // _WINDOWS_A_SIDE, side) for side in dataset.shape)
    for row in np.linspace(0, dataset.height - height, _WINDOWS_A_SIDE).astype(int):
        for column in np.linspace(0, dataset.width - width, _WINDOWS_A_SIDE).astype(int):
            yield Window(column, row, width, height)

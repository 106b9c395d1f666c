"""A thinned picture of a band, for what must be known of its values before it is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.imagery.raster.rasters import damage_told, open_raster
from engine.imagery.raster.window import read_gaps
from engine.imagery.scene import Asset

# Side of the picture.
_SAMPLE_PX = 192


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
    with open_raster(asset.path) as dataset, damage_told(asset.path, "a thinned picture of it"):
        shape = (1, min(dataset.height, _SAMPLE_PX), min(dataset.width, _SAMPLE_PX))
        values = dataset.read([asset.index], out_shape=shape)
        valid = read_gaps(dataset, [asset.index], values, [asset.nodata], out_shape=shape[1:])
    stored = values[0][valid]
    return Sample(stored, stored.astype(np.float64) * asset.scale + asset.offset, values.dtype)

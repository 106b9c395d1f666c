"""The imagery below a picture of a map: scenes in false or true colour, on the picture's own grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT

from engine.imagery.raster.rasters import shown_raster

if TYPE_CHECKING:
    from engine.imagery.scene import Scene

COMPOSITES = (("swir_2", "nir_narrow", "red"), ("red", "green", "blue"), ("nir_narrow", "red", "green"))
_DARK_PERCENT, _BRIGHT_PERCENT = 0.5, 98.5
_GAMMA = 1.5  # reflectance is linear and screens are not: without it scars drown in black
_BARE = (232.0, 230.0, 225.0)


def ground_picture(
    scenes: Sequence[Scene], crs: CRS, transform: Affine, height: int, width: int
) -> np.ndarray | None:
    """The scenes on a grid, (height, width, 3) float64, 0 to 255; None where none of them shows anything there."""
    bands = next(
        (names for names in COMPOSITES if scenes and all(set(names) <= set(one.bands) for one in scenes)),
        None,
    )
    if bands is None:
        return None
    canvas = np.full((3, height, width), np.nan)
    for scene in scenes:
        try:
            for index, name in enumerate(bands):
                found = band_on_grid(scene, name, crs, transform, height, width)
                canvas[index] = np.where(np.isnan(canvas[index]), found, canvas[index])
        except (RasterioError, OSError):  # a scene that went away leaves the paper bare
            continue
    if np.isnan(canvas).all():
        return None
    return np.moveaxis(stretched(canvas), 0, -1)


def band_on_grid(scene: Scene, name: str, crs: CRS, transform: Affine, height: int, width: int) -> np.ndarray:
    """One band of a scene on the grid, NaN where it has nothing."""
    asset = scene.assets[name]
    with shown_raster(asset.path) as source:
        nodata = asset.nodata[0] if asset.nodata else source.nodata
        grid = {"crs": crs, "transform": transform, "height": height, "width": width}
        with WarpedVRT(
            source, resampling=Resampling.average, nodata=nodata, add_alpha=nodata is None, **grid
        ) as warped:
            stored = warped.read(asset.index).astype(np.float64)
            is_valid = (warped.dataset_mask() > 0) & np.isfinite(stored) & ~np.isin(stored, asset.nodata)
    return np.where(is_valid, stored * asset.scale + asset.offset, np.nan)


def stretched(canvas: np.ndarray, reference: np.ndarray | None = None) -> np.ndarray:
    """Each band between its percentiles, 0 to 255; paper where there is nothing.

    Args:
        reference: bands whose percentiles count; None: the canvas's own.
    """
    shown = np.empty_like(canvas)
    for index, band in enumerate(canvas):
        measured = band if reference is None else reference[index]
        low, high = np.nanpercentile(measured, [_DARK_PERCENT, _BRIGHT_PERCENT])
        shown[index] = 255 * np.clip((band - low) / max(high - low, 1e-6), 0, 1) ** (1 / _GAMMA)
    is_bare = np.isnan(canvas).any(axis=0)
    shown[:, is_bare] = np.array(_BARE)[:, None]
    return shown

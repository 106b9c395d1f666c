"""Polygons of the classes above a threshold, each with its hectares and mean probability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.views.maps.filled_blocks import block_groups
from engine.views.maps.outlines import outlined
from engine.views.maps.probability_map import NODATA, STEPS, open_map, step_of

if TYPE_CHECKING:
    import geopandas as gpd
    import rasterio
    from rasterio.windows import Window
    from shapely.geometry.base import BaseGeometry

# class value, hectares, mean probability, outline
Found = tuple[int, float, float, "BaseGeometry"]


def class_polygons(
    path: Path, names: Mapping[int, str], threshold: float, smallest_ha: float = 0.0
) -> gpd.GeoDataFrame:
    """The polygons of the classes of a map of probabilities, largest first, in the map's CRS.

    Pixels of a class that touch by a side are one polygon. Hectares are those of its pixels on the ellipsoid, whatever
    the map's projection.

    Args:
        names: the classes that are wanted, and what they are called.
        threshold: pixels of a higher probability count.
        smallest_ha: smaller polygons are left out.

    Returns:
        Columns `class`, `name`, `hectares`, `probability` (mean) and the geometry; no rows where no class occurs.

    Raises:
        BadInput: no such threshold.
        StoreError: the map is absent or damaged.
    """
    import geopandas as gpd

    cut = step_of(threshold)
    with open_map(path) as dataset:
        found = [
            one for window in block_groups(dataset) for one in _of_window(dataset, window, cut, names, smallest_ha)
        ]  # fmt: skip
        crs = dataset.crs
    found.sort(key=lambda one: -one[1])
    columns = {
        "class": np.array([one[0] for one in found], np.int64), "name": [names[one[0]] for one in found],
        "hectares": np.array([round(one[1], 4) for one in found], np.float64),
        "probability": np.array([round(one[2], 4) for one in found], np.float64),
    }  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=[one[3] for one in found], crs=crs)


def _of_window(
    dataset: rasterio.DatasetReader, window: Window, cut: int, names: Mapping[int, str], smallest_ha: float
) -> Iterator[Found]:
    """Polygons of a window that nothing crosses."""
    values, steps = dataset.read(window=window)
    is_above = (steps >= cut) & (steps != NODATA)
    for value in sorted(set(np.unique(values[is_above]).tolist()) & names.keys()):
        for hectares, step, outline in outlined(
            dataset, window, is_above & (values == value), steps, smallest_ha
        ):
            yield value, hectares, (step + 0.5) / STEPS, outline

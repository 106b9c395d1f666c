"""Outlines of what counts in a window of a raster: cells that touch by a side are one polygon, with its hectares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from engine.views.maps.filled_blocks import blocks_of, cell_hectares, transform_of

if TYPE_CHECKING:
    import rasterio
    from rasterio.windows import Window
    from shapely.geometry.base import BaseGeometry


def outlined(
    dataset: rasterio.DatasetReader,
    window: Window,
    counts: np.ndarray,
    numbers: np.ndarray,
    smallest_ha: float,
) -> Iterator[tuple[float, float, BaseGeometry]]:
    """Hectares, mean number and outline of each polygon in a window that no polygon crosses.

    Hectares are those of the cells on the ellipsoid, whatever the raster's projection.

    Args:
        counts: (h, w) bool: cells that count.
        numbers: (h, w) whose mean is told.
        smallest_ha: smaller polygons are left out.
    """
    from rasterio.features import shapes
    from shapely.geometry import shape

    labels, hectares, mean = _labelled(dataset, window, counts, numbers)
    is_kept = hectares >= smallest_ha
    is_kept[0] = False
    for outline, number in shapes(labels, mask=is_kept[labels], transform=transform_of(dataset, window)):
        yield float(hectares[int(number)]), float(mean[int(number)]), shape(outline)


def _labelled(
    dataset: rasterio.DatasetReader, window: Window, counts: np.ndarray, numbers: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of polygons (0: none), and by number their hectares and mean."""
    from scipy.ndimage import label

    labels, count = label(counts)  # by sides, as GDAL's outlines with four neighbours
    hectares, sums, cells = np.zeros(count + 1), np.zeros(count + 1), np.zeros(count + 1)
    for block in blocks_of(dataset, window):
        row, col = block.row_off - window.row_off, block.col_off - window.col_off
        part = np.s_[row : row + block.height, col : col + block.width]
        own = labels[part].ravel()
        counted = np.bincount(own, minlength=count + 1)
        cells += counted
        hectares += counted * cell_hectares(dataset, block)
        sums += np.bincount(own, weights=np.where(own, numbers[part].ravel(), 0), minlength=count + 1)
    return labels, hectares, sums / np.maximum(cells, 1)

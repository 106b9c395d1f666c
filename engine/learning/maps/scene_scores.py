"""How well each scene was mapped: counts of a training's error map inside the outlines of scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import rasterio
from rasterio.features import geometry_mask
from rasterio.warp import transform_geom
from rasterio.windows import Window
from rasterio.windows import transform as transform_of
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from engine.learning.tasks.segmentation import FALSE_ALARM, HIT, MISS, RIGHT


def words_of(errors: Path, outlines: Mapping[str, BaseGeometry], kinds: Sequence[int]) -> dict[str, str]:
    """The score of each scene in words, the worst first; scenes without a labelled pixel are left out.

    Args:
        errors: values as a segmentation's `error_style` says.
        outlines: in lon/lat, by scene.
        kinds: the values that the error map can have; with hits the score is the IoU of the class that is looked for,
            else the share of pixels that are right.
    """
    with rasterio.open(errors) as source:
        counts = {name: _counts(source, outline) for name, outline in outlines.items()}
    known = {name: found for name, found in counts.items() if found.sum()}
    order = sorted(known, key=lambda name: _score(known[name], HIT in kinds))
    return {name: _words(known[name], HIT in kinds) for name in order}


def _counts(source: rasterio.DatasetReader, outline: BaseGeometry) -> np.ndarray:
    """How many pixels of each value from RIGHT to MISS lie inside an outline, (4,)."""
    shape = transform_geom("EPSG:4326", source.crs, mapping(outline))
    points = np.array([point for ring in _rings(shape) for point in ring])  # (n, 2)
    columns, rows = ~source.transform @ (points[:, 0], points[:, 1])
    left, top = max(0, int(np.floor(columns.min()))), max(0, int(np.floor(rows.min())))
    right, bottom = (
        min(source.width, int(np.ceil(columns.max()))),
        min(source.height, int(np.ceil(rows.max()))),
    )
    if right <= left or bottom <= top:
        return np.zeros(MISS + 1, np.int64)
    window = Window(left, top, right - left, bottom - top)
    values = source.read(1, window=window)
    outside = geometry_mask([shape], values.shape, transform_of(window, source.transform))
    return np.bincount(values[~outside & (values <= MISS)], minlength=MISS + 1)


def _rings(shape: Mapping[str, object]) -> list[list[tuple[float, float]]]:
    coordinates: list[object] = shape["coordinates"]  # type: ignore[assignment]
    polygons = coordinates if shape["type"] == "MultiPolygon" else [coordinates]
    return [polygon[0] for polygon in polygons]  # type: ignore[index]


def _score(counts: np.ndarray, has_hits: bool) -> float:
    """The IoU of the class that is looked for, or the share that is right, 0 to 1; above where rightly nothing was found."""
    if not has_hits:
        return float(counts[RIGHT] / counts.sum())
    union = counts[[HIT, FALSE_ALARM, MISS]].sum()
    return float(counts[HIT] / union) if union else np.inf


def _words(counts: np.ndarray, has_hits: bool) -> str:
    score = _score(counts, has_hits)
    if not has_hits:
        return f"{100 * score:.0f} % right"
    return f"IoU {score:.2f}" if np.isfinite(score) else "rightly none"

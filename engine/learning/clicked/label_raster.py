"""Clicked labels as a label raster: numbers of classes on the pixels of a store, -1 elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from engine.labels.clicked.label_set import LabelSet
from engine.labels.clicked.on_store import LabelledRows
from engine.labels.reading import MISSING
from engine.store.schema import StoredTile
from engine.views.comparing.dated_view import DatedView
from engine.views.maps.overlay import store_tags, write_mosaic


def write_label_raster(
    path: Path, found: LabelSet, labelled: LabelledRows, view: DatedView, classes: Sequence[int] | None = None
) -> Path:
    """Write a Cloud-Optimised GeoTIFF, int16, with the number of a class at each labelled pixel.

    Args:
        classes: numbers of the classes of the set that are written, counted anew from 0; None: all, as they are.

    Raises:
        StoreError, DiskFull: as `write_mosaic`.
    """
    chosen = list(range(len(found.classes)) if classes is None else classes)
    names = {f"EMBERSCOPE_CLASS_{value}": found.classes[number].name for value, number in enumerate(chosen)}
    values = np.searchsorted(chosen, labelled.classes).astype(np.int16)
    return write_mosaic(
        path, _pieces(labelled.rows, values, view), level="pixel", nodata=MISSING, dtype="int16", band_names=("class",),
        tags=store_tags(view.store, view.view.layer) | names,
    )  # fmt: skip


def _pieces(rows: np.ndarray, values: np.ndarray, view: DatedView) -> Iterator[tuple[StoredTile, np.ndarray]]:
    wanted, first = {tile.id for tile in view.chosen}, 0
    for tile in view.store.tiles:
        if tile.id in wanted:
            begin, end = np.searchsorted(rows, [first, first + tile.rows])
            patches = np.full(tile.rows, MISSING, np.int16)
            patches[rows[begin:end] - first] = values[begin:end]
            yield tile, as_pixels(patches.reshape(tile.h, tile.w), tile)
        first += tile.rows


def as_pixels(patches: np.ndarray, tile: StoredTile) -> np.ndarray:
    """Numbers of patches (h, w) on the pixels of their tile, (height_px, width_px)."""
    down = np.arange(tile.height_px) * tile.h // tile.height_px
    across = np.arange(tile.width_px) * tile.w // tile.width_px
    return np.asarray(patches[np.ix_(down, across)])

"""The class of each patch, told by the labelled pixels below it: of patches of any size, and of tiles with one embedding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import LabelError
from engine.jobs.configuration.config import LabelsConfig
from engine.labels.build import label_paths
from engine.labels.label_raster import meets, read_label_raster
from engine.labels.reading import LabelReading, NumberLabels
from engine.learning.tasks.table import BURN_SCARS
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

# Of a patch, at least so much must be labelled.
_LEAST_KNOWN = 0.5
# A raster of more different numbers holds no classes.
_MOST_CLASSES = 64


@dataclass(frozen=True)
class PatchClasses:
    """Labelled patches of a store.

    Attributes:
        tiles, rows: (n,) number of each patch's tile, and its row in the tile.
        truth: (n,) number of its class.
        titles: of the classes.
        source: where the labels come from, in words.
    """

    tiles: np.ndarray
    rows: np.ndarray
    truth: np.ndarray
    titles: tuple[str, ...]
    source: str


def patch_classes(store: EmbeddingStore, labels: LabelsConfig, root: Path, most: int) -> PatchClasses:
    """The classes of at most so many patches with data, evenly spread over the tiles that labels lie on.

    Masks of scenes are those of burn scars; of a raster each value is a class.

    Args:
        root: where the extraction keeps what it made itself.

    Raises:
        LabelError, BadInput: there are no labels there, or they are no classes.
    """
    paths, source = label_paths(store, labels, root)
    reading: LabelReading = BURN_SCARS.label_reading if labels.source == "scene" else NumberLabels()
    has_labels = _with_labels(store.tiles, paths)
    numbers, rows = spread(store, has_labels, most)
    found = np.full(len(rows), np.nan)
    for number in np.unique(numbers).tolist():
        here, path = numbers == number, paths[number]
        if path is not None:
            values = read_label_raster(path, store.tiles[number], reading).astype(np.float32)
            values[~reading.is_known(values)] = np.nan
            found[here] = _commonest(values, store.tiles[number], rows[here], path.name)
    is_known = np.isfinite(found)
    if not is_known.any():
        raise LabelError(
            f"The labels ({source}) lie on none of the patches. Check that they lie where the store does."
        )
    classes, truth = np.unique(found[is_known], return_inverse=True)
    _require_classes(len(classes), source)
    return PatchClasses(
        numbers[is_known], rows[is_known], truth, tuple(map(_title(reading), classes)), source
    )


def spread(store: EmbeddingStore, is_wanted: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Number of the tile and row in it, of at most so many valid patches of some tiles, evenly spread.

    Args:
        is_wanted: (tiles,) bool.
    """
    counts = [tile.rows for tile in store.tiles]
    numbers = np.repeat(np.arange(len(counts)), counts)
    rows = np.arange(len(numbers)) - np.repeat(np.cumsum([0, *counts[:-1]]), counts)
    valid = np.flatnonzero((store.read_valid_fraction() > 0) & is_wanted[numbers])
    chosen = valid[:: max(1, -(-len(valid) // most))]
    return numbers[chosen], rows[chosen]


def _with_labels(tiles: Sequence[StoredTile], paths: Sequence[Path | None]) -> np.ndarray:
    """(tiles,) bool: which tiles their raster comes near."""
    found = np.zeros(len(tiles), bool)
    for path in dict.fromkeys(one for one in paths if one is not None):
        own = np.array([number for number, one in enumerate(paths) if one == path])
        found[own] = meets(path, [tiles[number] for number in own.tolist()])
    return found


def _commonest(values: np.ndarray, tile: StoredTile, rows: np.ndarray, name: str) -> np.ndarray:
    """(n,) the commonest value of the pixels of some patches; NaN where fewer than half are labelled.

    Args:
        values: (height_px, width_px), NaN where there is no label.

    Raises:
        LabelError: there are more values than classes can be.
    """
    height, width = tile.height_px // tile.h, tile.width_px // tile.w
    whole = values[: tile.h * height, : tile.w * width]
    pixels = whole.reshape(tile.h, height, tile.w, width).swapaxes(1, 2).reshape(tile.rows, -1)[rows]
    classes = np.unique(pixels[np.isfinite(pixels)])
    _require_classes(len(classes), name)
    if not len(classes):
        return np.full(len(rows), np.nan)
    counts = np.stack([(pixels == one).sum(axis=1) for one in classes], axis=1)
    is_known = counts.sum(axis=1) >= _LEAST_KNOWN * pixels.shape[1]
    return np.where(is_known, classes[counts.argmax(axis=1)], np.nan)


def _require_classes(count: int, name: str) -> None:
    if count > _MOST_CLASSES:
        raise LabelError(
            f"{name} has more than {_MOST_CLASSES} different values: they are numbers, and a probe tells classes. Give a raster of classes."
        )


def _title(reading: LabelReading) -> Callable[[float], str]:
    """Names of classes: those of the reading by their number, or else the values themselves."""
    titles = reading.titles
    return (lambda one: titles[int(one)]) if titles else (lambda one: f"{one:g}")

"""Thresholds of burn indices that a decoder of burn scars must beat, on the same pixels and the same tiles.

The Normalised Burn Ratio (Key & Benson 2006, FIREMON, RMRS-GTR-164-CD, section LA-4) is (nir - swir_2) / (nir + swir_2):
charred ground is low after the fire. Where a date before the fire is there too, dNBR is NBR before minus NBR after: burnt
ground is high. Each threshold is chosen on the training tiles, by IoU of the burnt class, and applied to the test tiles once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.jobs.configuration.config import ExtractConfig
from engine.learning.baselines.baseline import TrainingTiles
from engine.learning.baselines.dates import date_before, has_two_dates
from engine.learning.baselines.raw_pixels import labelled_pixels
from engine.learning.baselines.raw_stores import raw_config
from engine.learning.tasks.task import Task
from engine.learning.truth import LabelledTile
from engine.store.store import EmbeddingStore

NIR, SWIR = "nir_narrow", "swir_2"
# Thresholds tried, 0.001 apart: NBR lies in [-1, 1] for reflectances that are not negative, dNBR in [-2, 2].
_OF_NBR = np.linspace(-1.0, 1.0, 2001)
_OF_DNBR = np.linspace(-2.0, 2.0, 4001)
_Piece = tuple[int, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class NbrThreshold:
    """Burnt where NBR is at or below a threshold.

    Attributes:
        task: whose scores are computed.
    """

    task: Task

    key = "nbr"
    name = "NBR threshold"
    bands = (NIR, SWIR)

    def extraction(self, store: EmbeddingStore) -> ExtractConfig:
        """Raw post-fire reflectances on the tiles of a store.

        Raises:
            StoreError: the store does not know how it was extracted.
        """
        return raw_config(store)

    def fit(self, raw: EmbeddingStore, tiles: Sequence[LabelledTile]) -> dict[str, float]:
        """The threshold of the best IoU of the burnt class over some tiles."""
        return {"threshold": _best(_nbr(raw, tiles), _OF_NBR)}

    def counts(
        self,
        raw: EmbeddingStore,
        tiles: Sequence[LabelledTile],
        fitted: Mapping[str, float],
        training: TrainingTiles,
    ) -> np.ndarray:
        """(tiles, N) counts of "burnt where NBR <= threshold"."""
        del training
        return _counts(self.task, len(tiles), _nbr(raw, tiles), fitted["threshold"])

    def score(
        self, raw: EmbeddingStore, tiles: Sequence[LabelledTile], fitted: Mapping[str, float]
    ) -> dict[str, Any]:
        """Its scores with the names that decoders' scores have, its own name and its threshold."""
        counts = self.counts(raw, tiles, fitted, list)
        return {
            "name": self.name,
            "threshold": round(fitted["threshold"], 6),
            **self.task.scores(counts.sum(axis=0)),
        }


@dataclass(frozen=True)
class DnbrThreshold:
    """Burnt where dNBR is at or above a threshold; where the scenes have a date before the last one.

    Attributes:
        task: whose scores are computed.
    """

    task: Task

    key = "dnbr"
    name = "dNBR threshold"
    bands = (NIR, SWIR)

    def extraction(self, store: EmbeddingStore) -> ExtractConfig | None:
        """Raw reflectances of every date; None where the tiles have one date only.

        Raises:
            StoreError: the store does not know how it was extracted.
        """
        return raw_config(store, every_date=True) if has_two_dates(store.tiles) else None

    def fit(self, raw: EmbeddingStore, tiles: Sequence[LabelledTile]) -> dict[str, float]:
        """The threshold of the best IoU of the burnt class over some tiles."""
        return {"threshold": -_best(_fallen(raw, tiles), _OF_DNBR)}

    def counts(
        self,
        raw: EmbeddingStore,
        tiles: Sequence[LabelledTile],
        fitted: Mapping[str, float],
        training: TrainingTiles,
    ) -> np.ndarray:
        """(tiles, N) counts of "burnt where dNBR >= threshold"."""
        del training
        return _counts(self.task, len(tiles), _fallen(raw, tiles), -fitted["threshold"])


def normalised_burn_ratio(nir: np.ndarray, swir: np.ndarray) -> np.ndarray:
    """(nir - swir) / (nir + swir), -1 to 1; +1 (never called burnt but by a threshold of 1) where undefined."""
    nir, swir = (np.maximum(band.astype(np.float32), 0) for band in (nir, swir))
    both = nir + swir
    return np.where(both > 0, (nir - swir) / np.where(both > 0, both, 1), 1.0)


def dnbr_of_tiles(raw: EmbeddingStore, tiles: Sequence[LabelledTile]) -> Iterator[tuple[int, np.ndarray]]:
    """Number of a tile and dNBR of its labelled pixels, row by row; high where it burned.

    Args:
        raw: reflectances of every date, each as tiles of its own.
    """
    for number, _, fallen in _fallen(raw, tiles):
        yield number, -fallen


def _nbr(raw: EmbeddingStore, tiles: Sequence[LabelledTile]) -> Iterator[_Piece]:
    """Number of a tile, truth and NBR of its labelled pixels."""
    for number, truth, found in labelled_pixels(raw, tiles, (NIR, SWIR), _ratio):
        yield number, truth, found[:, 0]


def _fallen(raw: EmbeddingStore, tiles: Sequence[LabelledTile]) -> Iterator[_Piece]:
    """Number of a tile, truth and minus dNBR of its labelled pixels: low is burnt, as with NBR."""
    before_of = date_before(raw.tiles)
    pieces = labelled_pixels(raw, tiles, (NIR, SWIR), _ratio, before_of)
    before = {number: found[:, 0] for number, _, found in pieces}
    for number, truth, after in _nbr(raw, tiles):
        yield number, truth, after - before[number]


def _ratio(bands: np.ndarray) -> np.ndarray:
    return normalised_burn_ratio(bands[..., 0], bands[..., 1])[..., None]


def _best(pieces: Iterator[_Piece], thresholds: np.ndarray) -> float:
    """The threshold at or below which an index gives the best IoU of the burnt class."""
    burned, other = np.zeros(len(thresholds) + 1), np.zeros(len(thresholds) + 1)
    for _, truth, index in pieces:
        bin_of = np.searchsorted(thresholds, index, side="left")  # at or below the threshold from this one on
        burned += np.bincount(bin_of[truth == 1], minlength=len(burned))
        other += np.bincount(bin_of[truth == 0], minlength=len(other))
    hit, false_alarm = burned.cumsum()[:-1], other.cumsum()[:-1]
    iou = hit / np.maximum(burned.sum() + false_alarm, 1)
    return float(thresholds[int(iou.argmax())])


def _counts(task: Task, tiles: int, pieces: Iterator[_Piece], threshold: float) -> np.ndarray:
    nothing = np.zeros(0, np.int8)
    counts = np.tile(task.counts_of_pixels(nothing, nothing), (tiles, 1))
    for number, truth, index in pieces:
        counts[number] = task.counts_of_pixels(truth, (index <= threshold).astype(np.int8))
    return counts

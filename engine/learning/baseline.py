"""The NBR threshold that every decoder must beat, on the same pixels and the same places.

The Normalised Burn Ratio (Key & Benson 2006, FIREMON, RMRS-GTR-164-CD, section LA-4) of the post-fire date is
(nir - swir_2) / (nir + swir_2): charred ground is low. The threshold is chosen on the training places, by
IoU of the burnt class, and applied to the test places once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import StoreError
from engine.jobs.config import BackboneConfig, ExtractConfig, parse_config
from engine.labels.sidecar import to_pixels
from engine.learning.metrics import Confusion, total
from engine.learning.split import is_chip
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

NAME = "NBR threshold"
NIR, SWIR = "nir_narrow", "swir_2"
# Thresholds tried: NBR lies in [-1, 1] for reflectances that are not negative; 0.001 apart.
_THRESHOLDS = np.linspace(-1.0, 1.0, 2001)


@dataclass(frozen=True)
class TruthOfTile:
    """Labels (height_px, width_px) int8 of a tile: 1 burnt, 0 not, -1 missing."""

    tile: StoredTile
    pixels: np.ndarray


def raw_config(store: EmbeddingStore) -> ExtractConfig:
    """The extraction of raw post-fire reflectances on the same tiles as a store that is to be compared with.

    Raises:
        StoreError: the store does not know how it was extracted.
    """
    extraction = parse_config(store.meta.config, where=f"the configuration inside {store.folder}")
    if not isinstance(extraction, ExtractConfig):
        raise StoreError(
            f"an extraction's configuration was wanted, found another kind in {store.folder}. Extract it again."
        )
    tile = store.tiles[0]
    keeps_chips = is_chip(tile) and extraction.tiles.size_px is None
    size_px = None if keeps_chips else max(tile.height_px, tile.width_px)
    # Tiles of whole patches keep their names: those of encoders with patches of 14 px are no multiple of 4.
    patch_px = next(side for side in (4, 2, 1) if size_px is None or size_px % side == 0)
    return ExtractConfig(
        scene=extraction.scene.last_date(), region=extraction.region, device="cpu",
        backbone=BackboneConfig(name="raw", settings={} if patch_px == 4 else {"patch_px": str(patch_px)}),
        tiles=extraction.tiles.model_copy(update={"size_px": size_px, "overlap_px": 0, "stride_px": None}),
    )  # fmt: skip


def has_bands(store: EmbeddingStore) -> bool:
    """Whether the scenes behind a raw store have the two bands."""
    return NIR in store.meta.bands and SWIR in store.meta.bands


def choose_threshold(raw: EmbeddingStore, places: Sequence[TruthOfTile]) -> float:
    """The threshold of the best IoU of the burnt class over some places."""
    burned, other = np.zeros(len(_THRESHOLDS) + 1), np.zeros(len(_THRESHOLDS) + 1)
    for truth, nbr in _pairs(raw, places):
        bin_of = np.searchsorted(_THRESHOLDS, nbr, side="left")  # NBR <= threshold from this index on
        burned += np.bincount(bin_of[truth == 1], minlength=len(burned))
        other += np.bincount(bin_of[truth == 0], minlength=len(other))
    hit, false_alarm = burned.cumsum()[:-1], other.cumsum()[:-1]
    iou = hit / np.maximum(burned.sum() + false_alarm, 1)
    return float(_THRESHOLDS[int(iou.argmax())])


def score_threshold(raw: EmbeddingStore, places: Sequence[TruthOfTile], threshold: float) -> dict[str, Any]:
    """Scores of "burnt where NBR <= threshold", with the names that decoders' scores have."""
    counts = total([Confusion.of(truth, nbr <= threshold) for truth, nbr in _pairs(raw, places)])
    return {"name": NAME, "threshold": round(threshold, 6), **counts.scores()}


def normalised_burn_ratio(nir: np.ndarray, swir: np.ndarray) -> np.ndarray:
    """(nir - swir) / (nir + swir), -1 to 1; +1 (never called burnt but by a threshold of 1) where undefined."""
    nir, swir = (np.maximum(band.astype(np.float32), 0) for band in (nir, swir))
    both = nir + swir
    return np.where(both > 0, (nir - swir) / np.where(both > 0, both, 1), 1.0)


def _pairs(raw: EmbeddingStore, places: Sequence[TruthOfTile]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Truth and NBR of the labelled pixels, place by place.

    Raises:
        StoreError: the raw store lacks a place.
    """
    wanted = {place.tile.id: place for place in places}
    seen = set()
    nir, swir = raw.meta.bands.index(NIR), raw.meta.bands.index(SWIR)
    for tile, values, _ in raw.iterate():
        if tile.id not in wanted:
            continue
        seen.add(tile.id)
        patches = values.reshape(tile.rows, -1, len(raw.meta.bands))  # (h * w, p * p, C), channel last
        nbr = normalised_burn_ratio(to_pixels(patches[..., nir], tile), to_pixels(patches[..., swir], tile))
        truth = wanted[tile.id].pixels
        height, width = (
            min(truth.shape[0], nbr.shape[0]),
            min(truth.shape[1], nbr.shape[1]),
        )  # padding may differ
        truth, nbr = truth[:height, :width], nbr[:height, :width]
        yield truth[truth >= 0], nbr[truth >= 0]
    if len(seen) < len(wanted):
        raise StoreError(
            f"raw pixels of {len(wanted)} places were wanted, found {len(seen)} of them in {raw.folder}. Delete that run and train again."
        )

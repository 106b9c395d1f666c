"""The NBR threshold that a decoder of burn scars must beat, on the same pixels and the same tiles.

The Normalised Burn Ratio (Key & Benson 2006, FIREMON, RMRS-GTR-164-CD, section LA-4) of the post-fire date is
(nir - swir_2) / (nir + swir_2): charred ground is low. The threshold is chosen on the training tiles, by
IoU of the burnt class, and applied to the test tiles once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import StoreError
from engine.jobs.config import BackboneConfig, ExtractConfig, TilesConfig, parse_config
from engine.labels.sidecar import to_pixels
from engine.learning.split import is_chip
from engine.learning.tasks.task import Task
from engine.learning.truth import LabelledTile
from engine.store.store import EmbeddingStore

NIR, SWIR = "nir_narrow", "swir_2"
# Sides of a tile that `tiles.size_px` takes.
SMALLEST_PX, LARGEST_PX = 16, 2048
# Thresholds tried: NBR lies in [-1, 1] for reflectances that are not negative; 0.001 apart.
_THRESHOLDS = np.linspace(-1.0, 1.0, 2001)


@dataclass(frozen=True)
class NbrThreshold:
    """Burnt where NBR is at or below a threshold.

    Attributes:
        task: whose scores are computed.
    """

    task: Task

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
        burned, other = np.zeros(len(_THRESHOLDS) + 1), np.zeros(len(_THRESHOLDS) + 1)
        for truth, nbr in _pairs(raw, tiles):
            bin_of = np.searchsorted(_THRESHOLDS, nbr, side="left")  # NBR <= threshold from this index on
            burned += np.bincount(bin_of[truth == 1], minlength=len(burned))
            other += np.bincount(bin_of[truth == 0], minlength=len(other))
        hit, false_alarm = burned.cumsum()[:-1], other.cumsum()[:-1]
        iou = hit / np.maximum(burned.sum() + false_alarm, 1)
        return {"threshold": float(_THRESHOLDS[int(iou.argmax())])}

    def score(
        self, raw: EmbeddingStore, tiles: Sequence[LabelledTile], fitted: dict[str, float]
    ) -> dict[str, Any]:
        """Scores of "burnt where NBR <= threshold", with the names that decoders' scores have."""
        threshold = fitted["threshold"]
        counts = [
            self.task.counts_of_pixels(truth, (nbr <= threshold).astype(np.int8))
            for truth, nbr in _pairs(raw, tiles)
        ]
        return {
            "name": self.name,
            "threshold": round(threshold, 6),
            **self.task.scores(np.sum(counts, axis=0)),
        }


def raw_config(store: EmbeddingStore) -> ExtractConfig:
    """The extraction of raw post-fire reflectances on the same tiles as a store that is to be compared with.

    A store's tiles never share ground, whatever overlap or shifted passes its encoder had: tiles of their size without
    overlap are the same tiles, by name.

    Raises:
        StoreError: the store does not know how it was extracted.
    """
    extraction = parse_config(store.meta.config, where=f"the configuration inside {store.folder}")
    if not isinstance(extraction, ExtractConfig):
        raise StoreError(
            f"{store.folder} holds the configuration of another kind of job than an extraction. Extract it again."
        )
    tile = store.tiles[0]
    keeps_chips = is_chip(tile) and extraction.tiles.size_px is None
    side_px = 0 if keeps_chips else max(max(one.height_px, one.width_px) for one in store.tiles)
    # Tiles of whole patches keep their names: those of encoders with patches of 14 px are no multiple of 4.
    patch_px = next(side for side in (4, 2, 1) if side_px % side == 0)
    # Each date of a place is a tile of its own where dates are kept apart, and those names are kept too.
    is_kept = extraction.backbone.temporal == "keep"
    return ExtractConfig(
        scene=extraction.scene if is_kept else extraction.scene.last_date(),
        region=extraction.region, device="cpu",
        backbone=BackboneConfig(
            name="raw", temporal="keep" if is_kept else "mean", settings={} if patch_px == 4 else {"patch_px": str(patch_px)},
        ),
        tiles=_tiles(side_px, extraction.tiles),
    )  # fmt: skip


def _tiles(side_px: int, asked: TilesConfig) -> TilesConfig:
    """Settings that cut tiles of a side, 0 for whole chips.

    Raises:
        StoreError: tiles that are larger than may be asked for: a size that was rounded up to whole patches.
    """
    # Tiles smaller than may be asked for are the middles of larger windows, which raw pixels do not depend on.
    overlap_px = 0 if side_px >= SMALLEST_PX or not side_px else SMALLEST_PX
    if side_px > LARGEST_PX:
        raise StoreError(
            f"Its tiles of {side_px} px are larger than {LARGEST_PX} px, the largest that can be cut."
        )
    return TilesConfig(
        size_px=side_px + overlap_px or None,
        overlap_px=overlap_px,
        gsd_m=asked.gsd_m,
        unreadable=asked.unreadable,
    )


def normalised_burn_ratio(nir: np.ndarray, swir: np.ndarray) -> np.ndarray:
    """(nir - swir) / (nir + swir), -1 to 1; +1 (never called burnt but by a threshold of 1) where undefined."""
    nir, swir = (np.maximum(band.astype(np.float32), 0) for band in (nir, swir))
    both = nir + swir
    return np.where(both > 0, (nir - swir) / np.where(both > 0, both, 1), 1.0)


def _pairs(raw: EmbeddingStore, tiles: Sequence[LabelledTile]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Truth and NBR of the labelled pixels, tile by tile.

    Raises:
        StoreError: the raw store lacks a tile.
    """
    wanted = {one.tile.id: one for one in tiles if (one.pixels >= 0).any()}
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
            f"{raw.folder} has reflectances of {len(seen)} of the {len(wanted)} labelled tiles. Delete that run and train again."
        )

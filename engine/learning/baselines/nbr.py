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
from shapely import STRtree
from shapely.geometry import box

from engine.errors import StoreError
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig, TilesConfig, parse_config
from engine.labels.patches import to_pixels
from engine.learning.tasks.task import Task
from engine.learning.truth import LabelledTile
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

NIR, SWIR = "nir_narrow", "swir_2"
# What `tiles.size_px` and `tiles.overlap_px` take.
SMALLEST_PX, LARGEST_PX = 16, 2048
MOST_OVERLAP_PX = 1024
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

    A store's tiles never share ground, whatever overlap, blending or shifted passes its encoder had: tiles of their
    size are the same tiles.

    Raises:
        StoreError: the store does not know how it was extracted.
    """
    extraction = parse_config(store.meta.config, where=f"the configuration inside {store.folder}")
    if not isinstance(extraction, ExtractConfig):
        raise StoreError(
            f"{store.folder} holds the configuration of another kind of job than an extraction. Extract it again."
        )
    # Sides of the tiles that were cut; chips that are tiles themselves are left as they are.
    sides = [max(tile.height_px, tile.width_px) for tile in store.tiles if tile.id not in tile.scene_ids]
    # Tiles of whole patches stay the same: those of encoders with patches of 14 px are no multiple of 4.
    patch_px = next(side for side in (4, 2, 1) if max(sides, default=0) % side == 0)
    # Each date of a place is a tile of its own where dates are kept apart.
    is_kept = extraction.backbone.temporal == "keep"
    return ExtractConfig(
        scene=extraction.scene if is_kept else extraction.scene.last_date(),
        region=extraction.region, device="cpu",
        backbone=BackboneConfig(
            name="raw", temporal="keep" if is_kept else "mean", settings={} if patch_px == 4 else {"patch_px": str(patch_px)},
        ),
        tiles=_tiles(max(sides, default=0), extraction.tiles, patch_px),
    )  # fmt: skip


def _tiles(side_px: int, asked: TilesConfig, patch_px: int) -> TilesConfig:
    """Settings that cut tiles of the same side as those that a store has, and leave the same chips whole.

    Args:
        side_px: 0 where no tile was cut.

    Raises:
        StoreError: tiles that are larger than may be asked for: a size that was rounded up to whole patches.
    """
    size_px, overlap_px = asked.size_px, 0
    if side_px:
        # Tiles smaller than may be asked for are the middles of larger windows; raw pixels do not depend on these.
        size_px = size_px or (side_px if side_px >= SMALLEST_PX else side_px + SMALLEST_PX)
        overlap_px = -(-size_px // patch_px) * patch_px - side_px
        if not 0 <= overlap_px <= MOST_OVERLAP_PX:
            size_px, overlap_px = side_px, 0
    if size_px is not None and size_px > LARGEST_PX:
        raise StoreError(
            f"Its tiles of {size_px} px are larger than {LARGEST_PX} px, the largest that can be cut."
        )
    return TilesConfig(size_px=size_px, overlap_px=overlap_px, gsd_m=asked.gsd_m, unreadable=asked.unreadable)


def normalised_burn_ratio(nir: np.ndarray, swir: np.ndarray) -> np.ndarray:
    """(nir - swir) / (nir + swir), -1 to 1; +1 (never called burnt but by a threshold of 1) where undefined."""
    nir, swir = (np.maximum(band.astype(np.float32), 0) for band in (nir, swir))
    both = nir + swir
    return np.where(both > 0, (nir - swir) / np.where(both > 0, both, 1), 1.0)


def _pairs(raw: EmbeddingStore, tiles: Sequence[LabelledTile]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Truth and NBR of the labelled pixels, tile by tile.

    Tiles end with the patch in which the scene ends, so that those of a raw store begin elsewhere than those of an encoder
    with other patches: pixels are found by where they lie.

    Raises:
        StoreError: the raw store lacks a labelled pixel.
    """
    labelled = [one for one in tiles if (one.pixels >= 0).any()]
    found: dict[int, np.ndarray] = {}
    done: set[int] = set()
    trees = _trees(labelled)
    for tile, nbr in _nbr_of_tiles(raw):
        tree, numbers = trees.get(_zone(tile), (STRtree([]), []))
        for number in (numbers[at] for at in tree.query(box(*_bounds(tile)), predicate="intersects")):
            if number in done:
                continue
            pixels = labelled[number].pixels
            own = found.setdefault(number, np.full(pixels.shape, np.nan, np.float32))
            _paste(nbr, tile, own, labelled[number].tile)
            if np.isfinite(own[pixels >= 0]).all():
                yield pixels[pixels >= 0], found.pop(number)[pixels >= 0]
                done.add(number)
    if len(done) < len(labelled):
        raise StoreError(
            f"{raw.folder} has reflectances of {len(done)} of the {len(labelled)} labelled tiles. Delete that run and train again."
        )


def _nbr_of_tiles(raw: EmbeddingStore) -> Iterator[tuple[StoredTile, np.ndarray]]:
    """Each tile of a raw store and its NBR, (height_px, width_px)."""
    nir, swir = raw.meta.bands.index(NIR), raw.meta.bands.index(SWIR)
    for tile, values, _ in raw.iterate():
        patches = values.reshape(tile.rows, -1, len(raw.meta.bands))  # (h * w, p * p, C), channel last
        yield (
            tile,
            normalised_burn_ratio(to_pixels(patches[..., nir], tile), to_pixels(patches[..., swir], tile)),
        )


def _trees(tiles: Sequence[LabelledTile]) -> dict[tuple[object, ...], tuple[STRtree, list[int]]]:
    """The tiles of each CRS and date by where they lie: a tree, and the number of each of its boxes."""
    numbers: dict[tuple[object, ...], list[int]] = {}
    for number, one in enumerate(tiles):
        numbers.setdefault(_zone(one.tile), []).append(number)
    return {
        zone: (STRtree([box(*_bounds(tiles[number].tile)) for number in own]), own)
        for zone, own in numbers.items()
    }


def _zone(tile: StoredTile) -> tuple[object, ...]:
    """CRS and last date: tiles of a store share no ground on one date."""
    return tile.crs, tile.datetimes[-1:]


def _paste(values: np.ndarray, here: StoredTile, onto: np.ndarray, there: StoredTile) -> None:
    """Put pixels of one tile where they lie on another of the same pixels."""
    column, row = (round(at) for at in ~there.pixel_transform @ (here.transform[2], here.transform[5]))
    top, left = max(row, 0), max(column, 0)
    bottom, right = min(row + values.shape[0], onto.shape[0]), min(column + values.shape[1], onto.shape[1])
    if bottom > top and right > left:
        onto[top:bottom, left:right] = values[top - row : bottom - row, left - column : right - column]


def _bounds(tile: StoredTile) -> tuple[float, float, float, float]:
    """West, south, east, north in the tile's CRS."""
    west, north = tile.pixel_transform @ (0, 0)
    east, south = tile.pixel_transform @ (tile.width_px, tile.height_px)
    return west, south, east, north

"""Pictures of the health card: where position lies in the window, how channels vary, how long embeddings are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.store.schema import StoredTile
from engine.views.layer_view import LayerView
from engine.views.maps.overlay import store_tags, write_mosaic
from engine.views.moments import moments
from engine.views.position import place_means

_BINS = 40


@dataclass(frozen=True)
class LayerPictures:
    """What is drawn of one layer.

    Attributes:
        places: (h, w) how far the mean of each place in the window lies from the mean of all, over the root mean square
            distance of patches from it; None where a store cannot tell.
        channels: (D,) variance of each number of an embedding over the median one, falling.
        lengths, counts: (41,) edges and (40,) patches of a histogram of lengths.
    """

    places: np.ndarray | None
    channels: np.ndarray
    lengths: np.ndarray
    counts: np.ndarray


def pictures(view: LayerView) -> LayerPictures:
    """The pictures of a layer.

    Raises:
        StoreError: as `health`.
    """
    variances = np.diag(moments(view).covariance)
    median = float(np.median(variances))
    lengths = np.concatenate(
        [np.linalg.norm(rows.astype(np.float32), axis=1) for rows in view.tiles_to_fit()]
    )
    counts, edges = np.histogram(lengths, bins=_BINS)
    channels = np.sort(variances)[::-1] / (median or 1.0)
    return LayerPictures(_places(view, float(variances.sum())), channels, edges, counts)


def _places(view: LayerView, variance: float) -> np.ndarray | None:
    """Lengths of the offsets of the most usual window."""
    if view.store.meta.granularity == "tile" or variance <= 0:
        return None
    found = place_means(view.store, view.layer, view.places)
    if found.share is None or not found.offsets:
        return None
    largest = max(found.offsets.values(), key=len)
    return np.asarray(np.linalg.norm(largest, axis=-1) / np.sqrt(variance))


def length_overlay(view: LayerView, out: Path) -> None:
    """Write the length of every embedding as one float32 band, NaN without data.

    Raises:
        StoreError, DiskFull: as `write_mosaic`.
    """

    def pieces() -> Iterator[tuple[StoredTile, np.ndarray]]:
        for tile, values, valid in view.tiles():
            lengths = np.linalg.norm(values.astype(np.float32), axis=-1)
            yield tile, np.where(valid > 0, lengths, np.float32("nan"))[None]

    write_mosaic(
        out, pieces(), level="patch", nodata=float("nan"), dtype="float32", band_names=("length of the embedding",),
        tags=store_tags(view.store, view.layer) | view.tags,
    )  # fmt: skip

"""Clusters of a store's embeddings: which patches a backbone holds for alike, as classes on a map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import StoreError
from engine.store.schema import StoredTile
from engine.views.layer_view import LayerView
from engine.views.maps.overlay import NO_CLASS, class_overlay, store_tags

# Rows that centres are found on: more move them by less than a hundredth of their distance.
_MOST_ROWS = 200_000
MOST_CLUSTERS = 24
# Colours that differ in hue and lightness, so that neighbours on a map are told apart in both themes: Okabe and Ito
# (2008), "Color Universal Design", then the same hues darker and lighter.
_HUES = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    (128, 128, 128),
)


@dataclass(frozen=True)
class Clusters:
    """Centres of clusters in the standardised embeddings of a layer.

    Attributes:
        layer: as counted by the backbone.
        mean, scale: (D,) float64: what rows are standardised by.
        centres: (k, D) float64, along the direction in which they differ most, so that numbers and colours are the
            same from run to run.
        counts: (k,) rows of each.
        window: patches along a side of the neighbourhood whose mean is clustered (odd).
    """

    layer: int
    mean: np.ndarray
    scale: np.ndarray
    centres: np.ndarray
    counts: np.ndarray
    window: int

    def of(self, values: np.ndarray) -> np.ndarray:
        """(...) uint8: the nearest centre of each of (..., D) embeddings."""
        rows = (
            (values.reshape(-1, values.shape[-1]).astype(np.float64) - self.mean) / self.scale
        ) @ self.centres.T
        nearest = (rows - (self.centres**2).sum(axis=1) / 2).argmax(axis=1)
        return nearest.astype(np.uint8).reshape(values.shape[:-1])


def fit_clusters(view: LayerView, count: int, seed: int = 0) -> Clusters:
    """Find clusters by k-means (scikit-learn's, on at most 200,000 rows spread over the store).

    Args:
        count: of clusters, 2 to 24.
        seed: of the first centres.

    Raises:
        StoreError: a count out of range, fewer different patches than clusters, or embeddings that are
            not finite.
    """
    from sklearn.cluster import KMeans  # a second of imports: only where clusters are found

    if not 2 <= count <= MOST_CLUSTERS:
        raise StoreError(
            f"{count} clusters were asked for; a map shows 2 to {MOST_CLUSTERS}. Choose a number in that range."
        )
    store, rows = view.store, _sample(view)
    if not np.isfinite(rows).all():
        raise StoreError(
            f"{store.folder} holds embeddings that are not finite. Run `python -m engine check` on it."
        )
    if len(np.unique(rows[:: max(1, len(rows) // 5000)], axis=0)) < count:
        raise StoreError(
            f"{store.folder} holds fewer than {count} different embeddings. Ask for fewer clusters, or extract a larger region."
        )
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(deviation > 1e-9 * max(float(np.abs(mean).max()), 1e-30), deviation, 1.0)
    standard = (rows - mean) / scale
    fitted = KMeans(count, n_init=3, random_state=seed).fit(standard)
    centres = fitted.cluster_centers_
    _, _, directions = np.linalg.svd(centres - centres.mean(axis=0), full_matrices=False)
    along = centres @ (directions[0] * np.sign(directions[0][np.abs(directions[0]).argmax()]))
    order = np.argsort(along)
    counts = np.bincount(fitted.labels_, minlength=count)[order]
    return Clusters(view.layer, mean, scale, centres[order], counts, view.window)


def cluster_overlay(view: LayerView, clusters: Clusters, out: Path) -> dict[int, int]:
    """Write the clusters of a view as classes with a colour table, 255 where there is no data.

    Returns:
        Cluster -> patches.

    Raises:
        StoreError, DiskFull: as `class_overlay`.
    """
    totals = np.zeros(len(clusters.centres), np.int64)

    def pieces() -> Iterator[tuple[StoredTile, np.ndarray]]:
        for tile, values, valid in view.tiles():
            classes = clusters.of(values)
            classes[valid == 0] = NO_CLASS
            totals[:] += np.bincount(classes[valid > 0].ravel(), minlength=len(totals))
            yield tile, classes

    names = {number: f"cluster {number + 1}" for number in range(len(totals))}
    class_overlay(
        out, pieces(), colours=colours_of(len(totals)), band_name="cluster", names=names, level="patch",
        tags=store_tags(view.store, view.layer) | view.tags,
    )  # fmt: skip
    return {number: int(total) for number, total in enumerate(totals)}


def colours_of(count: int) -> dict[int, tuple[int, int, int, int]]:
    """Cluster -> red, green, blue, alpha."""
    factors = (1.0, 0.6, 1.35)
    made = {}
    for number in range(count):
        factor = factors[number // len(_HUES)]
        red, green, blue = (min(255, round(part * factor)) for part in _HUES[number % len(_HUES)])
        made[number] = (red, green, blue, 255)
    return made


def _sample(view: LayerView) -> np.ndarray:
    """(n, D) float64 rows that fits are made on, every so many of the whole store."""
    step = -(-int(view.fitted[0].sum()) // _MOST_ROWS)
    taken, first = [], 0
    for rows in view.tiles_to_fit():
        taken.append(rows[-first % step :: step])
        first += len(rows)
    return np.concatenate(taken).astype(np.float64)

"""Clusters of a store's embeddings: which patches a backbone holds for alike, as classes on a map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import StoreError
from engine.store.schema import StoredTile
from engine.views.comparing.dated_view import DatedView
from engine.views.layer_view import LayerView
from engine.views.maps.overlay import NO_CLASS, Shown, class_overlay, store_tags

# Rows that centres are found on: more move them by less than a hundredth of their distance. Of embeddings of very many
# numbers fewer: so many float64 numbers take 1.2 GB.
_MOST_ROWS, _MOST_NUMBERS = 200_000, 150_000_000
# Rows that the clusters are found on whose colours the others take over, and their number.
_COLOUR_ROWS, _COLOUR_CLUSTERS = 20_000, 8
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
        hues: (k,) numbers of colours: ground keeps its colour when the number of clusters changes.
    """

    layer: int
    mean: np.ndarray
    scale: np.ndarray
    centres: np.ndarray
    counts: np.ndarray
    window: int
    hues: np.ndarray

    @property
    def colours(self) -> dict[int, tuple[int, int, int, int]]:
        """Cluster -> red, green, blue, alpha."""
        every = colours_of(MOST_CLUSTERS)
        return {number: every[int(hue)] for number, hue in enumerate(self.hues)}

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
    order = _order(fitted.cluster_centers_)
    centres, counts = fitted.cluster_centers_[order], np.bincount(fitted.labels_, minlength=count)[order]
    return Clusters(view.layer, mean, scale, centres, counts, view.window, _hues(centres, standard))


def _order(centres: np.ndarray) -> np.ndarray:
    """The centres along the direction in which they differ most."""
    _, _, directions = np.linalg.svd(centres - centres.mean(axis=0), full_matrices=False)
    along = centres @ (directions[0] * np.sign(directions[0][np.abs(directions[0]).argmax()]))
    return np.argsort(along)


def _hues(centres: np.ndarray, standard: np.ndarray) -> np.ndarray:
    """(k,) number of each centre's colour: that of the nearest of eight clusters, which is given once; else a free one."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist
    from sklearn.cluster import KMeans

    rows = standard[:: -(-len(standard) // _COLOUR_ROWS)]
    if len(np.unique(rows[: 4 * _COLOUR_CLUSTERS], axis=0)) < _COLOUR_CLUSTERS:
        return np.arange(len(centres))
    given = KMeans(_COLOUR_CLUSTERS, n_init=1, random_state=0).fit(rows).cluster_centers_
    own, theirs = linear_sum_assignment(cdist(centres, given[_order(given)]))
    hues = np.full(len(centres), -1)
    hues[own] = theirs
    free = iter(sorted(set(range(MOST_CLUSTERS)) - set(theirs.tolist())))
    return np.array([next(free) if hue < 0 else hue for hue in hues])


def typical_rows(view: DatedView, clusters: Clusters, number: int, most: int) -> list[int]:
    """Rows of the store that stand for a cluster: of the fifth of its patches nearest to its centre, evenly spread ones.

    Args:
        view: on whose tiles they lie.

    Raises:
        StoreError: no patch of the view is in the cluster.
    """
    firsts = np.cumsum([0, *(tile.rows for tile in view.store.tiles)])
    first_of = {tile.id: int(first) for tile, first in zip(view.store.tiles, firsts, strict=False)}
    rows, distances = [], []
    for tile, values, valid in view.tiles():
        inside = np.flatnonzero(((valid > 0) & (clusters.of(values) == number)).ravel())
        chosen = values.reshape(-1, values.shape[-1])[inside]
        standard = (chosen.astype(np.float64) - clusters.mean) / clusters.scale
        rows.append(first_of[tile.id] + inside)
        distances.append(np.linalg.norm(standard - clusters.centres[number], axis=1))
    found, far = np.concatenate(rows), np.concatenate(distances)
    if not len(found):
        raise StoreError(f"No patch that is shown is in cluster {number + 1}. Choose another.")
    nearest = np.sort(found[np.argsort(far, kind="stable")[: max(most, len(found) // 5)]])
    spread = np.linspace(0, len(nearest) - 1, min(most, len(nearest))).astype(int)
    return [int(row) for row in nearest[np.unique(spread)]]


def cluster_overlay(
    view: LayerView,
    clusters: Clusters,
    out: Path,
    tiles: Shown | None = None,
    tags: Mapping[str, str] | None = None,
) -> dict[int, int]:
    """Write the clusters of a view as classes with a colour table, 255 where there is no data.

    Args:
        tiles: those of the view that are written; None: all.
        tags: what the file says besides.

    Returns:
        Cluster -> patches.

    Raises:
        StoreError, DiskFull: as `class_overlay`.
    """
    totals = np.zeros(len(clusters.centres), np.int64)

    def pieces() -> Iterator[tuple[StoredTile, np.ndarray]]:
        for tile, values, valid in view.tiles() if tiles is None else tiles:
            classes = clusters.of(values)
            classes[valid == 0] = NO_CLASS
            totals[:] += np.bincount(classes[valid > 0].ravel(), minlength=len(totals))
            yield tile, classes

    names = {number: f"cluster {number + 1}" for number in range(len(totals))}
    class_overlay(
        out, pieces(), colours=clusters.colours, band_name="cluster", names=names, level="patch",
        tags=store_tags(view.store, view.layer) | view.tags | dict(tags or {}),
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
    dim = view.store.meta.dims[view.store.meta.layers.index(view.layer)]
    step = -(-int(view.fitted[0].sum()) // min(_MOST_ROWS, _MOST_NUMBERS // dim))
    taken, first = [], 0
    for rows in view.tiles_to_fit():
        taken.append(rows[-first % step :: step])
        first += len(rows)
    return np.concatenate(taken).astype(np.float64)

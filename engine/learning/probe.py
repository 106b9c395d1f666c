"""What a linear classifier and k nearest neighbours find in embeddings without training a decoder, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import LabelError
from engine.jobs.configuration.config import LabelsConfig
from engine.labels.build import labels_for
from engine.labels.sidecar import read_labels
from engine.learning.judging.intervals import interval_over_places
from engine.learning.metrics import Confusion
from engine.learning.splits.places import place_numbers
from engine.learning.tasks.task import Task
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

METHODS = ("linear", "knn")
# Folds of whole places; each place is predicted by what was learnt on the others.
_FOLDS = 4
# Rows that are learnt from: more move scores by less than their intervals, and a fit would take minutes.
_MOST_ROWS = 5_000
_NEIGHBOURS = 10
# Of a patch, at least so much must be labelled.
_LEAST_KNOWN = 0.5


@dataclass(frozen=True)
class Score:
    """Mean intersection over union of the classes, on places that were not learnt from.

    Attributes:
        low, high: 95 % interval, bootstrap over places; None with fewer than three places.
    """

    mean_iou: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ProbeScores:
    """Scores of both methods on some patches.

    Attributes:
        by_method: method -> one score for each set of embeddings, in their order.
        patches: labelled patches of each class, by its title.
        places: that were held out in turn.
        source: where the labels come from.
    """

    by_method: dict[str, tuple[Score, ...]]
    patches: dict[str, int]
    places: int
    source: str


def probe(
    store: EmbeddingStore,
    tiles: Sequence[StoredTile],
    embeddings: Sequence[np.ndarray],
    rows: tuple[np.ndarray, np.ndarray],
    labels: LabelsConfig,
    task: Task,
    root: Path,
) -> ProbeScores:
    """Score several sets of embeddings of the same patches of a store.

    Args:
        tiles: some of the store's.
        embeddings: (n, D) each.
        rows: (n,) number of each patch's tile among `tiles`, and (n,) its row in the tile.
        root: where the extraction keeps what it made itself.

    Raises:
        LabelError: no labels on the patches, one class only, or one place.
    """
    made = labels_for(store, labels, root, task.label_reading)
    truth = _of_patches(read_labels(made, store)[_rows_of_store(store, tiles, rows)], len(task.classes))
    known = truth >= 0
    places = place_numbers(tiles)[rows[0]]
    titles = tuple(one.title for one in task.classes)
    return probe_scores(
        [values[known] for values in embeddings], truth[known], places[known], titles, made.source
    )


def probe_scores(
    embeddings: Sequence[np.ndarray],
    truth: np.ndarray,
    places: np.ndarray,
    titles: Sequence[str],
    source: str,
) -> ProbeScores:
    """Score several sets of embeddings of the same labelled patches.

    Args:
        embeddings: (n, D) each; truth: (n,) classes from 0; places: (n,).
        titles: of the classes.
        source: where the labels come from.

    Raises:
        LabelError: one class only, or one place.
    """
    counts = np.bincount(truth, minlength=len(titles))
    _require(counts, len(np.unique(places)), titles)
    scores = {
        method: tuple(score(values, truth, places, method, len(counts)) for values in embeddings)
        for method in METHODS
    }
    patches = {title: int(count) for title, count in zip(titles, counts, strict=True)}
    return ProbeScores(scores, patches, len(np.unique(places)), source)


def score(values: np.ndarray, truth: np.ndarray, places: np.ndarray, method: str, classes: int) -> Score:
    """Predict every patch by what was learnt on other places, and count.

    Args:
        values: (n, D); truth: (n,) classes from 0; places: (n,).
        method: linear or knn.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    predicted = np.zeros(len(truth), np.int64)
    folds = min(_FOLDS, len(np.unique(places)))
    drawn = StratifiedGroupKFold(folds, shuffle=True, random_state=0).split(values, truth, places)
    for learnt, held_out in drawn:
        predicted[held_out] = _predicted(values, truth, learnt, held_out, method)
    counts = [
        Confusion.of(truth[places == one], predicted[places == one], classes).counts.ravel()
        for one in np.unique(places)
    ]

    def mean_iou(summed: np.ndarray) -> float:
        return Confusion(summed.reshape(classes, classes)).mean_iou()

    interval = interval_over_places(counts, mean_iou, np.random.default_rng(0))
    low, high = interval if interval is not None else (None, None)
    return Score(mean_iou(np.sum(counts, axis=0)), low, high)


def _predicted(
    values: np.ndarray, truth: np.ndarray, learnt: np.ndarray, held_out: np.ndarray, method: str
) -> np.ndarray:
    """Classes of the rows held out, by a model of at most 5,000 of the others, standardised by these."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    taken = learnt[:: -(-len(learnt) // _MOST_ROWS)]
    if len(np.unique(truth[taken])) == 1:
        return np.full(len(held_out), truth[taken][0])
    mean, deviation = values[taken].mean(axis=0), values[taken].std(axis=0)
    scale = np.where(deviation > 0, deviation, 1)
    known, asked = ((values[which] - mean) / scale for which in (taken, held_out))
    if method == "linear":
        model = LogisticRegression(C=0.01, max_iter=300)
    else:
        model = KNeighborsClassifier(min(_NEIGHBOURS, len(taken)), metric="cosine", algorithm="brute")
    return np.asarray(model.fit(known, truth[taken]).predict(asked))


def _of_patches(labels: np.ndarray, classes: int) -> np.ndarray:
    """(n,) the class of most labelled pixels of (n, p * p), -1 where fewer than half are labelled."""
    counts = np.stack([(labels == number).sum(axis=1) for number in range(classes)], axis=1)
    is_known = counts.sum(axis=1) >= _LEAST_KNOWN * labels.shape[1]
    return np.where(is_known, counts.argmax(axis=1), -1)


def _rows_of_store(
    store: EmbeddingStore, tiles: Sequence[StoredTile], rows: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Row of the store of each patch."""
    starts = np.cumsum([0, *(tile.rows for tile in store.tiles[:-1])])
    first = {tile.id: int(start) for tile, start in zip(store.tiles, starts, strict=True)}
    return np.array([first[tile.id] for tile in tiles])[rows[0]] + rows[1]


def _require(counts: np.ndarray, places: int, titles: Sequence[str]) -> None:
    told = ", ".join(f"{title}: {count}" for title, count in zip(titles, counts, strict=True))
    if (counts > 0).sum() < 2:
        raise LabelError(
            f"The labels have one class or none on these patches ({told}). Choose ground with two classes or more."
        )
    if places < 2:
        raise LabelError(
            "The labelled patches lie in one place, and nothing is left to test on. Choose more ground, or smaller tiles."
        )

"""A classifier fitted to the embeddings of labelled patches: logistic regression on components, or k nearest neighbours.

Logistic regression is fitted on the store's principal components, all divided by one number, so that what it finds is a
linear map of the embeddings and the browser can draw it from the components that it has. Every label weighs alike
within its class, and every class alike: a large polygon does not outvote a click.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.concurrency.blas_threads import one_blas_thread
from engine.errors import LabelError
from engine.labels.clicked.label_set import LabelClass
from engine.views.lens.lens import Kind, Lens, ramp
from engine.views.pca import Pca

Method = Literal["logistic", "knn"]
METHODS: tuple[Method, ...] = ("logistic", "knn")
NEIGHBOURS = 3
_ROWS_A_BLOCK = 4096


@dataclass(frozen=True)
class Classifier:
    """What was learnt from some labels; y of each class, whose softmax is the probability.

    Attributes:
        classes: those that have labels, two or more, in the order of the label set.
        offset: m, (D,) taken off an embedding first.
        rows, bias: (C, D) and (C,) of a logistic regression; empty for neighbours.
        features, truth: (n, D) labelled patches and (n,) their classes, of neighbours; else empty.
    """

    method: Method
    classes: tuple[LabelClass, ...]
    offset: np.ndarray
    rows: np.ndarray
    bias: np.ndarray
    features: np.ndarray
    truth: np.ndarray
    neighbours: int = NEIGHBOURS

    def probabilities(self, embeddings: np.ndarray) -> np.ndarray:
        """(n, C) float32 of (n, D) embeddings."""
        if self.method == "knn":
            return self._shares(embeddings)
        y = (embeddings.astype(np.float32) - self.offset.astype(np.float32)) @ self.rows.T.astype(np.float32)
        return _softmax(y + self.bias.astype(np.float32))

    def predict(self, embeddings: np.ndarray) -> np.ndarray:
        """(n,) numbers of classes; of two alike the first."""
        if self.method == "knn":
            return self.probabilities(embeddings).argmax(axis=1)
        return self.lens().classes(embeddings).astype(np.int64)

    def lens(self, kind: Kind = "classes", shown: int = 0) -> Lens:
        """What is drawn: the class, the probability of one class, or how unsure it is.

        Args:
            kind: classes, probability or uncertainty.
            shown: number of the class whose probability is meant.

        Raises:
            LabelError: neighbours, which are no linear map.
        """
        if self.method == "knn":
            raise LabelError(
                "k nearest neighbours are no linear map. `neighbour_map` computes what they say of each patch."
            )
        names = tuple(one.name for one in self.classes)
        palette = np.array([one.rgba for one in self.classes], np.uint8)
        if kind == "probability":
            names, palette = (f"probability of {names[shown]}",), ramp()
        elif kind == "uncertainty":
            names, palette = ("uncertainty",), ramp()
        return Lens(
            kind,
            self.rows,
            self.offset,
            self.bias,
            np.zeros(1),
            np.ones(1),
            palette,
            names=names,
            shown=shown,
        )

    def _shares(self, embeddings: np.ndarray) -> np.ndarray:
        wanted = min(self.neighbours, len(self.features))
        own = (self.features - self.offset).astype(np.float32)
        lengths = (own**2).sum(axis=1)
        blocks = []
        for first in range(0, len(embeddings), _ROWS_A_BLOCK):
            asked = embeddings[first : first + _ROWS_A_BLOCK].astype(np.float32) - self.offset.astype(
                np.float32
            )
            nearest = np.argsort(lengths - 2 * asked @ own.T, axis=1, kind="stable")[:, :wanted]
            found = self.truth[nearest]
            blocks.append(
                np.stack([(found == number).mean(axis=1) for number in range(len(self.classes))], axis=1)
            )
        return (
            np.concatenate(blocks).astype(np.float32)
            if blocks
            else np.empty((0, len(self.classes)), np.float32)
        )


def fit(
    values: np.ndarray,
    truth: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[LabelClass],
    basis: Pca,
    method: Method = "logistic",
) -> Classifier:
    """Learn from labelled patches.

    Args:
        values: (n, D) embeddings.
        truth: (n,) numbers of classes.
        labels: (n,) number of the label of each patch.
        basis: components of the store.

    Raises:
        LabelError: one class only, or embeddings that are not finite.
    """
    if not np.isfinite(values).all():
        raise LabelError(
            "The embeddings of the labelled patches are not finite numbers. Extract with output.dtype: float32."
        )
    present = np.unique(truth)
    if len(present) < 2:
        raise LabelError("The labels have one class. Label a second one.")
    chosen = tuple(classes[number] for number in present.tolist())
    own = np.searchsorted(present, truth)
    blank = np.empty((0, values.shape[1]))
    if method == "knn":
        return Classifier(method, chosen, basis.mean, blank, np.empty(0), values.astype(np.float32), own)
    with (
        one_blas_thread()
    ):  # products so small take 3 ms by one thread, and 25 to 110 ms by two that wait for each other
        rows, bias = _logistic(basis.project(values).astype(np.float64), own, weights_of(own, labels))
    return Classifier(method, chosen, basis.mean, rows @ basis.components, bias, blank, np.empty(0, np.int64))


def weights_of(truth: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n,) weight of each patch: labels of a class weigh alike, classes weigh alike, and all add up to the labels."""
    pairs, of_pair, sizes = np.unique(
        np.stack([truth, labels]), axis=1, return_inverse=True, return_counts=True
    )
    of_pair = of_pair.reshape(-1)
    in_class = np.bincount(pairs[0])
    classes = (in_class > 0).sum()
    return np.asarray(len(sizes) / classes / in_class[truth] / sizes[of_pair])


def _logistic(
    coordinates: np.ndarray, truth: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(C, k) rows and (C,) biases on components; of two classes the first has zeros."""
    from sklearn.linear_model import LogisticRegression

    scale = float(np.sqrt((coordinates**2).mean())) or 1.0
    with (
        one_blas_thread()
    ):  # products so small take 3 ms by one thread, and 25 to 110 ms by two that wait for each other
        model = LogisticRegression(C=1.0, max_iter=300).fit(coordinates / scale, truth, sample_weight=weights)
    rows, bias = model.coef_ / scale, model.intercept_
    if len(rows) == 1:
        return np.concatenate([np.zeros_like(rows), rows]), np.concatenate([np.zeros(1), bias])
    return rows, bias


def _softmax(y: np.ndarray) -> np.ndarray:
    grown = np.exp(y - y.max(axis=-1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True))

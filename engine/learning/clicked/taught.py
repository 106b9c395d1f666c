"""From the labels of a store to a classifier and all that is told of it, in one step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.concurrency.blas_threads import one_blas_thread
from engine.labels.clicked.label_set import LabelSet
from engine.labels.clicked.on_store import LabelledRows, middle_of, require_rows, rows_of
from engine.learning.clicked.accuracy import Accuracy, left_out, places_of
from engine.learning.clicked.classifier import Classifier, Method, fit
from engine.views.comparing.dated_view import DatedView
from engine.views.pca import Pca


@dataclass(frozen=True)
class Taught:
    """A classifier, and what it was taught with.

    Attributes:
        values: (n, D) embeddings of the labelled patches.
    """

    view: DatedView
    labels: LabelSet
    labelled: LabelledRows
    values: np.ndarray
    basis: Pca
    classifier: Classifier

    @cached_property
    def accuracy(self) -> Accuracy:
        """Each label by what was learnt on other places."""
        tiles = self.view.store.tiles
        middles = np.array([middle_of(tiles, row) for row in self.labelled.rows.tolist()])
        places = places_of(middles, self.view.patch_m)
        with one_blas_thread():  # once for all fits: to limit the threads takes as long as a fit
            return left_out(
                self.values, self.labelled.classes, self.labelled.labels, places, self.labels.classes, self.basis,
                self.classifier.method,
            )  # fmt: skip

    @property
    def notes(self) -> list[str]:
        """What a person should know: labels that were not used."""
        lost = self.labelled.outside
        return (
            [f"{lost} of {len(self.labels.labels)} labels lie on no patch with data and are not used."]
            if lost
            else []
        )


def teach(
    view: DatedView, labels: LabelSet, basis: Pca, method: Method = "logistic", words: str = "This store"
) -> Taught:
    """Fit a classifier to labels.

    Args:
        basis: components of the view.
        words: what the labels are called in messages.

    Raises:
        LabelError: no labels on the store, or of one class.
    """
    labelled = rows_of(labels, view.store, view.chosen)
    require_rows(labels, labelled, words)
    values = view.view.rows(labelled.rows.tolist())
    classifier = fit(values, labelled.classes, labelled.labels, labels.classes, basis, method)
    return Taught(view, labels, labelled, values, basis, classifier)

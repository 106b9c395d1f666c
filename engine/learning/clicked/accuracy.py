"""How often labels are right when their place is left out, with what cannot be said of so few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.connected import connected
from engine.labels.clicked.label_set import LabelClass
from engine.learning.clicked.classifier import Method, fit
from engine.learning.judging.intervals import interval_over_places
from engine.views.pca import Pca

# Labels nearer than so many patches are of one place: embeddings of neighbours share their surroundings.
NEAR_PATCHES = 8
# Places beyond this many are left out in groups.
_MOST_FITS = 30
_ENOUGH_LABELS, _ENOUGH_PLACES = 10, 3


@dataclass(frozen=True)
class Accuracy:
    """Labels against what was learnt without their places.

    Attributes:
        right, labels: labels that were called rightly, and all that could be judged.
        places: that were left out in turn.
        low, high: 95 % interval of the share, bootstrap over places; None with fewer than three.
        confusion: (C, C) labels by class and by what they were called.
        called: (n,) what each labelled patch was called, as an index among the classes that have labels; -1 not judged.
        notes: what a person should know before trusting it.
    """

    right: int
    labels: int
    places: int
    low: float | None
    high: float | None
    confusion: np.ndarray
    called: np.ndarray
    notes: tuple[str, ...]

    @property
    def share(self) -> float | None:
        """Share that was called rightly; None where nothing could be judged."""
        return self.right / self.labels if self.labels else None


def left_out(
    values: np.ndarray,
    truth: np.ndarray,
    labels: np.ndarray,
    places: np.ndarray,
    classes: Sequence[LabelClass],
    basis: Pca,
    method: Method = "logistic",
) -> Accuracy:
    """Predict each label by what was learnt on other places; a label is right where most of its patches are.

    Args:
        values, truth, labels: as `fit` takes them.
        places: (n,) number of the place of each patch.
    """
    counts = np.zeros((len(np.unique(places)), len(classes), len(classes)), np.int64)
    alone = [number for number in np.unique(truth) if len(np.unique(places[truth == number])) < 2]
    all_called = np.full(len(truth), -1)
    groups = np.unique(places, return_inverse=True)[1] % _MOST_FITS
    for group in np.unique(groups):
        learnt = groups != group
        asked = ~learnt & ~np.isin(truth, alone)
        if not asked.any() or not learnt.any():
            continue
        present = np.unique(truth[learnt])
        called = np.full(int(asked.sum()), present[0])
        if len(present) > 1:
            called = present[
                fit(values[learnt], truth[learnt], labels[learnt], classes, basis, method).predict(
                    values[asked]
                )
            ]
        all_called[asked] = np.searchsorted(np.unique(truth), called)
        for label in np.unique(labels[asked]):
            own = labels[asked] == label
            first = np.flatnonzero(asked)[own][0]
            place = np.searchsorted(np.unique(places), places[first])
            counts[place, truth[first], np.bincount(called[own]).argmax()] += 1
    judged = [one for one in counts if one.sum()]
    confusion = counts.sum(axis=0)
    interval = (
        interval_over_places(
            [one.ravel() for one in judged],
            lambda summed: _share(summed, len(classes)),
            np.random.default_rng(0),
        )
        if judged
        else None
    )
    low, high = interval or (None, None)
    right, total = int(np.trace(confusion)), int(confusion.sum())
    return Accuracy(
        right,
        total,
        len(judged),
        low,
        high,
        confusion,
        all_called,
        tuple(_notes(total, len(judged), [classes[one] for one in alone])),
    )


def places_of(middles: np.ndarray, patch_m: float) -> np.ndarray:
    """(n,) number of the place of each patch: those nearer than eight patches, or joined by others that are, are one.

    Args:
        middles: (n, 2) longitude and latitude in degrees.
        patch_m: side of a patch, metres.
    """
    from scipy.spatial import cKDTree

    lon, lat = np.radians(middles).T
    on_sphere = 6_371_000 * np.stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1
    )
    pairs = cKDTree(on_sphere).query_pairs(NEAR_PATCHES * patch_m, output_type="ndarray")
    return connected(len(middles), pairs.T)


def _share(summed: np.ndarray, classes: int) -> float:
    return float(np.trace(summed.reshape(classes, classes)) / max(summed.sum(), 1))


def _notes(labels: int, places: int, alone: Sequence[LabelClass]) -> list[str]:
    found = []
    if alone:
        names = ", ".join(one.name for one in alone)
        found.append(f"Labelled at one place only, so that nothing can be said of it: {names}.")
    if labels < _ENOUGH_LABELS or places < _ENOUGH_PLACES:
        found.append(
            f"{labels} {'label' if labels == 1 else 'labels'} in {places} {'place' if places == 1 else 'places'} can be judged, too few to "
            f"tell how good the map is: give at least {_ENOUGH_LABELS} labels in {_ENOUGH_PLACES} places."
        )
    return found

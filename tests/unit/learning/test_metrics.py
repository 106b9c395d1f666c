from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as oracle

from engine.learning.judging.intervals import interval_over_places
from engine.learning.metrics import Confusion, json_numbers


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(0).integers(-1, 2, size=(40, 50)).astype(np.int8)


@pytest.fixture
def predicted() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2, size=(40, 50))


def test_scores_equal_an_independent_implementation(truth: np.ndarray, predicted: np.ndarray) -> None:
    found = Confusion.of(truth, predicted)
    y, z = truth[truth >= 0], predicted[truth >= 0]
    assert found.iou(1) == pytest.approx(oracle.jaccard_score(y, z))
    assert found.iou(0) == pytest.approx(oracle.jaccard_score(y, z, pos_label=0))
    assert found.f1() == pytest.approx(oracle.f1_score(y, z))
    assert found.precision() == pytest.approx(oracle.precision_score(y, z))
    assert found.recall() == pytest.approx(oracle.recall_score(y, z))
    assert found.accuracy() == pytest.approx(oracle.accuracy_score(y, z))
    assert found.counts.tolist() == oracle.confusion_matrix(y, z).tolist()


def test_counts_of_parts_add_to_the_counts_of_the_whole(truth: np.ndarray, predicted: np.ndarray) -> None:
    parts = [Confusion.of(t, p) for t, p in zip(truth, predicted, strict=True)]
    assert (sum(part.counts for part in parts) == Confusion.of(truth, predicted).counts).all()
    assert ((parts[0] + parts[1]).counts == Confusion.of(truth[:2], predicted[:2]).counts).all()


def test_what_is_predicted_on_missing_pixels_does_not_matter(
    truth: np.ndarray, predicted: np.ndarray
) -> None:
    changed = np.where(truth < 0, 1 - predicted, predicted)
    assert (Confusion.of(truth, changed).counts == Confusion.of(truth, predicted).counts).all()


def test_a_ratio_of_nothing_is_undefined_not_zero() -> None:
    found = Confusion.of(np.zeros(5, int), np.zeros(5, int))
    assert math.isnan(found.iou(1))
    assert json_numbers({"iou": found.iou(1), "accuracy": found.accuracy()}) == {"iou": None, "accuracy": 1}


def test_the_mean_iou_of_many_classes_is_that_of_the_classes_that_occur() -> None:
    truth, predicted = np.array([0, 0, 2, 2, -1]), np.array([0, 2, 2, 2, 3])
    expected = oracle.jaccard_score(truth[:4], predicted[:4], average="macro", labels=[0, 2])
    assert Confusion.of(truth, predicted, classes=5).mean_iou() == pytest.approx(expected)


def iou_of(counts: np.ndarray) -> float:
    return Confusion(counts.reshape(2, 2)).iou()


def test_an_interval_holds_the_score_and_narrows_where_places_agree() -> None:
    chance = np.random.default_rng(0)
    mixed = [np.array([100, 5, 5, int(n)]) for n in chance.integers(5, 200, 12)]
    same = [np.array([100, 5, 5, 50])] * 12
    lower, upper = interval_over_places(mixed, iou_of, np.random.default_rng(1)) or (1, 0)
    assert lower < iou_of(np.sum(mixed, axis=0)) < upper
    agreed = interval_over_places(same, iou_of, np.random.default_rng(1))
    assert agreed == pytest.approx((50 / 60, 50 / 60))
    assert interval_over_places(mixed[:2], iou_of, chance) is None

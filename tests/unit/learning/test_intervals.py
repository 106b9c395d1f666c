from __future__ import annotations

import math

import numpy as np
import pytest

from engine.learning.judging.intervals import estimate, paired_difference
from engine.learning.judging.place_counts import PlaceCounts, on_same_places
from engine.learning.metrics import Confusion


def iou_of(counts: np.ndarray) -> float:
    return Confusion(counts.reshape(2, 2)).iou()


@pytest.fixture
def places() -> np.ndarray:
    """Counts of twelve places, some of them far harder than others."""
    return np.random.default_rng(0).integers(5, 200, size=(12, 4))


def test_a_score_is_that_of_all_counts_together_and_lies_in_its_interval(places: np.ndarray) -> None:
    found = estimate(places, iou_of)
    assert found.value == iou_of(places.sum(axis=0))
    assert found.low < found.value < found.high
    assert found == estimate(places, iou_of)
    assert estimate(places[:2], iou_of).interval is None


def test_a_small_gain_on_every_place_is_clear_though_both_intervals_overlap(places: np.ndarray) -> None:
    better = places + np.array([0, 0, -3, 3])
    assert estimate(better, iou_of).low < estimate(places, iou_of).high
    gain = paired_difference(better, places, iou_of)
    assert gain.value == pytest.approx(iou_of(better.sum(axis=0)) - iou_of(places.sum(axis=0)))
    assert gain.is_clear
    assert 0 < gain.low < gain.value < gain.high


def test_a_method_differs_from_itself_by_nothing_and_a_gain_turned_round_is_a_loss(
    places: np.ndarray,
) -> None:
    none = paired_difference(places, places, iou_of)
    assert (none.value, none.low, none.high, none.is_clear) == (0, 0, 0, False)
    other = places[::-1]
    gain, loss = paired_difference(places, other, iou_of), paired_difference(other, places, iou_of)
    assert (gain.low, gain.high) == pytest.approx((-loss.high, -loss.low))


def test_the_interval_is_as_wide_as_the_spread_of_fresh_samples_of_places() -> None:
    chance = np.random.default_rng(3)
    rates = chance.beta(4, 4, size=4000)
    counts = np.stack([0 * rates, 0 * rates, 100 * (1 - rates), 100 * rates], axis=1)
    samples = [iou_of(counts[chance.integers(0, 4000, 40)].sum(axis=0)) for _ in range(400)]
    widths = [
        found.high - found.low
        for found in (estimate(counts[chance.integers(0, 4000, 40)], iou_of, seed) for seed in range(4))
    ]
    assert np.mean(widths) == pytest.approx(np.subtract(*np.quantile(samples, [0.975, 0.025])), rel=0.25)


def test_the_score_of_several_seeds_is_the_mean_of_their_scores(places: np.ndarray) -> None:
    seeds = np.stack([places, places[::-1] + 1, places * 2])
    found = estimate(seeds, iou_of)
    assert found.value == pytest.approx(np.mean([iou_of(one.sum(axis=0)) for one in seeds]))
    assert paired_difference(seeds, places, iou_of).value == pytest.approx(
        found.value - iou_of(places.sum(axis=0))
    )


def test_a_score_that_no_place_defines_has_no_interval() -> None:
    found = estimate(np.tile([9, 0, 0, 0], (5, 1)), iou_of)
    assert math.isnan(found.value)
    assert found.interval is None


def test_only_places_of_the_same_tiles_are_paired() -> None:
    one = PlaceCounts((("a", "b"), ("c",), ("d",)), np.arange(12).reshape(3, 4))
    other = PlaceCounts((("d",), ("a",), ("c",)), np.arange(12).reshape(3, 4))
    names, (ours, theirs) = on_same_places([one, other])
    assert names == ("c", "d")
    assert ours.tolist() == [[4, 5, 6, 7], [8, 9, 10, 11]]
    assert theirs.tolist() == [[8, 9, 10, 11], [0, 1, 2, 3]]
    assert PlaceCounts.from_json(one.to_json()).tiles == one.tiles

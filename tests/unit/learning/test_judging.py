"""Curves, calibration and strata against scikit-learn and by brute force, over batches and over the whole."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from engine.learning.judging.comparison import measure, measures, verdicts
from engine.learning.judging.curves import best_step, precision_recall, reliability
from engine.learning.judging.ground import canvases
from engine.learning.judging.numbers import Scatter
from engine.learning.judging.strata import Stratum, by_distance, by_severity, by_size, summed
from engine.learning.judging.tally import Tally, classes_with_probability, tallies_of
from engine.learning.metrics import Confusion
from engine.learning.tasks.table import BURN_SCARS, BURN_SEVERITY, DNBR
from engine.learning.truth import LabelledTile
from engine.store.schema import StoredTile
from engine.views.maps.probability_map import STEPS

RANDOM_CASES = range(6)


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels, some of them missing, and probabilities that tell something of them, in the steps of a map."""
    chance = np.random.default_rng(seed)
    truth = (chance.random(3000) < chance.uniform(0.02, 0.6)).astype(np.int8)
    steps = np.clip(chance.normal(60 + 70 * truth, 50).round(), 0, STEPS)
    return np.where(chance.random(3000) < 0.1, -1, truth), steps / STEPS


@pytest.mark.parametrize("seed", RANDOM_CASES)
def test_precision_and_recall_are_those_of_scikit_learn(seed: int) -> None:
    truth, probability = drawn(seed)
    y, p = truth[truth >= 0], probability[truth >= 0]
    found = precision_recall(Tally.of(truth, probability))
    assert found.average_precision == pytest.approx(oracle.average_precision_score(y, p))
    precision, recall, at = oracle.precision_recall_curve(y, p)
    below = np.round(at * STEPS).astype(int) - 1  # p >= k / STEPS is p > (k - 1) / STEPS
    shown = below >= 0
    np.testing.assert_allclose(found.precision[below[shown]], precision[:-1][shown])
    np.testing.assert_allclose(found.recall[below[shown]], recall[:-1][shown])


@pytest.mark.parametrize("seed", RANDOM_CASES)
def test_the_reliability_plot_is_that_of_scikit_learn_and_the_error_that_of_its_formula(seed: int) -> None:
    truth, probability = drawn(seed)
    y, p = truth[truth >= 0], probability[truth >= 0]
    found = reliability(Tally.of(truth, probability))
    share, mean = calibration_curve(y, p, n_bins=10)
    np.testing.assert_allclose(found.share, share)
    np.testing.assert_allclose(found.probability, mean)
    bins = np.clip(np.ceil(p * 10 - 1e-9).astype(int) - 1, 0, 9)
    expected = sum(
        (bins == k).mean() * abs(y[bins == k].mean() - p[bins == k].mean()) for k in np.unique(bins)
    )
    assert found.error == pytest.approx(expected)
    assert found.labels.sum() == len(y)


@pytest.mark.parametrize("seed", RANDOM_CASES)
def test_the_threshold_is_the_best_of_all_by_brute_force_and_cuts_what_the_probabilities_cut(
    seed: int,
) -> None:
    truth, probability = drawn(seed)
    tally = Tally.of(truth, probability)
    ious = [Confusion.of(truth, probability > k / STEPS).iou() for k in range(STEPS)]
    assert ious[best_step(tally)] == pytest.approx(max(ious))
    for step in (0, 37, STEPS // 2, STEPS - 1):
        expected = Confusion.of(truth, probability > step / STEPS).counts
        assert tally.confusion_above(step).tolist() == expected.ravel().tolist()


def test_a_tally_of_batches_is_that_of_the_whole_and_outlives_its_file() -> None:
    truth, probability = drawn(0)
    parts = [Tally.of(truth[at : at + 700], probability[at : at + 700]) for at in range(0, 3000, 700)]
    summed_up = sum(parts[1:], parts[0])
    whole = Tally.of(truth, probability)
    assert (summed_up.counts == whole.counts).all()
    np.testing.assert_allclose(summed_up.sums, whole.sums)
    assert (Tally.from_json(whole.to_json()).counts == whole.counts).all()


@pytest.mark.parametrize("task", [BURN_SCARS, BURN_SEVERITY], ids=lambda task: task.name)
def test_a_probability_above_one_half_is_what_two_classes_predict_and_of_more_the_shares_add_to_one(
    task,
) -> None:
    chance = torch.Generator().manual_seed(0)
    outputs = 3 * torch.randn(40, task.outputs(4), generator=chance)
    labels = torch.randint(-1, len(task.classes), (40, 16), generator=chance).numpy()
    is_valid = np.arange(40) > 3
    found = tallies_of(task, outputs, labels, is_valid)
    assert len(found) == len(classes_with_probability(task))
    known = (labels >= 0) & is_valid[:, None]
    assert all(tally.counts.sum() == known.sum() for tally in found)
    if len(found) == 1:
        expected = task.counts_of_pixels(np.where(known, labels, -1), task.predict(outputs).numpy())
        assert found[0].confusion_above(STEPS // 2).tolist() == expected.tolist()
    else:
        assert sum(tally.sums.sum() for tally in found) == pytest.approx(known.sum())


@pytest.mark.parametrize("task", [BURN_SCARS, BURN_SEVERITY, DNBR], ids=lambda task: task.name)
def test_the_scores_that_intervals_are_of_are_those_that_are_reported(task) -> None:
    number = len(task.classes) ** 2 or 6
    chance = np.random.default_rng(0)
    for _ in range(5):
        counts = chance.integers(0, 50, number) * (chance.random(number) > 0.3)
        if not task.classes:
            counts = np.array([40, 3.0, 90.0, 20.0, 11.0, 2.0])
        for name in measures(task):
            expected = {
                **task.metrics(counts),
                **{k: v for k, v in task.scores(counts).items() if v is not None},
            }[name]
            assert measure(task, name)(counts) == pytest.approx(expected, nan_ok=True)
    nothing = measure(BURN_SCARS, "iou_burned")(np.array([9, 0, 0, 0]))
    assert math.isnan(nothing)


def tile(name: str, left: float, size: int = 20) -> StoredTile:
    transform = (30.0, 0.0, left, 0.0, -30.0, 4_500_000.0)
    return StoredTile(name, "EPSG:32610", transform, 1, 1, size, size, ("2020-09-01",), (name,), None)


def test_tiles_of_a_place_are_put_together_so_that_a_scar_across_their_border_is_one() -> None:
    pixels = np.zeros((20, 20), np.int8)
    west, east = pixels.copy(), pixels.copy()
    west[5:9, 16:], east[5:9, :4] = 1, 1
    tiles = [LabelledTile(tile("b", 500_600.0), east), LabelledTile(tile("a", 500_000.0), west)]
    maps = {"called": {"a": west, "b": east * 0}}
    (canvas,) = canvases(tiles, maps, -1)
    assert canvas["truth"].shape == (20, 40)
    assert (canvas["truth"][5:9, 16:24] == 1).all()
    (found,) = by_size(canvas["truth"], canvas["called"], 0.09)
    assert (found.scars, found.pixels, found.called, found.title) == (1, 32, 16, "1 to 5 ha")
    apart = [tiles[0], LabelledTile(tile("a", 500_010.0), west)]  # a third of a pixel off the other grid
    assert len(canvases(apart, maps, -1)) == 2


def test_distances_are_those_of_the_nearest_pixel_of_the_other_class_by_brute_force() -> None:
    chance = np.random.default_rng(1)
    rows, columns = np.mgrid[:24, :24]
    truth = (np.hypot(rows - 12, columns - 9) < 7).astype(np.int8)
    truth[20:] = -1
    called = (chance.random(truth.shape) < 0.2 + 0.6 * (truth == 1)).astype(np.int8)
    found = by_distance(truth, called, 30.0)
    for kind, own in (("inside", 1), ("outside", 0)):
        here, other = np.argwhere(truth == own), np.argwhere(truth == 1 - own)
        away = np.linalg.norm(here[:, None] - other[None], axis=-1).min(axis=1) * 30
        for one in (one for one in found if one.kind == kind):
            chosen = (away > one.low) & (away <= (one.high or np.inf))
            assert one.pixels == chosen.sum()
            assert one.called == (called[truth == own][chosen] == 1).sum()
    assert sum(one.pixels for one in found) == (truth >= 0).sum()
    assert summed([*found, *found])[0].pixels == 2 * found[0].pixels
    assert by_distance(truth * 0, called, 30.0) == []


def test_severity_counts_burnt_pixels_whose_severity_is_known() -> None:
    truth, severity = np.array([[1, 1, 0, 1]]), np.array([[2, 2, 2, -1]])
    (found,) = by_severity(truth, np.array([[1, 0, 1, 1]]), severity, ("none", "low", "high"))
    assert found == Stratum("severity", "high", None, None, 2, 1)
    assert found.wrong == 0.5
    assert replace(found, kind="outside").wrong == 0.5


def test_a_scatter_of_numbers_counts_every_known_pixel_where_it_lies() -> None:
    chance = np.random.default_rng(0)
    truth = chance.normal(5, 2, (50, 50)).astype(np.float32)
    predicted = truth + chance.normal(0, 0.5, truth.shape).astype(np.float32)
    truth[::5] = np.nan
    found = Scatter.of([LabelledTile(tile("a", 0.0, 50), truth)], {"a": predicted})
    assert found.counts.sum() == found.error_counts.sum() == np.isfinite(truth).sum()
    middles = (found.edges[1:] + found.edges[:-1]) / 2
    across = np.average(middles, weights=found.counts.sum(axis=1))
    assert across == pytest.approx(np.nanmean(truth), abs=0.1)
    again = Scatter.from_json(found.to_json())
    assert (again.counts == found.counts).all()
    assert Scatter.of([LabelledTile(tile("a", 0.0, 50), truth * np.nan)], {"a": predicted}) is None


def test_what_a_decoder_does_not_beat_is_said_with_the_paired_interval() -> None:
    def row(name: str, gain: float, interval: list[float] | None) -> dict[str, object]:
        return {"name": name, "gain": gain, "gain_interval": interval, "places": 9}

    rows = [
        {"name": "Decoder"},
        row("A", 0.2, [0.1, 0.3]),
        row("B", 0.01, [-0.04, 0.05]),
        row("C", -0.2, [-0.3, -0.1]),
        row("D", 0.1, None),
    ]
    said = verdicts(rows, "IoU, burnt")
    assert [is_beaten for is_beaten, _ in said] == [True, False, False, False]
    assert "beats the A: +0.200" in said[0][1]
    assert (
        "does not clearly beat the B: +0.010 in IoU, burnt (95 % interval −0.040 to +0.050, 9 places)"
        in said[1][1]
    )
    assert "is worse than the C" in said[2][1]
    assert "too few places" in said[3][1]

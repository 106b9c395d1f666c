"""A linear probe and nearest neighbours score embeddings on places that they did not learn from."""

from __future__ import annotations

import numpy as np
import pytest

from engine.learning.probe import METHODS, score

RNG = np.random.default_rng(0)
PLACES = np.repeat(np.arange(12), 60)
TRUTH = RNG.integers(0, 2, len(PLACES))
NOISE = RNG.normal(size=(len(PLACES), 8)).astype(np.float32)
TELLING = NOISE + 4 * TRUTH[:, None]


@pytest.mark.parametrize("method", METHODS)
def test_what_tells_the_classes_apart_scores_high_and_noise_scores_chance(method: str) -> None:
    good, none = (score(values, TRUTH, PLACES, method, 2) for values in (TELLING, NOISE))
    assert good.mean_iou > 0.95
    assert none.mean_iou == pytest.approx(1 / 3, abs=0.06)  # half of all right: 1 of 3 in the union
    for found in (good, none):
        assert found.low is not None and found.high is not None
        assert found.low <= found.mean_iou <= found.high
    assert none.high is not None and good.low is not None and none.high < good.low


@pytest.mark.parametrize("method", METHODS)
def test_what_tells_places_but_not_classes_scores_chance(method: str) -> None:
    """Patches of one place are alike: learning from the place itself would look like skill. Twelve places can be lucky, many draws not."""
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        of_place, truth = rng.normal(size=(12, 8)), np.repeat(rng.permutation([0, 1] * 6), 60)
        found.append(score(20 * of_place[PLACES] + NOISE, truth, PLACES, method, 2).mean_iou)
    assert np.mean(found) < 0.5, found


def test_two_places_have_no_interval() -> None:
    taken = PLACES < 2
    found = score(TELLING[taken], TRUTH[taken], PLACES[taken], "linear", 2)
    assert found.low is None and found.mean_iou > 0.9

"""Means over the ground around a patch, against a plain loop over windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.views.neighbourhood_mean import neighbourhood_mean, usual_window
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at


@pytest.mark.parametrize("window", [3, 5, 9])
def test_every_patch_gets_the_mean_of_the_valid_patches_around_it(window: int) -> None:
    chance = np.random.default_rng(window)
    values = chance.normal(size=(7, 6, 4)).astype(np.float16)
    valid = (chance.random((7, 6)) > 0.4).astype(np.float32)
    values[valid == 0] = np.nan  # what a gap holds must never show
    found = neighbourhood_mean(values, valid, window)
    reach = window // 2
    for row in range(7):
        for col in range(6):
            around = (
                slice(max(row - reach, 0), row + reach + 1),
                slice(max(col - reach, 0), col + reach + 1),
            )
            kept = values[around][valid[around] > 0].astype(np.float64)
            wanted = kept.mean(axis=0) if len(kept) else np.zeros(4)
            assert found[row, col] == pytest.approx(wanted, abs=1e-5)


def test_a_window_of_one_gives_the_embeddings_themselves() -> None:
    values = np.ones((2, 2, 3), np.float16)
    assert neighbourhood_mean(values, np.ones((2, 2)), 1) is values


@pytest.mark.parametrize(("patch_px", "window"), [(2, 9), (4, 5), (8, 3), (14, 1), (16, 1), (32, 1)])
def test_small_patches_are_joined_to_about_sixteen_pixels(tmp_path: Path, patch_px: int, window: int) -> None:
    store = make_store(tmp_path, [rows_at(tile_at(0))], meta_of(patch_px=patch_px))
    assert usual_window(store) == window

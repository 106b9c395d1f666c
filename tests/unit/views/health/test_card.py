"""The health card tells position, seams, borders, rank and channels, layer by layer, in numbers and words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.store.schema import TileRows
from engine.store.store import EmbeddingStore
from engine.views.health.card import effective_rank, health
from engine.views.health.words import sentences
from tests.unit.store.stores import make_store, meta_of, tile_at

SIDE = 8


def made(folder: Path, second: np.ndarray | None = None, **changes: object) -> EmbeddingStore:
    """4 x 4 tiles of two layers: noise, and what a test puts in (16, SIDE, SIDE, D)."""
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(16, SIDE, SIDE, 6))
    layers = (noise, noise if second is None else second)
    rows = []
    for number in range(16):
        tile = tile_at(number % 4, number // 4, side=SIDE)
        columns = tuple(layer[number].reshape(SIDE * SIDE, -1).astype(np.float32) for layer in layers)
        rows.append(TileRows(tile, columns, np.ones(tile.rows, np.float32)))
    dims = (6, layers[1].shape[-1])
    return make_store(folder, rows, meta_of(dims, "float32", **changes))


def test_noise_is_in_good_health(tmp_path: Path) -> None:
    for found in health(made(tmp_path)):
        assert found.position_share is not None and found.position_share < 0.05
        assert found.seam_score == pytest.approx(1.0, abs=0.05)
        assert found.border_share == pytest.approx(1.0, abs=0.15)
        assert found.effective_rank == pytest.approx(6.0, abs=0.1)
        assert (found.dead_channels, found.dominating_channels) == (0, 0)
        words = sentences(found)
        told = {"spectrum": "first_component", "following": "most_following"}
        assert words.keys() == {told.get(name, name) for name in vars(found)} - {"layer", "dim"}
        good = {name for name, sentence in words.items() if "good, for" in sentence}
        assert good >= {"position_share", "seam_score", "border_share", "effective_rank", "dead_channels"}


def test_every_layer_has_its_own_seam_score(tmp_path: Path) -> None:
    steps = np.random.default_rng(4).normal(size=(16, 1, 1, 6)) * 10
    first, second = health(made(tmp_path, np.random.default_rng(5).normal(size=(16, SIDE, SIDE, 6)) + steps))
    assert first.seam_score is not None and first.seam_score < 1.1
    assert second.seam_score is not None and second.seam_score > 3
    assert "borders show" in sentences(second)["seam_score"]


def test_what_padding_does_to_the_outermost_patches_is_told(tmp_path: Path) -> None:
    values = np.random.default_rng(6).normal(size=(16, SIDE, SIDE, 6))
    for number in range(16):
        if number % 4 == 0:
            values[number, :, 0] += 8
    _, found = health(made(tmp_path, values))
    assert found.border_share is not None and found.border_share > 1.5
    assert "padding shows" in sentences(found)["border_share"]


def test_channels_that_never_vary_or_hold_all_variance_are_counted(tmp_path: Path) -> None:
    values = np.random.default_rng(6).normal(size=(16, SIDE, SIDE, 8))
    values[..., 2] = 0.7
    values[..., 5] *= 100
    _, found = health(made(tmp_path, values))
    assert (found.dead_channels, found.dominating_channels) == (1, 1)
    assert found.effective_rank < 1.1


@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_effective_rank_of_equal_variances_is_their_number(count: int) -> None:
    variances = np.zeros(9)
    variances[:count] = 2.5
    turned, _ = np.linalg.qr(np.random.default_rng(count).normal(size=(9, 9)))
    assert effective_rank(np.linalg.eigvalsh(turned @ np.diag(variances) @ turned.T)) == pytest.approx(
        count, abs=1e-6
    )


def test_a_store_of_one_row_a_tile_has_no_place_no_seam_and_no_border(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    rows = [
        TileRows(
            tile_at(column, side=1), (rng.normal(size=(1, 5)).astype(np.float32),), np.ones(1, np.float32)
        )
        for column in range(12)
    ]
    (found,) = health(
        make_store(tmp_path, rows, meta_of((5,), "float32", granularity="tile", pooling="mean"))
    )
    assert (found.position_share, found.seam_score, found.border_share) == (None, None, None)
    assert found.effective_rank > 3

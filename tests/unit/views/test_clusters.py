"""Clusters are scikit-learn's, the same from run to run, and lie on the map where their patches do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from engine.errors import StoreError
from engine.store.store import EmbeddingStore
from engine.views.clusters import cluster_overlay, fit_clusters
from engine.views.layer_view import view_of
from tests.unit.store.stores import make_store, rows_at, tile_at


@pytest.fixture
def store(tmp_path: Path) -> EmbeddingStore:
    """Four tiles of 8 x 8 patches: the west of each is one kind of ground, the east another."""
    rows = []
    for number, tile in enumerate(tile_at(column, row, side=8) for row in range(2) for column in range(2)):
        made = rows_at(tile)
        rng = np.random.default_rng(number)
        values = rng.normal(0, 0.01, made.embeddings[0].shape).reshape(8, 8, -1)
        values[:, 4:] += 1.0
        valid = np.ones((8, 8), np.float32)
        valid[0, 0] = 0
        rows.append(type(made)(tile, (values.reshape(64, -1).astype(np.float32),), valid.ravel()))
    return make_store(tmp_path, rows)


def test_two_kinds_of_ground_are_two_clusters_on_their_own_patches(
    store: EmbeddingStore, tmp_path: Path
) -> None:
    found = fit_clusters(view_of(store, window=1), 2)
    counts = cluster_overlay(view_of(store, window=1), found, tmp_path / "clusters.tif")
    assert sum(counts.values()) == 4 * 63
    for tile, values, valid in store.iterate():
        classes = found.of(values)
        assert len(np.unique(classes[:, :4][valid[:, :4] > 0])) == 1
        assert (classes[:, :4] != classes[:, 4:]).all(), tile.id
    with rasterio.open(tmp_path / "clusters.tif") as image:
        classes = image.read(1)
        assert image.nodata == 255
        assert set(np.unique(classes)) == {0, 1, 255}
        assert (classes == 255).sum() == 4


def test_the_same_seed_gives_the_same_numbers_and_another_only_the_same_ground(store: EmbeddingStore) -> None:
    one, same, other = (fit_clusters(view_of(store, window=1), 2, seed=seed) for seed in (0, 0, 7))
    assert np.array_equal(one.centres, same.centres)
    assert np.allclose(one.centres, other.centres, atol=1e-6)  # ordered, so that colours stay


@pytest.mark.parametrize(("count", "words"), [(1, "2 to 24"), (25, "2 to 24")])
def test_a_number_of_clusters_that_cannot_be_is_refused(
    store: EmbeddingStore, count: int, words: str
) -> None:
    with pytest.raises(StoreError, match=words):
        fit_clusters(view_of(store), count)


def test_the_same_embedding_everywhere_has_no_clusters(tmp_path: Path) -> None:
    rows = []
    for tile in [tile_at(0)]:
        made = rows_at(tile)
        rows.append(type(made)(tile, (np.ones_like(made.embeddings[0]),), made.valid_fraction))
    with pytest.raises(StoreError, match="fewer than 3 different"):
        fit_clusters(view_of(make_store(tmp_path, rows), window=1), 3)

"""Clusters are scikit-learn's, the same from run to run, and lie on the map where their patches do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from engine.errors import StoreError
from engine.store.store import EmbeddingStore
from engine.views.cluster_names import name_cluster, read_names
from engine.views.clusters import cluster_overlay, fit_clusters, typical_rows
from engine.views.comparing.dated_view import dated
from engine.views.layer_view import view_of
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at


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


def test_ground_keeps_its_colour_when_the_number_of_clusters_changes(tmp_path: Path) -> None:
    rows = rows_at(tile_at(0, side=24), dims=(6,))
    places = np.arange(576) % 12
    kinds = np.random.default_rng(3).normal(0, 5, (12, 6))
    rows.embeddings[0][:] = kinds[places] + np.random.default_rng(4).normal(0, 0.05, (576, 6))
    view = view_of(make_store(tmp_path, [rows], meta_of((6,), "float32")), window=1)
    eight, twelve = fit_clusters(view, 8), fit_clusters(view, 12)
    assert len(set(eight.colours.values())) == 8
    assert len(set(twelve.colours.values())) == 12
    of = [found.of(rows.embeddings[0][:12]) for found in (eight, twelve)]
    same = sum(eight.colours[int(a)] == twelve.colours[int(b)] for a, b in zip(*of, strict=True))
    assert same >= 7


def test_typical_patches_are_of_the_cluster_near_its_centre_and_all_over_the_store(
    store: EmbeddingStore,
) -> None:
    view = view_of(store, window=1)
    found = fit_clusters(view, 2)
    rows = typical_rows(dated(view), found, 1, 8)
    values, valid = store.read(), store.read_valid_fraction()
    assert len(set(rows)) == 8
    assert (found.of(values[rows]) == 1).all()
    assert (valid[rows] > 0).all()
    assert len({row // 64 for row in rows}) >= 3
    assert len(typical_rows(dated(view), found, 1, 10_000)) == (found.of(values[valid > 0]) == 1).sum()


def test_names_of_clusters_are_kept_for_those_clusters_only(store: EmbeddingStore) -> None:
    view = view_of(store, window=1)
    two = fit_clusters(view, 2)
    name_cluster(view, two, 1, "  bare   soil ")
    name_cluster(view, two, 0, "water")
    assert read_names(view, two) == {0: "water", 1: "bare soil"}
    assert read_names(view, fit_clusters(view, 3)) == {}
    with pytest.raises(StoreError, match="Another cluster"):
        name_cluster(view, two, 1, "Water")
    with pytest.raises(StoreError, match="at most 60"):
        name_cluster(view, two, 1, "a" * 61)
    name_cluster(view, two, 0, "")
    assert read_names(view, two) == {1: "bare soil"}
    (store.folder.parent / "clicked" / "clusters.json").write_text("damaged")
    assert read_names(view, two) == {}

"""PCA over a whole store agrees with a singular value decomposition of all its rows at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import StoreError
from engine.store import writer
from engine.store.schema import TileRows
from engine.store.store import EmbeddingStore
from engine.views import moments, wide_components
from engine.views import pca as fitting
from engine.views.layer_view import view_of
from engine.views.pca import Pca, fit_pca, pca_of
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddingStore:
    """Several parts and several blocks, with rows that must not count."""
    monkeypatch.setattr(writer, "ROWS_A_PART", 64)
    monkeypatch.setattr(moments, "_BLOCK_ROWS", 40)
    rows = [rows_at(tile_at(column), dims=(12,), gaps=column % 2) for column in range(20)]
    return make_store(tmp_path, rows, meta_of(dims=(12,), dtype="float32"))


def valid_rows(store: EmbeddingStore) -> np.ndarray:
    return store.read()[store.read_valid_fraction() > 0].astype(np.float64)


def test_components_and_variance_are_those_of_the_svd_of_all_valid_rows(store: EmbeddingStore) -> None:
    found = fit_pca(store, components=4)
    rows = valid_rows(store)
    _, singular, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    assert len(store.parts) > 1
    assert found.rows == len(rows)
    assert np.allclose(found.mean, rows.mean(axis=0))
    assert np.allclose(np.abs(found.components @ directions[:4].T), np.eye(4), atol=1e-6)
    assert np.allclose(found.explained_variance_ratio, (singular**2 / (singular**2).sum())[:4])


def test_the_stretch_is_the_2nd_and_98th_percentile_of_the_projections(store: EmbeddingStore) -> None:
    found = fit_pca(store)
    low, high = np.percentile(found.project(valid_rows(store)), [2, 98], axis=0)
    assert np.allclose(found.low, low, atol=1e-4)
    assert np.allclose(found.high, high, atol=1e-4)


def test_the_largest_number_of_each_direction_is_positive(store: EmbeddingStore) -> None:
    for direction in fit_pca(store, components=12).components:
        assert direction[np.abs(direction).argmax()] > 0


def test_more_dimensions_than_rows_still_agree_with_the_svd(tmp_path: Path) -> None:
    store = make_store(
        tmp_path, [rows_at(tile_at(0, side=2), dims=(40,))], meta_of(dims=(40,), dtype="float32")
    )
    rows = valid_rows(store)
    _, _, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    found = fit_pca(store, components=3)
    assert np.allclose(np.abs(found.components @ directions[:3].T), np.eye(3), atol=1e-5)
    assert np.isclose(found.explained_variance_ratio.sum(), 1.0)  # four rows span three directions


def test_equal_embeddings_have_equal_colours_on_every_tile(store: EmbeddingStore) -> None:
    found = fit_pca(store)
    one = store.read_tile(store.tiles[3].id)
    assert found.to_rgb(one).shape == (4, 4, 3)
    assert np.array_equal(found.to_rgb(one)[2, 1], found.to_rgb(one[2, 1]))
    middle = found.mean + found.components.T @ ((found.low + found.high) / 2)
    assert np.all(np.abs(found.to_rgb(middle).astype(int) - 128) <= 1)


def test_a_direction_that_does_not_vary_is_grey_and_not_noise(tmp_path: Path) -> None:
    tile = tile_at(0)
    ramp = np.outer(np.arange(tile.rows), [1.0, 2.0, 3.0, 4.0]).astype(np.float32)
    rows = TileRows(tile, (ramp,), np.ones(tile.rows, np.float32))
    store = make_store(tmp_path, [rows], meta_of(dims=(4,), dtype="float32"))
    colours = fit_pca(store).to_rgb(ramp)
    assert len(np.unique(colours[:, 0])) > 5
    assert np.all(colours[:, 1:] == 128)


def test_more_components_than_dimensions_are_refused(store: EmbeddingStore) -> None:
    with pytest.raises(StoreError, match="1 to 12"):
        fit_pca(store, components=13)


def test_the_same_embedding_everywhere_is_refused(tmp_path: Path) -> None:
    tile = tile_at(0)
    rows = TileRows(tile, (np.full((tile.rows, 5), 0.1, np.float32),), np.ones(tile.rows, np.float32))
    with pytest.raises(StoreError, match="same embedding everywhere"):
        fit_pca(make_store(tmp_path, [rows]))


def test_numbers_that_are_not_finite_are_refused_where_valid(tmp_path: Path) -> None:
    rows = rows_at(tile_at(0))
    rows.embeddings[0][3, 2] = np.inf
    with pytest.raises(StoreError, match="finite"):
        fit_pca(make_store(tmp_path, [rows], meta_of(dtype="float32")))


def test_a_kept_pca_is_used_again_for_the_same_store_only(
    store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of(store, window=1)
    first = pca_of(view)
    kept = store.folder.parent / "pca" / "layer0_k3_w1_keep_whole.npz"
    assert np.array_equal(Pca.load(kept).components, first.components)
    with monkeypatch.context() as patched:
        patched.setattr(fitting, "moments", lambda *_: pytest.fail("fitted twice"))
        assert np.array_equal(pca_of(view).low, first.low)
    Pca(0, 1, first.mean * 0, first.components, first.explained_variance_ratio, first.low, first.high).save(
        kept, "other"
    )
    assert np.array_equal(pca_of(view).mean, first.mean)


def test_a_fit_on_surroundings_keeps_its_window_and_an_even_one_is_refused(store: EmbeddingStore) -> None:
    rows = np.concatenate(
        [values[valid > 0] for _, values, valid in view_of(store, window=3).tiles()]
    ).astype(np.float64)
    found = fit_pca(store, window=3)
    _, _, directions = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    assert np.allclose(np.abs(found.components @ directions[:3].T), np.eye(3), atol=1e-4)
    view = view_of(store, window=3)
    assert pca_of(view).window == pca_of(view).window == 3
    assert pca_of(view_of(store, window=1)).window == 1
    with pytest.raises(StoreError, match="it is odd"):
        fit_pca(store, window=2)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_components_are_those_of_scikit_learn(tmp_path: Path, dtype: str) -> None:
    from sklearn.decomposition import PCA

    rows = [rows_at(tile_at(column, row, side=16), dims=(24,)) for row in range(3) for column in range(4)]
    store = make_store(tmp_path, rows, meta_of(dims=(24,), dtype=dtype))
    found, theirs = fit_pca(store, components=6), PCA(6, svd_solver="full").fit(valid_rows(store))
    for own, other in zip(found.components, theirs.components_, strict=True):
        assert np.allclose(own, other * np.sign(own @ other), atol=1e-4)
    assert np.allclose(found.explained_variance_ratio, theirs.explained_variance_ratio_, atol=1e-4)
    assert np.allclose(
        np.abs(found.project(valid_rows(store))), np.abs(theirs.transform(valid_rows(store))), atol=1e-3
    )


def test_rows_of_windows_with_padding_take_part_only_where_asked(tmp_path: Path) -> None:
    rows = [rows_at(tile_at(column), gaps=8 if column == 0 else 0) for column in range(4)]
    store = make_store(tmp_path, rows)
    whole, every = fit_pca(store), fit_pca(store, windows="all")
    assert (whole.rows, whole.windows) == (48, "whole")
    assert (every.rows, every.windows) == (56, "all")
    halves = make_store(tmp_path / "halves", [rows_at(tile_at(column), gaps=8) for column in range(4)])
    assert fit_pca(halves).windows == "all"  # no window is whole


@pytest.mark.parametrize("few", [1000, 10], ids=["by products of rows", "by Krylov iteration"])
def test_components_of_very_many_numbers_are_found_without_their_covariance_and_are_the_same(
    store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    wanted = fit_pca(store, components=4)
    monkeypatch.setattr(fitting, "WIDE", 10)
    monkeypatch.setattr(wide_components, "_FEW_ROWS", few)
    monkeypatch.setattr(wide_components, "_MORE", 1)
    found = fit_pca(store, components=4)
    assert found.rows == wanted.rows
    for name in ("mean", "components", "explained_variance_ratio", "low", "high"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=1e-4), name


def test_of_a_large_store_of_very_many_numbers_evenly_spread_rows_are_taken_and_counted(
    store: EmbeddingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = valid_rows(store)
    monkeypatch.setattr(fitting, "WIDE", 10)
    monkeypatch.setattr(wide_components, "_MOST_NUMBERS", len(every) * 12 // 3 + 12)
    found = fit_pca(store)
    assert found.rows == len(every[::3])
    assert found.mean == pytest.approx(every[::3].mean(axis=0), abs=1e-5)
    few = make_store(tmp_path / "few", [rows_at(tile_at(0, side=1), dims=(12,)), rows_at(tile_at(2, side=1), dims=(12,))],
                     meta_of(dims=(12,), dtype="float32"))  # fmt: skip
    assert fit_pca(few).explained_variance_ratio == pytest.approx([1, 0, 0], abs=1e-6)
    one = make_store(
        tmp_path / "one", [rows_at(tile_at(0, side=1), dims=(12,))], meta_of(dims=(12,), dtype="float32")
    )
    with pytest.raises(StoreError, match="two or more"):
        fit_pca(one)

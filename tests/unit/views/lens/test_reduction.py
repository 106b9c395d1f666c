"""The file that the browser gets: made once, renewed with the store, and honest on what it does not hold."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import StoreError
from engine.store.schema import TileRows
from engine.store.store import EmbeddingStore
from engine.views.comparing.basis import basis_of
from engine.views.layer_view import view_of
from engine.views.lens.kinds import anomaly_lens, components_lens, similarity_lens
from engine.views.lens.norms import norms_of
from engine.views.lens.overview import pieces_path, read_pieces
from engine.views.lens.reduction import reduction_of
from engine.views.lens.reduction_file import read_numbers
from engine.views.lens.scalar_file import scalar_file
from engine.views.pca import pca_of
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at

_DIMS = (40,)


def store_of(folder: Path, seed: int = 0, dims: tuple[int, ...] = _DIMS) -> EmbeddingStore:
    tiles = [rows_at(tile_at(column, side=5), dims, seed, gaps=column % 3) for column in range(6)]
    return make_store(folder, tiles, meta_of(dims, "float32"))


def test_numbers_are_the_projections_to_half_a_step_and_gaps_are_gaps(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    reduction = reduction_of(view_of(store, window=1))
    found, has_data = reduction.numbers(), store.read_valid_fraction() > 0
    wanted = reduction.basis.project(store.read())
    scales = np.array(reduction.header.scales)
    inside = np.abs(wanted) < 127 * scales
    assert np.isnan(found[~has_data]).all()
    assert np.abs((found - wanted) / scales)[has_data][inside[has_data]].max() < 0.51
    assert reduction.header.components == 32
    assert reduction.header.share == pytest.approx(reduction.basis.explained_variance_ratio.sum())


def test_a_file_is_made_once_and_anew_for_another_store_or_view(tmp_path: Path) -> None:
    view = view_of(store_of(tmp_path), window=1)
    first = reduction_of(view)
    written = first.path.stat().st_mtime_ns
    assert reduction_of(view).path.stat().st_mtime_ns == written
    wider = reduction_of(view_of(view.store, window=3))
    assert wider.path != first.path
    for part in view.store.parts:
        part.path.touch()
    again = reduction_of(view_of(EmbeddingStore.open(view.store.folder), window=1))
    assert again.path == first.path
    assert again.header.identity != first.header.identity


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    view = view_of(store_of(tmp_path), window=1)
    path = reduction_of(view).path
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert reduction_of(view).path.read_bytes() == whole


def test_more_components_are_taken_where_thirty_two_show_too_little(tmp_path: Path) -> None:
    dims = (120,)
    rows = rows_at(tile_at(0, side=24), dims)
    rows.embeddings[0][:] = np.random.default_rng(0).standard_normal(rows.embeddings[0].shape)
    reduction = reduction_of(view_of(make_store(tmp_path, [rows], meta_of(dims, "float32")), window=1))
    assert reduction.header.components == 64
    assert reduction.header.share < 0.9


def test_a_large_store_is_thinned_to_means_and_a_patch_still_names_its_row(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    view = view_of(store, window=1)
    thinned = reduction_of(view, most_bytes=2000)
    assert thinned.header.step == 2
    assert thinned.header.patches == 6 * 9
    assert [thinned.row_of(number) for number in (0, 1, 3, 9, 53)] == [0, 2, 10, 25, 149]
    values = thinned.basis.project(store.read()).reshape(6, 5, 5, -1)
    assert thinned.numbers()[0] == pytest.approx(
        values[0, :2, :2].mean(axis=(0, 1)), abs=max(thinned.header.scales)
    )
    with pytest.raises(StoreError, match="not in this store"):
        thinned.row_of(54)


def test_a_basis_is_applied_to_another_store_and_refused_by_other_embeddings(tmp_path: Path) -> None:
    first, second = store_of(tmp_path / "a"), store_of(tmp_path / "b", seed=1)
    basis = reduction_of(view_of(first, window=1)).basis
    other = reduction_of(view_of(second, window=1), basis)
    own = reduction_of(view_of(second, window=1))
    assert other.path != own.path
    assert np.array_equal(other.basis.components, basis.components)
    has_data = second.read_valid_fraction() > 0
    lens = components_lens(basis, (0, 1, 2))
    exact, seen = lens.steps(second.read()[has_data]), lens.reduced(basis).steps(other.numbers()[has_data])
    assert np.median(np.abs(exact.astype(int) - seen)) <= 2
    with pytest.raises(StoreError, match="same backbone and layer"):
        reduction_of(view_of(store_of(tmp_path / "c", dims=(8,)), window=1), basis)
    with pytest.raises(StoreError, match="same backbone and layer"):
        lens.reduced(reduction_of(view_of(store_of(tmp_path / "d", dims=(8,)), window=1)).basis)


def _one_patch() -> TileRows:
    return rows_at(tile_at(0, side=1), _DIMS)


def _constant() -> TileRows:
    rows = rows_at(tile_at(0), _DIMS)
    rows.embeddings[0][:] = 3.5
    return rows


def _not_finite() -> TileRows:
    rows = rows_at(tile_at(0), _DIMS)
    rows.embeddings[0][3] = np.nan
    return rows


@pytest.mark.parametrize(
    ("rows", "words"),
    [(_one_patch, "1 patches with valid pixels"), (_constant, "same embedding everywhere"), (_not_finite, "not finite")],
)  # fmt: skip
def test_stores_without_a_picture_are_told(tmp_path: Path, rows: object, words: str) -> None:
    assert callable(rows)
    made = rows()
    store = make_store(tmp_path, [made], meta_of(_DIMS, "float32"))
    with pytest.raises(StoreError, match=words):
        reduction_of(view_of(store, window=1))
    assert not list(tmp_path.glob("overlays/*.bin"))


def test_lenses_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    basis = reduction_of(view_of(store_of(tmp_path), window=1)).basis
    with pytest.raises(StoreError, match="one or three from 1 to 32"):
        components_lens(basis, (0, 1))
    with pytest.raises(StoreError, match="one or three from 1 to 32"):
        components_lens(basis, (32,))
    with pytest.raises(StoreError, match="no patch to be similar to"):
        similarity_lens(basis.mean, np.zeros((0, 40)))
    with pytest.raises(StoreError, match="do not differ"):
        similarity_lens(basis.mean, basis.mean[None])
    with pytest.raises(StoreError, match="another mean"):
        similarity_lens(basis.mean + 1, np.ones((1, 40))).reduced(basis)


def test_rows_of_a_view_are_those_of_its_tiles_with_neighbours_and_in_any_order(tmp_path: Path) -> None:
    view = view_of(store_of(tmp_path), window=3)
    everything = np.concatenate([values.reshape(-1, 40) for _, values, _ in view.tiles()])
    asked = [149, 3, 77, 3]
    assert np.array_equal(view.rows(asked), everything[asked])
    assert replace(view).rows([]).shape == (0, 40)
    with pytest.raises(StoreError, match="150 rows"):
        view.rows([150])


def test_the_pieces_of_a_large_store_are_its_patches_and_only_tiles_that_it_has_are_given(
    tmp_path: Path,
) -> None:
    view = view_of(store_of(tmp_path), window=1)
    whole = reduction_of(view)
    numbers = np.array(read_numbers(whole.path, whole.header))
    thinned = reduction_of(view, most_bytes=2000)
    assert thinned.header.facts["pieces"] is True
    found = np.frombuffer(read_pieces(thinned.path, [(4, 1), (1, 2)]), np.int8).reshape(75, -1)
    assert np.array_equal(found, np.concatenate([numbers[100:125], numbers[25:75]]))
    for runs in ([(6, 1)], [(5, 2)], [(0, 0)]):
        with pytest.raises(StoreError, match="6 tiles"):
            read_pieces(thinned.path, runs)
    pieces_path(thinned.path).unlink()
    with pytest.raises(StoreError, match="no pieces"):
        read_pieces(thinned.path, [(0, 1)])
    assert reduction_of(view, most_bytes=2000).header == thinned.header
    assert read_pieces(thinned.path, [(0, 1)]) == numbers[:25].tobytes()


def test_colours_of_distances_leave_few_beyond_their_ends_however_they_are_distributed(
    tmp_path: Path,
) -> None:
    rows = rows_at(tile_at(0, side=30), _DIMS)
    rows.embeddings[0][:] *= (
        np.random.default_rng(2).pareto(1.5, (900, 1)) + 0.1
    )  # a few are far from all others
    view = view_of(make_store(tmp_path, [rows], meta_of(_DIMS, "float32")), window=1)
    reduction = reduction_of(view)
    found = anomaly_lens(reduction.basis, reduction.deviations)
    low_high = reduction.range_of(found)
    steps = anomaly_lens(reduction.basis, reduction.deviations, low_high=low_high).steps(view.store.read())
    assert (found.steps(view.store.read()) == 255).mean() > 0.1  # as if they were normally distributed
    assert 0.01 < (steps == 255).mean() < 0.04


def test_components_of_another_store_are_taken_only_of_the_same_encoder_and_view(tmp_path: Path) -> None:
    view = view_of(store_of(tmp_path / "a"), window=1)
    same = view_of(store_of(tmp_path / "b", seed=1), window=1)
    assert np.array_equal(basis_of(same, view, 3).components, pca_of(same, 3).components)
    rows = [rows_at(tile_at(column, side=5), _DIMS) for column in range(2)]
    other = view_of(
        make_store(tmp_path / "c", rows, meta_of(_DIMS, "float32", weights_sha256="ab" * 32)), window=1
    )
    with pytest.raises(StoreError, match="other weights"):
        basis_of(other, view, 3)
    with pytest.raises(StoreError, match="same for both"):
        basis_of(replace(same, window=3), view, 3)


def test_files_that_went_away_are_told_and_never_make_a_deleted_store_anew(tmp_path: Path) -> None:
    store = store_of(tmp_path / "run")
    view = view_of(store)
    found = reduction_of(view)
    found.path.unlink()
    for ask in (found.bounds_lonlat, found.numbers):
        with pytest.raises(StoreError, match="has gone"):
            ask()
    shutil.rmtree(tmp_path / "run")
    for make in (reduction_of, norms_of, pca_of):
        with pytest.raises(StoreError, match="have gone"):
            make(view)
    assert not (tmp_path / "run").exists()


def test_patches_that_a_web_map_cannot_place_are_counted(tmp_path: Path) -> None:
    near = tile_at(0)
    far = replace(tile_at(1), id="pole", crs="EPSG:3413", transform=(30.0, 0, -900.0, 0, -30.0, 900.0))
    found = reduction_of(
        view_of(make_store(tmp_path, [rows_at(near), rows_at(far)], meta_of(dtype="float32")), window=1)
    )
    assert found.left_out == 16 and reduction_of(view_of(store_of(tmp_path / "all"))).left_out == 0


@pytest.mark.parametrize("is_class", [False, True])
def test_one_number_a_patch_of_a_large_store_is_an_overview_with_pieces(
    tmp_path: Path, is_class: bool
) -> None:
    tiles = [tile_at(column, side=5) for column in range(3)]
    numbers = np.random.default_rng(0).uniform(0, 3, (3, 5, 5))
    numbers = np.floor(numbers) if is_class else numbers
    numbers[0, :2, :3] = np.nan
    whole, thinned = (
        scalar_file(
            tmp_path / name, "one", 3.0, lambda: zip(tiles, numbers, strict=True), is_class=is_class, most_bytes=most
        )
        for name, most in (("whole.bin", 10_000), ("thin.bin", 500))
    )  # fmt: skip
    assert (whole.step, thinned.step, thinned.facts["pieces"]) == (1, 2, True)
    assert (
        read_pieces(tmp_path / "thin.bin", [(0, 3)]) == read_numbers(tmp_path / "whole.bin", whole).tobytes()
    )
    stored = read_numbers(tmp_path / "thin.bin", thinned).astype(float)
    seen = stored[:, :2] @ np.array(thinned.scales)
    seen[stored[:, 0] == -128] = np.nan
    block = numbers[1, 2:4, 2:4]
    assert np.isnan(seen[0]) and seen[1] == pytest.approx(
        np.nanmean(numbers[0, :2, 2:4]) if not is_class else numbers[0, 0, 3], abs=1e-3
    )
    assert seen[9 + 4] == pytest.approx(block[0, 0] if is_class else block.mean(), abs=1e-3)
    (tmp_path / "thin-pieces.bin").unlink()
    again = scalar_file(
        tmp_path / "thin.bin", "one", 3.0, lambda: zip(tiles, numbers, strict=True), most_bytes=500
    )
    assert again.step == 2 and (tmp_path / "thin-pieces.bin").is_file()

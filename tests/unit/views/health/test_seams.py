"""The seam score is a plain ratio of steps, and says nothing where there is nothing to say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.store.schema import StoredTile, TileRows
from engine.store.store import EmbeddingStore
from engine.views.health.seams import seam_score, shown_seam_score
from engine.views.layer_view import view_of
from engine.views.position import place_means
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at


def ramp(tile: StoredTile, jump: float, columns: int) -> TileRows:
    """One number a row: 1 more to each side, and `jump` more from tile to tile across."""
    row, column = np.mgrid[0 : tile.h, 0 : tile.w]
    values = (row + column).astype(np.float32) + columns * (tile.w - 1 + jump)
    return TileRows(tile, (values.reshape(-1, 1),), np.ones(tile.rows, np.float32))


def ramps(folder: Path, jump: float, count: int = 3) -> EmbeddingStore:
    rows = [ramp(tile_at(column), jump, column) for column in range(count)]
    return make_store(folder, rows, meta_of((1,), "float32"))


@pytest.mark.parametrize("jump", [0.0, 1.0, 4.0])
def test_the_score_is_the_step_across_over_the_step_inside(tmp_path: Path, jump: float) -> None:
    assert seam_score(ramps(tmp_path, jump)) == pytest.approx(jump, abs=1e-5)


def test_a_sample_of_many_borders_scores_as_all_of_them(tmp_path: Path) -> None:
    store = ramps(tmp_path, 2.0, 12)
    assert seam_score(store, most_pairs=3) == pytest.approx(seam_score(store, most_pairs=100))


def test_rows_with_gaps_are_not_stepped_over(tmp_path: Path) -> None:
    tiles = [ramp(tile_at(column), 1.0, column) for column in range(2)]
    values, valid = tiles[1].embeddings[0].copy(), tiles[1].valid_fraction.copy()
    values[:4], valid[:4] = 1e4, 0.5  # its first row
    tiles[1] = replace(tiles[1], embeddings=(values,), valid_fraction=valid)
    assert seam_score(make_store(tmp_path, tiles, meta_of((1,), "float32"))) == pytest.approx(1.0, abs=1e-5)


def test_tiles_below_one_another_meet_too_and_those_of_other_zones_or_dates_do_not(tmp_path: Path) -> None:
    below = make_store(tmp_path / "a", [rows_at(tile_at(0, 0)), rows_at(tile_at(0, 1))])
    assert seam_score(below) is not None
    other_zone = make_store(tmp_path / "b", [rows_at(tile_at(0)), rows_at(tile_at(1, crs="EPSG:32617"))])
    assert seam_score(other_zone) is None
    later = replace(tile_at(1), datetimes=("2021-06-01T00:00:00+00:00",))
    assert seam_score(make_store(tmp_path / "c", [rows_at(tile_at(0)), rows_at(later)])) is None


def test_one_tile_or_flat_ground_has_no_score(tmp_path: Path) -> None:
    assert seam_score(make_store(tmp_path / "a", [rows_at(tile_at(0))])) is None
    flat = [
        TileRows(tile_at(column), (np.ones((16, 5), np.float32),), np.ones(16, np.float32))
        for column in (0, 1)
    ]
    assert seam_score(make_store(tmp_path / "b", flat)) is None


def test_the_score_of_what_is_shown_is_that_of_means_over_neighbours_and_without_position(
    tmp_path: Path,
) -> None:
    rows = [rows_at(tile_at(column, side=6), (4,), seed=column) for column in range(8)]
    grid = np.indices((6, 6)).reshape(2, -1).T @ np.array([[3.0, 0, 1, 0], [0, 5.0, 0, 1]])
    for one in rows:
        one.embeddings[0][:] += grid  # a jump at each border
    store = make_store(tmp_path, rows, meta_of((4,), "float32"))
    kept = shown_seam_score(view_of(store, window=1))
    assert kept == pytest.approx(seam_score(store))
    removed, smooth = view_of(store, window=1, position="remove"), view_of(store, window=3)
    for view in (removed, smooth):
        found = shown_seam_score(view)
        assert found is not None
        assert kept is not None
        assert found < 0.7 * kept
    assert place_means(store, 0, shown=view_of(store, window=1).tiles()).share == place_means(store, 0).share
    left = place_means(store, 0, shown=removed.tiles(2)).share
    assert left is not None
    assert left < 0.1 < 0.5 < (place_means(store, 0).share or 0)

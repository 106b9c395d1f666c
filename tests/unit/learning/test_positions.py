"""Position is taken off before a decoder learns, and the same means are taken off wherever it is applied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import StoreError
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import TrainConfig, config_hash
from engine.learning.dataset import read_features
from engine.learning.evaluate import evaluate
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.predict import predict_tiles
from engine.learning.positions import Positions, measure_positions
from engine.learning.train import train
from engine.store.schema import StoredTile, TileRows
from engine.store.store import EmbeddingStore
from tests.predicted_map import predict_map
from tests.unit.store.stores import make_store, meta_of, tile_at

SIDE, DIMS = 4, (3, 2)


def rows_of(place: float, seed: int = 0, side: int = SIDE, count: int = 4) -> list[TileRows]:
    """count x count windows of ground to which their place adds so much."""
    of_place = [place * np.random.default_rng(dim).normal(size=(side, side, dim)) for dim in DIMS]
    of_place = [offset - offset.mean(axis=(0, 1)) for offset in of_place]
    rng = np.random.default_rng(seed)
    return [
        _rows(
            tile_at(index % count, index // count, side=side),
            [offset + rng.normal(size=offset.shape) for offset in of_place],
        )
        for index in range(count * count)
    ]


def store_of(folder: Path, place: float, side: int = SIDE, odd: int = 0) -> EmbeddingStore:
    """A store of such windows, and so many of other shapes, each its own."""
    rng, rows = np.random.default_rng(1), rows_of(place, side=side)
    for index in range(odd):
        tile = replace(tile_at(20 + index, 20, side=side), in_window=(0, 0, side + 1 + index, side))
        rows.append(_rows(tile, [rng.normal(size=(side, side, dim)) for dim in DIMS]))
    return make_store(folder, rows, meta_of(DIMS, "float32"))


def _rows(tile: StoredTile, values: list[np.ndarray]) -> TileRows:
    flat = tuple(one.reshape(-1, one.shape[-1]).astype(np.float32) for one in values)
    return TileRows(tile, flat, np.ones(len(flat[0]), np.float32))


def test_means_of_the_training_tiles_are_the_same_after_they_were_saved_and_take_every_layer_s_position_off(
    tmp_path: Path,
) -> None:
    store = store_of(tmp_path / "store", place=10.0)
    measured = measure_positions(store, (0, 1), range(12))
    measured.save(tmp_path / "positions.safetensors")
    for layers in ((0, 1), (1, 0), (1,)):
        taken, again = (read_features(store, layers) for _ in range(2))
        measured.take_off(store, layers, taken)
        Positions.open(tmp_path / "positions.safetensors").take_off(store, layers, again)
        np.testing.assert_array_equal(taken, again)
        assert read_features(store, layers).std() > 8
        assert taken.std() < 1.5


def test_only_the_tiles_that_train_decide_the_means(tmp_path: Path) -> None:
    whole = store_of(tmp_path / "whole", 1.0)
    first = make_store(tmp_path / "first", rows := rows_of(1.0)[:6], meta_of(DIMS, "float32"))
    one = measure_positions(whole, (0,), range(len(rows))).means[0].offsets[SIDE, SIDE]
    np.testing.assert_array_equal(
        one, measure_positions(first, (0,), range(len(rows))).means[0].offsets[SIDE, SIDE]
    )


def test_windows_of_a_rare_shape_keep_their_position_and_that_is_told(tmp_path: Path) -> None:
    store = store_of(tmp_path / "store", 5.0, odd=2)
    measured = measure_positions(store, (0, 1), range(len(store.tiles)))
    kept = read_features(store, (0, 1))
    taken = kept.copy()
    measured.take_off(store, (0, 1), taken)
    np.testing.assert_array_equal(taken[-2 * SIDE**2 :], kept[-2 * SIDE**2 :])
    assert measured.note(store) == "2 of 18 tiles keep their position: windows of their shape are rare."
    assert measured.note(store_of(tmp_path / "other", 5.0)) is None


def test_windows_that_training_never_saw_are_refused(tmp_path: Path) -> None:
    measured = measure_positions(store_of(tmp_path / "store", 5.0), (0,), range(16))
    other = store_of(tmp_path / "other", 5.0, side=6)
    with pytest.raises(
        StoreError, match=r"windows of 6 x 6 patches, and position is known for windows of 4 x 4"
    ):
        measured.take_off(other, (0,), read_features(other, (0,)))


def test_a_place_that_was_seen_once_cannot_be_told_from_ground(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Set position: keep"):
        measure_positions(store_of(tmp_path, 5.0), (0,), [0])


def test_a_decoder_trained_without_position_is_evaluated_and_applied_without_it(
    write_chips: Callable[..., Path], config_of: Callable[..., TrainConfig], home: Path
) -> None:
    chips = write_chips()
    kept, config = (config_of(chips, epochs=3, position=choice) for choice in ("keep", "remove"))
    assert config_hash(kept) == config_hash(config_of(chips, epochs=3)) != config_hash(config)
    folder = home / "run"
    run_folder.create(folder, config)
    list(train(config, folder, home))
    run = TrainRun.open(folder)
    assert run.decoder.position == "remove"
    assert evaluate(folder) == run.scores
    assert predict_map(folder, run.store_folder, home / "map.tif", home).notes == ()
    store = EmbeddingStore.open(run.store_folder)
    without = dict(predict_tiles(run, store))
    run.positions.unlink()
    with pytest.raises(StoreError, match="Train again"):
        list(predict_tiles(run, store))
    assert len(without) == 9

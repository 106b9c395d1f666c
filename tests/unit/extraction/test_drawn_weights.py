"""Weights drawn from the scenes of a run: kept with its store, the same after a resume, usable on other scenes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from engine.errors import StoreError, WeightsError
from engine.extraction.extract import extract
from engine.files import file_sha256
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.events import Noticed
from engine.store.check import check_store
from engine.store.store import ENCODER, EmbeddingStore
from tests.unit.store.stores import stop_after_the_first_part

WriteRaster = Callable[..., Path]


def config_for(path: Path, **changes: object) -> ExtractConfig:
    tree = {
        "kind": "extract", "scene": {"source": "file", "path": str(path)},
        "backbone": {"name": "rcf", "settings": {"features": "64"}}, "tiles": {"size_px": 32}, "device": "cpu",
    }  # fmt: skip
    parsed = parse_config(tree | changes)
    assert isinstance(parsed, ExtractConfig)
    return parsed


def with_weights(weights: str) -> dict[str, object]:
    return {"name": "rcf", "settings": {"features": "64"}, "weights": weights}


def run(config: ExtractConfig, folder: Path) -> EmbeddingStore:
    list(extract(config, folder, folder.parent))
    return EmbeddingStore.open(folder)


def rows(store: EmbeddingStore) -> np.ndarray:
    return np.stack(gpd.read_parquet(store.folder).embedding)


@pytest.fixture
def scene(write_raster: WriteRaster) -> Path:
    pixels = np.random.default_rng(0).integers(100, 4000, (6, 128, 96)).astype(np.int16)
    pixels[:, :20, :30] = -9999
    return write_raster("scene.tif", pixels)


def test_the_store_keeps_what_was_drawn_and_names_it_by_its_hash(scene: Path, tmp_path: Path) -> None:
    config = config_for(scene)
    events = list(extract(config, tmp_path / "run", tmp_path))
    store = EmbeddingStore.open(tmp_path / "run")
    assert store.meta.weights_sha256 == file_sha256(store.folder / ENCODER)
    assert any(isinstance(event, Noticed) and "without pretraining" in event.message for event in events)
    assert check_store(store.folder) == []
    assert rows(store).shape[1] == 64  # readers of Parquet pass over the file beside the parts


def test_the_same_run_draws_the_same_and_another_seed_does_not(scene: Path, tmp_path: Path) -> None:
    first, again = (run(config_for(scene), tmp_path / name) for name in ("a", "b"))
    other = run(config_for(scene, seed=1), tmp_path / "c")
    assert first.meta.weights_sha256 == again.meta.weights_sha256 != other.meta.weights_sha256


def test_other_ground_gets_the_same_features_from_the_kept_file(
    scene: Path, write_raster: WriteRaster, tmp_path: Path
) -> None:
    store = run(config_for(scene), tmp_path / "run")
    darker = write_raster("other.tif", np.full((6, 64, 64), 500, np.int16))
    kept = with_weights(str(store.folder / ENCODER))
    there = run(config_for(darker, backbone=kept), tmp_path / "other")
    here = run(config_for(scene, backbone=kept), tmp_path / "again")
    assert there.meta.weights_sha256 == here.meta.weights_sha256 == store.meta.weights_sha256
    assert (there.folder / ENCODER).read_bytes() == (store.folder / ENCODER).read_bytes()
    np.testing.assert_array_equal(rows(here), rows(store))


def test_a_stopped_run_goes_on_with_what_it_had_drawn(
    write_raster: WriteRaster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.random.default_rng(0).integers(100, 4000, (6, 384, 384)).astype(np.int16)
    config, folder = config_for(write_raster("large.tif", pixels), batch_size=1), tmp_path / "run"
    undisturbed = run(config, tmp_path / "whole")
    stop_after_the_first_part(extract(config, folder, tmp_path), folder, monkeypatch)
    before = (folder / "store.unfinished" / ENCODER).stat().st_mtime_ns
    resumed = run(config, folder)
    assert (resumed.folder / ENCODER).stat().st_mtime_ns == before
    assert resumed.meta.weights_sha256 == undisturbed.meta.weights_sha256
    np.testing.assert_array_equal(rows(resumed), rows(undisturbed))


def test_a_folder_with_a_store_of_another_backbone_is_left_as_it_is(scene: Path, tmp_path: Path) -> None:
    store = run(config_for(scene, backbone={"name": "raw"}), tmp_path / "run")
    with pytest.raises(StoreError, match="holds the store of another backbone"):
        run(config_for(scene), tmp_path / "run")
    assert not (store.folder / ENCODER).exists()


def test_a_kept_file_that_has_changed_is_told_by_the_check(scene: Path, tmp_path: Path) -> None:
    store = run(config_for(scene), tmp_path / "run")
    with (store.folder / ENCODER).open("ab") as file:
        file.write(b" ")
    (problem,) = check_store(store.folder)
    assert problem.part == ENCODER


def test_a_path_without_a_file_is_refused_in_words(scene: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is not a file"):
        run(config_for(scene, backbone=with_weights(str(tmp_path / "nothing"))), tmp_path / "run")


def test_random_patches_need_no_scene_and_keep_nothing(scene: Path, tmp_path: Path) -> None:
    store = run(config_for(scene, backbone=with_weights("random")), tmp_path / "run")
    assert store.meta.is_random
    assert not (store.folder / ENCODER).exists()

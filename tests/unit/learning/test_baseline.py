from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.extraction.extract import ensure_store, store_folder
from engine.imagery.chip import read_mask
from engine.imagery.grid import Tile
from engine.imagery.places import chip_scenes
from engine.imagery.rasters import open_raster
from engine.jobs.config import TrainConfig
from engine.labels.sidecar import labels_for, read_labels
from engine.learning.baseline import choose_threshold, normalised_burn_ratio, raw_config, score_threshold
from engine.learning.evaluate import truth_of
from engine.learning.metrics import Confusion
from engine.store.store import EmbeddingStore


@pytest.fixture
def raw(train_config: TrainConfig, home: Path) -> EmbeddingStore:
    list(ensure_store(train_config.store, home))
    return EmbeddingStore.open(store_folder(train_config.store, home))


def test_the_chosen_threshold_is_the_best_of_all_by_brute_force(
    raw: EmbeddingStore, train_config: TrainConfig, home: Path
) -> None:
    truth = read_labels(labels_for(raw, train_config.labels, home), raw)
    places = truth_of(raw, truth, [0, 1, 2, 3])
    chosen = score_threshold(raw, places, choose_threshold(raw, places))["iou_burned"]
    tried = [score_threshold(raw, places, float(t))["iou_burned"] for t in np.linspace(-1, 1, 81)]
    assert chosen >= max(tried)


def test_scores_equal_those_computed_from_the_pixels_themselves(
    raw: EmbeddingStore, train_config: TrainConfig, home: Path
) -> None:
    truth = read_labels(labels_for(raw, train_config.labels, home), raw)
    scene = chip_scenes(Path(train_config.store.scene.path))[6]
    with open_raster(scene.path) as dataset:
        nir, swir = dataset.read([4, 6])
    index = [tile.id for tile in raw.tiles].index(scene.id)
    tile = raw.tiles[index]
    mask = read_mask(
        scene.mask_path, Tile(tile.id, tile.crs, tile.pixel_transform, tile.height_px, tile.width_px)
    )
    expected = Confusion.of(mask, (nir - swir) / (nir + swir) <= 0.1)
    assert score_threshold(raw, truth_of(raw, truth, [index]), 0.1)["confusion"] == expected.counts.tolist()


def test_dark_pixels_without_any_reflectance_are_not_called_burnt() -> None:
    assert normalised_burn_ratio(np.array([0.0, -0.01, 0.2]), np.array([0.0, -0.02, 0.2])).tolist() == [
        1,
        1,
        0,
    ]


def test_the_baseline_reads_the_same_tiles_as_the_store(raw: EmbeddingStore, home: Path) -> None:
    config = raw_config(raw)
    list(ensure_store(config, home))
    other = EmbeddingStore.open(store_folder(config, home))
    assert [tile.id for tile in other.tiles] == [tile.id for tile in raw.tiles]
    assert config.backbone.name == "raw"

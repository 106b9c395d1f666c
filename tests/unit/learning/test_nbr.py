from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.extraction.extract import ensure_store, store_folder
from engine.imagery.places import chip_scenes
from engine.imagery.rasters import open_raster
from engine.jobs.config import TrainConfig
from engine.labels.build import labels_for
from engine.labels.label_raster import read_label_raster
from engine.labels.reading import BURNED_OR_NOT
from engine.labels.sidecar import read_labels
from engine.learning.baselines.nbr import NbrThreshold, normalised_burn_ratio, raw_config
from engine.learning.metrics import Confusion
from engine.learning.tasks.table import BURN_SCARS
from engine.learning.truth import labelled_tiles
from engine.store.store import EmbeddingStore

RULE = NbrThreshold(BURN_SCARS)


@pytest.fixture
def raw(train_config: TrainConfig, home: Path) -> EmbeddingStore:
    list(ensure_store(train_config.store, home))
    return EmbeddingStore.open(store_folder(train_config.store, home))


def test_the_chosen_threshold_is_the_best_of_all_by_brute_force(
    raw: EmbeddingStore, train_config: TrainConfig, home: Path
) -> None:
    truth = read_labels(labels_for(raw, train_config.labels, home), raw)
    tiles = labelled_tiles(raw, truth, [0, 1, 2, 3])
    chosen = RULE.score(raw, tiles, RULE.fit(raw, tiles))["iou_burned"]
    tried = [RULE.score(raw, tiles, {"threshold": float(t)})["iou_burned"] for t in np.linspace(-1, 1, 81)]
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
    mask = read_label_raster(scene.mask_path, tile, BURNED_OR_NOT)
    expected = Confusion.of(mask, (nir - swir) / (nir + swir) <= 0.1)
    found = RULE.score(raw, labelled_tiles(raw, truth, [index]), {"threshold": 0.1})
    assert found["confusion"] == expected.counts.tolist()


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

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from engine.errors import LabelError
from engine.extraction.extract import ensure_store, store_folder
from engine.extraction.pixels.pixel_gaps import pixels_with_data
from engine.imagery.raster.rasters import open_raster
from engine.imagery.sources.chip_folder import chip_scenes
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ExtractConfig, LabelsConfig, TrainConfig, parse_config
from engine.jobs.events import Noticed, TestDone
from engine.labels.build import labels_for
from engine.labels.label_raster import read_label_raster
from engine.labels.reading import BURNED_OR_NOT
from engine.labels.sidecar import read_labels
from engine.learning.baselines.nbr import NbrThreshold, normalised_burn_ratio
from engine.learning.baselines.raw_stores import raw_config
from engine.learning.metrics import Confusion
from engine.learning.tasks.table import BURN_SCARS
from engine.learning.train import train
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
    with open_raster(scene.assets["red"].path) as dataset:
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


TILES = [
    {},
    {"size_px": 32},
    {"size_px": 32, "overlap_px": 16},
    {"size_px": 32, "overlap_px": 16, "merge": "blend"},
    {"size_px": 32, "overlap_px": 24, "merge": "blend"},
    {"size_px": 16, "overlap_px": 8},
    {"size_px": 32, "overlap_px": 16, "stride_px": 2},
    {"size_px": 32, "overlap_px": 16, "merge": "blend", "stride_px": 1},
    {"size_px": 20, "gsd_m": 40.0},
    {"size_px": 30, "unreadable": "skip"},
    {"size_px": 27, "overlap_px": 5},
]


@pytest.mark.parametrize(("tiles", "patch_px"), zip(TILES, cycle((1, 4, 8)), strict=False), ids=str)
@pytest.mark.parametrize("is_chips", [True, False])
def test_the_baseline_reads_every_labelled_pixel_of_the_store_whatever_the_settings_of_its_tiles(
    is_chips: bool, tiles: dict[str, Any], patch_px: int, write_chips: Callable[..., Path], scene_file: Path,
    write_raster: Callable[..., Path], home: Path,
) -> None:  # fmt: skip
    chips = write_chips()
    _halve(chips / "data" / "chip3_merged.tif")
    scene = (
        {"source": "chips", "path": str(chips)} if is_chips else {"source": "file", "path": str(scene_file)}
    )
    settings = {**({} if is_chips else {"size_px": 96}), **tiles}
    if patch_px == 1:  # no row is smaller than a pixel
        settings.pop("stride_px", None)
    config = parse_config({
        "kind": "extract", "scene": scene, "device": "cpu", "tiles": settings,
        "backbone": {"name": "raw", "settings": {"patch_px": str(patch_px)}},
    })  # fmt: skip
    store = made(config, home)
    truth = (np.random.default_rng(0).random((1, 96, 96)) > 0.5).astype(np.int16)
    drawn = LabelsConfig(source="raster", path=str(write_raster("truth.tif", truth, names=None)))
    has_data, _ = pixels_with_data(store, home)
    config_of_labels = LabelsConfig() if is_chips else drawn
    labels = read_labels(labels_for(store, config_of_labels, home, pixels_with_data=has_data), store)
    raw = made(parse_config(raw_config(store).model_dump()), home)
    every = labelled_tiles(store, labels, range(len(store.tiles)))
    assert RULE.score(raw, every, {"threshold": 0.1})["pixels"] == (labels >= 0).sum()


@pytest.fixture
def season(home: Path, write_chips: Callable[..., Path]) -> Path:
    """The chips as a season of two dates: green ground before the fires."""
    folder = write_chips("home/data/simulated-0")
    (folder / "pre").mkdir()
    for path in folder.glob("data/*_merged.tif"):
        with rasterio.open(path) as dataset:
            burnt, profile, names = dataset.read(), dataset.profile, dataset.descriptions
        for date, part, pixels in (("2020-05-01", "pre", burnt * 0 + 0.2), ("2020-09-01", "data", burnt)):
            with rasterio.open(folder / part / path.name, "w", **profile) as out:
                out.write(pixels)
                out.descriptions = names
                out.update_tags(EMBERSCOPE_DATETIME=date)
    return folder


def training_on(date: str) -> TrainConfig:
    config = parse_config({
        "kind": "train", "device": "cpu", "epochs": 2, "head": {"name": "linear"},
        "store": {
            "kind": "extract", "scene": {"source": "simulated", "date": date}, "device": "cpu",
            "backbone": {"name": "raw", "temporal": "keep"},
        },
    })  # fmt: skip
    assert isinstance(config, TrainConfig)
    return config


@pytest.mark.usefixtures("season")
def test_of_dates_that_are_kept_apart_the_last_has_labels_and_a_baseline(home: Path) -> None:
    config = training_on("both")
    run_folder.create(home / "run", config)
    events = list(train(config, home / "run", home))
    scores = next(event.scores for event in events if isinstance(event, TestDone))
    assert scores["baseline"]["pixels"] == scores["pixels"] == 3 * 32 * 30
    assert scores["baseline"]["recall_burned"] > 0.95
    assert any(
        isinstance(e, Noticed) and "9 tile(s) of earlier dates have no labels" in e.message for e in events
    )


@pytest.mark.usefixtures("season")
def test_the_ground_before_the_fires_has_no_labels_to_learn_from(home: Path) -> None:
    with pytest.raises(LabelError, match="has no mask"):
        list(train(training_on("pre"), home / "run", home))


def made(config: ExtractConfig, home: Path) -> EmbeddingStore:
    list(ensure_store(config, home))
    return EmbeddingStore.open(store_folder(config, home))


def _halve(path: Path) -> None:
    """Keep the north-western quarter of a chip."""
    with rasterio.open(path) as dataset:
        pixels, names = dataset.read()[:, :16, :16], dataset.descriptions
        profile = {**dataset.profile, "height": 16, "width": 16}
    with rasterio.open(path, "w", **profile) as out:
        out.write(pixels)
        out.descriptions = names

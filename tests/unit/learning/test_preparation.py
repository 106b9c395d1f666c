"""What a configuration already tells is refused before an extraction starts; what is odd is said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from safetensors.numpy import load_file

from engine.errors import BackboneError, BadInput, ConfigError, LabelError, StoreError
from engine.extraction.extract import ensure_store, store_folder
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ExtractConfig, LabelsConfig, TrainConfig, parse_config
from engine.jobs.events import Event, Noticed, TestDone, TrainPlanned
from engine.jobs.job import Job
from engine.learning.keeping.result import TrainRun
from engine.learning.train import train
from engine.store.store import EmbeddingStore

WriteChips = Callable[..., Path]
ConfigOf = Callable[..., TrainConfig]


def run(config: TrainConfig, home: Path, name: str = "run") -> list[Event]:
    run_folder.create(home / name, config)
    return list(train(config, home / name, home))


def scores_of(events: list[Event]) -> dict[str, Any]:
    return next(event.scores for event in events if isinstance(event, TestDone))


def notices_of(events: list[Event]) -> str:
    return "\n".join(event.message for event in events if isinstance(event, Noticed))


def with_store(config: TrainConfig, **changes: object) -> TrainConfig:
    tree = config.model_dump()
    for key, value in changes.items():
        tree["store"][key] = {**tree["store"][key], **value} if isinstance(value, dict) else value
    changed = parse_config(tree)
    assert isinstance(changed, TrainConfig)
    return changed


def without_masks(config: TrainConfig, chips: Path) -> TrainConfig:
    for path in chips.glob("data/*.mask.tif"):
        path.unlink()
    return config


def without_splits(config: TrainConfig, chips: Path) -> TrainConfig:
    shutil.rmtree(chips / "splits")
    return config.model_copy(update={"split": config.split.model_copy(update={"by": "files"})})


def without_tests(config: TrainConfig, chips: Path) -> TrainConfig:
    (chips / "splits" / "test.txt").unlink()
    return config


def of_tiles(config: TrainConfig, _: Path) -> TrainConfig:
    return with_store(config, granularity="tile", pooling="mean")


def of_layers(*layers: int) -> Callable[[TrainConfig, Path], TrainConfig]:
    return lambda config, _: config.model_copy(update={"layers": layers})


def of_raster(config: TrainConfig, chips: Path) -> TrainConfig:
    labels = {"source": "raster", "path": str(chips / "nowhere.tif")}
    return config.model_copy(update={"labels": config.labels.model_copy(update=labels)})


def of_raster_elsewhere(config: TrainConfig, chips: Path) -> TrainConfig:
    profile = {"driver": "GTiff", "width": 8, "height": 8, "count": 1, "dtype": "uint8", "crs": "EPSG:4326"}
    path = chips / "elsewhere.tif"
    with rasterio.open(path, "w", transform=Affine(0.1, 0, 10, 0, -0.1, 50), **profile) as out:
        out.write(np.eye(8, dtype=np.uint8), 1)
    return config.model_copy(update={"labels": LabelsConfig(source="raster", path=str(path))})


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (without_masks, LabelError, "has no mask"),
        (without_splits, ConfigError, "none for train and validation and test"),
        (without_tests, ConfigError, r"leave none for test.*splits"),
        (of_tiles, StoreError, "granularity: patch"),
        (of_layers(5), BackboneError, "5"),
        (of_layers(0, 0), BackboneError, "0, 0"),
        (of_raster_elsewhere, LabelError, "covers none of the 9 tile"),
        (of_raster, LabelError, r"no file at .*nowhere\.tif"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_extraction(
    change: Callable[[TrainConfig, Path], TrainConfig], error: type[BadInput], words: str, write_chips: WriteChips,
    config_of: ConfigOf, home: Path,
) -> None:  # fmt: skip
    chips = write_chips()
    with pytest.raises(error, match=words):
        run(change(config_of(chips), chips), home)
    assert not list(home.glob("extract-*"))


@pytest.mark.parametrize("change", [of_layers(5), without_splits, of_tiles, without_masks, of_raster])
def test_the_same_is_refused_of_a_store_that_is_there(
    change: Callable[[TrainConfig, Path], TrainConfig],
    write_chips: WriteChips,
    config_of: ConfigOf,
    home: Path,
) -> None:
    chips = write_chips()
    config = change(config_of(chips), chips)
    assert isinstance(config.store, ExtractConfig)
    list(ensure_store(config.store, home))
    there = config.model_copy(update={"store": str(store_folder(config.store, home))})
    with pytest.raises(BadInput):
        run(there, home)
    assert len(list(home.glob("extract-*"))) == 1


def test_layers_count_from_the_end_as_in_an_extraction(
    write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    plain = config_of(write_chips(), epochs=1)
    tree = plain.model_dump()
    tree["store"]["backbone"] = {"name": "csmask_b4_l2a", "weights": "random", "layers": [0, 1, 2]}
    tree["layers"] = [-1, 0]
    config = parse_config(tree)
    assert isinstance(config, TrainConfig)
    assert isinstance(config.store, ExtractConfig)
    tree["store"]["backbone"]["layers"] = [-1]
    last = parse_config(tree["store"])
    assert isinstance(last, ExtractConfig)
    list(ensure_store(last, home))

    (number,) = EmbeddingStore.open(store_folder(last, home)).meta.layers
    tree["store"]["backbone"]["layers"] = [0, number]
    run(parse_config(tree), home)  # type: ignore[arg-type]
    assert TrainRun.open(home / "run").decoder.layers == (number, 0)


def test_weights_and_split_have_seeds_of_their_own(
    write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    chips = write_chips(splits=False)
    cards = {}
    for name, seed, own in (("a", 0, None), ("b", 1, 0), ("c", 0, 0), ("d", 1, None)):
        config = config_of(chips, epochs=1, seed=seed, split={"by": "place", "seed": own})
        run(config, home, name)
        cards[name] = TrainRun.open(home / name)
    splits = {name: card.decoder.split for name, card in cards.items()}
    assert splits["a"] == splits["b"] == splits["c"] != splits["d"]
    weights = {name: load_file(card.weights)["head.layers.0.weight"].tolist() for name, card in cards.items()}
    assert weights["a"] == weights["c"] != weights["b"]


@pytest.fixture
def scene_training(scene_file: Path, write_raster: Callable[..., Path]) -> Callable[..., TrainConfig]:
    """Trainings on one scene of 96 x 96 pixels in tiles of 16, with labels drawn at random."""
    truth = (np.random.default_rng(0).random((1, 96, 96)) > 0.5).astype(np.int16)
    raster = write_raster("truth.tif", truth, names=None)

    def config(**changes: object) -> TrainConfig:
        found = parse_config({
            "kind": "train", "epochs": 1, "device": "cpu", "head": {"name": "linear"}, "baselines": ["nbr"],
            "store": {
                "kind": "extract", "scene": {"source": "file", "path": str(scene_file)}, "device": "cpu",
                "backbone": {"name": "raw"}, "tiles": {"size_px": 16},
            },
            "labels": {"source": "raster", "path": str(raster)}, **changes,
        })  # fmt: skip
        assert isinstance(found, TrainConfig)
        return found

    return config


def test_touching_tiles_are_told_and_a_buffer_parts_them(
    scene_training: Callable[..., TrainConfig], home: Path
) -> None:
    touching, apart = run(scene_training(), home), run(scene_training(split={"buffer_m": 10}), home, "apart")
    assert scores_of(touching)["touching"] > 0
    assert "of the test tiles touch a training tile" in notices_of(touching)
    assert scores_of(apart)["touching"] == 0
    assert "training tile(s) within split.buffer_m" in notices_of(apart)
    kept = [len(TrainRun.open(home / name).decoder.split["train"]) for name in ("run", "apart")]
    assert kept[1] < kept[0]


def test_intervals_draw_places_and_scores_count_them(
    scene_training: Callable[..., TrainConfig], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.learning.splits.places._BLOCKS", 9)  # blocks of 2 x 2 tiles
    events = run(scene_training(split={"test": 0.4}), home)
    scores = scores_of(events)
    planned = next(event for event in events if isinstance(event, TrainPlanned))
    assert scores["places"] == planned.places["test"]
    # Blocks of 2 x 2 tiles, fewer where the scene ends within one.
    assert 2 * scores["places"] <= scores["tiles"] <= 4 * scores["places"]
    assert scores["iou_burned_interval"][0] < scores["iou_burned"] < scores["iou_burned_interval"][1]


def test_a_baseline_that_was_read_before_needs_no_scenes(
    write_chips: WriteChips, config_of: ConfigOf, write_raster: Callable[..., Path], home: Path
) -> None:
    chips = write_chips()
    config = config_of(chips, epochs=1)
    first = scores_of(run(config, home))
    assert isinstance(config.store, ExtractConfig)
    for path in chips.glob("data/*_merged.tif"):
        path.unlink()
    burned = (np.random.default_rng(0).random((1, 40, 1500)) > 0.5).astype(np.int16)
    raster = write_raster(
        "l.tif", burned, crs="EPSG:32610", transform=Affine(30, 0, 500000, 0, -30, 4500000), names=None
    )
    again = {
        "store": str(store_folder(config.store, home)),
        "labels": LabelsConfig(source="raster", path=str(raster)),
    }
    second = scores_of(run(config.model_copy(update=again), home, "again"))
    assert first["baseline"]["name"] == second["baseline"]["name"]


def test_an_extraction_made_on_the_way_is_nobodys_work_any_more_once_it_has_ended(
    write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    config = config_of(write_chips())
    assert isinstance(config.store, ExtractConfig)
    list(ensure_store(config.store, home))
    job = Job(store_folder(config.store, home).parent)
    assert (job.state, job.is_alive) == ("finished", False), (
        "else to cancel it ends what goes on in the process"
    )

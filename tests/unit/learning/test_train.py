from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from safetensors import safe_open

from engine.errors import ConfigError, DeviceFailure, JobError, LabelError, StoreError
from engine.extraction.extract import ensure_store, store_folder
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.events import EpochDone, Event, Noticed, StepStarted, TrainPlanned
from engine.learning.evaluate import evaluate
from engine.learning.keeping.result import CARD, ERRORS, PREDICTIONS, SCORES, WEIGHTS, TrainRun
from engine.learning.loop.optimization import learning_rate_at
from engine.learning.maps.predict import predict_tiles
from engine.learning.train import choose_device, train
from engine.store.store import EmbeddingStore
from tests.predicted_map import predict_map
from tests.unit.learning import chips
from tests.unit.learning.conftest import train_config_of
from tests.unit.learning.recorded_run import epochs_of, run, scores_of

WriteChips = Callable[..., Path]
ConfigOf = Callable[..., TrainConfig]
SIDE = 32


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    room = tmp_path_factory.mktemp("trained")
    (room / "home").mkdir()
    return run(train_config_of(chips.write_chips(room / "chips")), room / "home")


@pytest.fixture
def trained(trained_once: tuple[Path, list[Event]], home: Path) -> tuple[Path, list[Event]]:
    """A run and its store in a home of the test's own."""
    shutil.copytree(trained_once[0].parent, home, dirs_exist_ok=True)
    return home / trained_once[0].name, trained_once[1]


def test_a_decoder_learns_the_scar_and_beats_the_threshold_on_water(
    trained: tuple[Path, list[Event]],
) -> None:
    scores = scores_of(trained[1])
    assert scores["iou_burned"] > 0.8
    assert scores["iou_burned"] > scores["baseline_iou_burned"] + 0.05
    assert scores["baseline"]["pixels"] == scores["pixels"] == 3 * SIDE * (SIDE - 2)


def test_evaluation_from_the_saved_files_equals_the_scores_of_training(
    trained: tuple[Path, list[Event]],
) -> None:
    assert evaluate(trained[0]) == scores_of(trained[1]) == TrainRun.open(trained[0]).scores


def test_the_kept_epoch_is_the_one_with_the_best_validation_iou(trained: tuple[Path, list[Event]]) -> None:
    epochs = epochs_of(trained[1])
    best = max(epochs, key=lambda epoch: epoch.validation[epoch.watch])
    assert TrainRun.open(trained[0]).decoder.epoch == best.epoch
    assert [epoch.epoch for epoch in epochs if epoch.is_best][-1] == best.epoch
    said = any(isinstance(event, Noticed) and "more epochs may help" in event.message for event in trained[1])
    assert said == (best.epoch == len(epochs))


def test_a_best_epoch_that_is_the_last_says_that_more_may_help(train_config: TrainConfig, home: Path) -> None:
    _, events = run(train_config.model_copy(update={"epochs": 1}), home)
    assert any(isinstance(event, Noticed) and "(epochs: 2)" in event.message for event in events)


def test_a_run_reads_back_what_its_events_said(trained: tuple[Path, list[Event]]) -> None:
    found = TrainRun.open(trained[0])
    assert found.history == epochs_of(trained[1])
    assert found.is_finished
    assert found.decoder.split["test"] == ["chip6", "chip7", "chip8"]


def test_the_same_seed_gives_the_same_decoder_and_another_seed_another(
    train_config: TrainConfig, home: Path
) -> None:
    first, _ = run(train_config, home, "first")
    second, _ = run(train_config, home, "second")
    other, _ = run(train_config.model_copy(update={"seed": 1}), home, "other")
    assert (first / WEIGHTS).read_bytes() == (second / WEIGHTS).read_bytes() != (other / WEIGHTS).read_bytes()
    assert json.loads((first / SCORES).read_text()) == json.loads((second / SCORES).read_text())


def test_training_takes_nothing_from_the_global_generator(train_config: TrainConfig, home: Path) -> None:
    first, _ = run(train_config, home, "first")
    torch.rand(7)
    second, _ = run(train_config, home, "second")
    assert (first / WEIGHTS).read_bytes() == (second / WEIGHTS).read_bytes()


def test_a_stop_file_ends_after_the_epoch_and_keeps_the_best(train_config: TrainConfig, home: Path) -> None:
    folder = home / "run"
    run_folder.create(folder, train_config)
    events: list[Event] = []
    for event in train(train_config, folder, home):
        events.append(event)
        if isinstance(event, EpochDone):
            (folder / run_folder.STOP).touch()
    assert len(epochs_of(events)) <= 2
    assert TrainRun.open(folder).is_finished


def test_training_stops_when_validation_no_longer_improves(train_config: TrainConfig, home: Path) -> None:
    patient = train_config.model_copy(update={"patience": 2, "epochs": 200, "learning_rate": 0.05})
    epochs = epochs_of(run(patient, home)[1])
    best = max(epoch.epoch for epoch in epochs if epoch.is_best)
    assert len(epochs) == best + 2 < 200


def test_the_error_map_counts_what_the_confusion_counts(trained: tuple[Path, list[Event]]) -> None:
    with rasterio.open(trained[0] / ERRORS) as dataset:
        errors, transform = dataset.read(1), dataset.transform
    (true_negative, false_alarm), (miss, hit) = scores_of(trained[1])["confusion"]
    assert [int((errors == kind).sum()) for kind in range(4)] == [true_negative, hit, false_alarm, miss]
    assert transform == Affine(30, 0, 500000 + 6 * 5000, 0, -30, 4500000)
    with rasterio.open(trained[0] / PREDICTIONS) as dataset:
        assert set(np.unique(dataset.read(1))) == {0, 1, 255}


def test_a_decoder_maps_another_store_of_the_same_backbone(
    trained: tuple[Path, list[Event]],
    write_chips: WriteChips,
    config_of: ConfigOf,
    home: Path,
    tmp_path: Path,
) -> None:
    other = config_of(write_chips("elsewhere", masks=False, splits=False, gap=True)).store
    list(ensure_store(other, home))
    out = predict_map(trained[0], store_folder(other, home), tmp_path / "map.tif").path
    with rasterio.open(out) as dataset:
        assert dataset.read(1)[8:12, 8:12].tolist() == [[255] * 4] * 4  # the gap stays a gap
        assert (dataset.read(1)[:SIDE, :SIDE] == 255).sum() == 16


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"backbone": "csmask_b4_l2a"}, "csmask_b4_l2a"),
        ({"weights_sha256": "random"}, "random"),
        ({"dims": (95,)}, "95 wide"),
        ({"layers": (3,)}, "layer 3"),
        ({"patch_px": 8}, "8 px"),
        ({"temporal": "max"}, "max"),
    ],
)
def test_a_store_of_something_else_is_refused_naming_both(
    trained: tuple[Path, list[Event]], changes: dict[str, object], words: str
) -> None:
    found = TrainRun.open(trained[0])
    tree = json.loads((trained[0] / CARD).read_text())
    (trained[0] / CARD).write_text(json.dumps({**tree, **changes}))
    with pytest.raises(StoreError, match=words) as err:
        list(predict_tiles(TrainRun.open(trained[0]), EmbeddingStore.open(found.store_folder)))
    assert "raw" in str(err.value)


def test_damaged_decoder_weights_are_refused_not_used(trained: tuple[Path, list[Event]]) -> None:
    (trained[0] / WEIGHTS).write_bytes((trained[0] / WEIGHTS).read_bytes()[:40])
    with pytest.raises(StoreError, match="Train again"):
        evaluate(trained[0])


@pytest.mark.parametrize("head", ["linear", "conv"])
def test_every_head_learns(write_chips: WriteChips, config_of: ConfigOf, home: Path, head: str) -> None:
    config = config_of(write_chips(), head={"name": head, "hidden": [24]}, epochs=20)
    assert scores_of(run(config, home)[1])["iou_burned"] > 0.75


@pytest.mark.parametrize("loss", ["cross_entropy", "dice", "focal"])
def test_every_loss_learns(write_chips: WriteChips, config_of: ConfigOf, home: Path, loss: str) -> None:
    config = config_of(write_chips(), loss={"name": loss}, epochs=24, batch_patches=32)
    assert scores_of(run(config, home)[1])["iou_burned"] > 0.75


def test_scenes_without_masks_are_refused(write_chips: WriteChips, config_of: ConfigOf, home: Path) -> None:
    with pytest.raises(LabelError, match="has no mask"):
        run(config_of(write_chips(masks=False)), home)


def test_a_split_by_files_without_files_is_refused(
    write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    with pytest.raises(ConfigError, match="none for train and validation and test"):
        run(config_of(write_chips(splits=False), split={"by": "files"}), home)


def test_scenes_without_the_bands_of_nbr_train_without_a_baseline_and_say_so(
    trained: tuple[Path, list[Event]], write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    chips = write_chips("visible")
    for path in chips.glob("data/*_merged.tif"):
        with rasterio.open(path) as dataset:
            pixels, profile = dataset.read([1, 2, 3]), {**dataset.profile, "count": 3}
        with rasterio.open(path, "w", **profile) as out:
            out.write(pixels)
            out.descriptions = ("blue", "green", "red")
    events = run(config_of(chips), home, "visible")[1]
    assert any(
        isinstance(event, Noticed) and "No NBR threshold to compare with" in event.message for event in events
    )
    assert scores_of(events)["baseline"] is None


def test_the_plan_counts_places_and_labelled_pixels(trained: tuple[Path, list[Event]]) -> None:
    planned = next(event for event in trained[1] if isinstance(event, TrainPlanned))
    assert planned.places == {"train": 4, "validation": 2, "test": 3}
    assert planned.pixels["train"] == 4 * SIDE * (SIDE - 2)


def test_nothing_is_read_before_the_first_epoch_that_only_the_judging_needs(
    trained: tuple[Path, list[Event]],
) -> None:
    events = trained[1]
    steps = [
        event.step for event in events[: events.index(epochs_of(events)[0])] if isinstance(event, StepStarted)
    ]
    assert not [step for step in steps if "reflectances" in step]
    assert [event for event in events if isinstance(event, StepStarted) and "reflectances" in event.step]


def test_a_run_folder_without_a_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="run folder of a training"):
        TrainRun.open(tmp_path)


def test_the_rate_climbs_to_its_peak_and_falls_to_nothing() -> None:
    config = TrainConfig(store="x", learning_rate=0.5)
    rates = [learning_rate_at(config, step, 200) for step in range(200)]
    peak = rates.index(max(rates))
    assert max(rates) == 0.5
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert 0 < rates[-1] < 0.001


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(DeviceFailure, match="cuda:97"):
        choose_device("cuda:97")


def test_cancelling_between_epochs_leaves_no_half_made_decoder(train_config: TrainConfig, home: Path) -> None:
    folder = home / "run"
    run_folder.create(folder, train_config)
    events: Iterator[Event] = train(train_config, folder, home)
    while not isinstance(next(events), EpochDone):
        pass
    events.close()  # type: ignore[attr-defined]
    assert not (folder / CARD).exists()
    assert not list(folder.glob("*.writing"))


def test_a_card_survives_its_file(trained: tuple[Path, list[Event]]) -> None:
    card = TrainRun.open(trained[0]).decoder
    assert json.loads((trained[0] / CARD).read_text()) == json.loads(json.dumps(dataclasses.asdict(card)))


def test_the_file_of_a_decoder_carries_its_card_in_the_terms_of_stac_too(
    trained: tuple[Path, list[Event]],
) -> None:
    with safe_open(trained[0] / WEIGHTS, "np") as file:
        card = json.loads(file.metadata()["card"])
    own, mlm = card["emberscope"], card["stac_mlm"]
    assert own["scores"] == scores_of(trained[1])
    assert own["backbone"] == "raw"
    assert own["labels_source"] == "masks of the scenes"
    assert mlm["mlm:tasks"] == ["semantic-segmentation"]
    assert mlm["mlm:input"][0]["input"]["shape"] == [-1, sum(own["dims"])]
    assert [one["value"] for one in mlm["mlm:output"][0]["classification:classes"]] == [0, 1]


def test_labels_that_were_read_before_are_found_without_the_scenes_and_changed_ones_are_read_again(
    train_config: TrainConfig, home: Path
) -> None:
    run(train_config, home)
    store = store_folder(train_config.store, home)
    again = train_config.model_copy(update={"store": str(store), "epochs": 1})
    chips = Path(train_config.store.scene.path)
    hidden = [path.rename(path.with_suffix(".hidden")) for path in chips.glob("data/*_merged.tif")]
    assert scores_of(run(again, home, "again")[1])["pixels"] == 3 * SIDE * (SIDE - 2)
    for path in hidden:
        path.rename(path.with_suffix(".tif"))
    for mask in chips.glob("data/*.mask.tif"):
        with rasterio.open(mask, "r+") as dataset:
            dataset.write(np.where(dataset.read(1) < 0, 0, dataset.read(1)), 1)
    assert (
        scores_of(run(again.model_copy(update={"seed": 3}), home, "changed")[1])["pixels"] == 3 * SIDE * SIDE
    )

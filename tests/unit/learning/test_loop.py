"""The loop: turned tiles, interrupted and resumed runs, steps that explode, and the film of a watched tile."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import ConfigError, RunFailure
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.events import EpochDone, Event, Noticed, TestDone
from engine.learning import film_reel
from engine.learning.heads.cells import cells_to_grid
from engine.learning.heads.sizes import Level, Shape
from engine.learning.keeping.result import WEIGHTS, TrainRun
from engine.learning.loop import epochs, progress
from engine.learning.loop.flips import WAYS, flipped, turn_rows
from engine.learning.loop.optimization import is_time_to_halve, learning_rate_at, optimizer_of
from engine.learning.train import train

WriteChips = Callable[..., Path]
ConfigOf = Callable[..., TrainConfig]


def run(config: TrainConfig, home: Path, name: str, until: int = 0) -> list[Event]:
    """The events of a run; cut off after an epoch where `until` is given."""
    run_folder.create(home / name, config)
    events: list[Event] = []
    made = train(config, home / name, home)
    for event in made:
        events.append(event)
        if isinstance(event, EpochDone) and event.epoch == until:
            made.close()  # type: ignore[attr-defined]
            break
    return events


def epochs_of(events: list[Event]) -> list[EpochDone]:
    return [event for event in events if isinstance(event, EpochDone)]


@pytest.mark.parametrize("way", range(WAYS))
def test_a_tile_turned_is_its_picture_turned_pixel_for_pixel(way: int) -> None:
    tile = torch.randn(2, 3, 3, 4 + 2 * 9)  # one layer of 4 numbers, one of 2 with 3 x 3 cells
    turned = turn_rows(tile, [(4, 1), (18, 3)], way)
    for first, width, cells in ((0, 4, 1), (4, 18, 3)):
        before = cells_to_grid(tile[..., first : first + width], cells).numpy()
        expected = np.rot90(before[..., ::-1] if way >= 4 else before, way % 4, (2, 3))
        assert (cells_to_grid(turned[..., first : first + width], cells).numpy() == expected).all()


def test_embeddings_and_labels_turn_together_and_oblong_tiles_keep_their_shape() -> None:
    for h, w in ((4, 4), (3, 5)):
        places = torch.arange(2.0 * h * w * 4).view(2, h, w, 4)  # a number for each pixel, in both
        features, labels = flipped(
            places, places.clone(), Shape((Level(1, cells=2),), 2, 1), torch.Generator()
        )
        assert torch.equal(features, labels)
        assert sorted(features.flatten().tolist()) == places.flatten().tolist()


def test_a_run_cut_off_and_resumed_ends_like_an_undisturbed_one_to_the_bit(
    write_chips: WriteChips, config_of: ConfigOf, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "_SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    config = config_of(
        write_chips(), head={"name": "conv", "hidden": [8], "dropout": 0.3}, augment="flips", schedule="plateau", patience=2,
    )  # fmt: skip
    whole = run(config, home, "whole")
    cut = run(config, home, "cut", until=2)
    assert len(epochs_of(cut)) == 2
    resumed = run(config, home, "cut")
    assert any("goes on after epoch 2" in event.message for event in resumed if isinstance(event, Noticed))
    assert [e.validation for e in epochs_of(resumed)] == [e.validation for e in epochs_of(whole)]
    assert (home / "cut" / WEIGHTS).read_bytes() == (home / "whole" / WEIGHTS).read_bytes()
    assert not (home / "cut" / progress.CHECKPOINT).exists()
    assert len(film_reel.frames(home / "cut")) == len(epochs_of(whole))


def test_a_checkpoint_of_something_else_is_not_gone_on_from(
    train_config: TrainConfig, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "_SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    run(train_config, home, "cut", until=2)
    checkpoint = home / "cut" / progress.CHECKPOINT
    other = train_config.model_copy(update={"seed": 7, "epochs": 2})
    run_folder.create(home / "other", other)
    (home / "other" / progress.CHECKPOINT).write_bytes(checkpoint.read_bytes())
    assert len(epochs_of(run(other, home, "other"))) == 2
    (home / "third").mkdir()
    damaged = train_config.model_copy(update={"epochs": 1})
    run_folder.create(home / "damaged", damaged)
    (home / "damaged" / progress.CHECKPOINT).write_bytes(checkpoint.read_bytes()[:100])
    assert len(epochs_of(run(damaged, home, "damaged"))) == 1


def test_a_loss_that_is_no_number_stops_the_run_and_the_last_good_state_is_kept(
    train_config: TrainConfig, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = learning_rate_at

    def exploding(config: TrainConfig, step: int, steps: int, halvings: int = 0) -> float:
        return float("inf") if step >= steps // 4 else usual(config, step, steps, halvings)

    monkeypatch.setattr(epochs, "learning_rate_at", exploding)
    events = run(train_config, home, "run")
    told = next(
        event.message for event in events if isinstance(event, Noticed) and "not a number" in event.message
    )
    best = [event for event in epochs_of(events) if event.is_best][-1].epoch
    assert f"the state of epoch {best}" in told
    assert TrainRun.open(home / "run").decoder.epoch == best
    assert np.isfinite(next(event.scores["iou_burned"] for event in events if isinstance(event, TestDone)))
    monkeypatch.setattr(epochs, "learning_rate_at", lambda *_: float("inf"))
    with pytest.raises(RunFailure, match="first epoch"):
        run(train_config, home, "at once")


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_steps_are_those_of_torchs_own_optimisers(name: str) -> None:
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    config = TrainConfig(store="x", optimizer=name, weight_decay=0.05)
    own, other = (torch.nn.Linear(7, 3) for _ in range(2))
    other.load_state_dict(own.state_dict())
    optimizer, oracle = (
        optimizer_of(config, own.parameters()),
        kinds[name](other.parameters(), weight_decay=0.05),
    )
    for step in range(30):
        x, rate = torch.randn(11, 7), 0.1 / (1 + step)
        oracle.param_groups[0]["lr"] = rate
        for model in (own, other):
            model.zero_grad()
            model(x).square().mean().backward()
        optimizer.step(rate)
        oracle.step()
    torch.testing.assert_close(own.weight, other.weight, rtol=0, atol=1e-6)


def test_steps_are_halved_where_validation_stays_and_stay_where_they_are_told_to() -> None:
    config = TrainConfig(store="x", schedule="plateau", patience=6, warm_up=0, learning_rate=0.5)
    assert [is_time_to_halve(config, epoch, 2, 0) for epoch in (3, 4, 5, 6)] == [False, False, True, True]
    assert not is_time_to_halve(config, 6, 2, 5)
    assert [learning_rate_at(config, 99, 100, halvings) for halvings in (0, 1, 2)] == [0.5, 0.25, 0.125]
    constant = config.model_copy(update={"schedule": "constant"})
    assert {learning_rate_at(constant, step, 100) for step in range(100)} == {0.5}


def test_the_map_of_a_validation_tile_is_kept_at_every_epoch_and_another_can_be_asked_for(
    write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    config = config_of(write_chips(), epochs=3, watch_tile="chip5")
    run(config, home, "run", until=1)
    film_reel.watch(home / "run", "chip4")
    run(config, home, "run")
    found = film_reel.frames(home / "run")
    assert [(frame.epoch, frame.tile_id) for frame in found] == [(1, "chip4"), (2, "chip4"), (3, "chip4")]
    labels = film_reel.labels_frame(home / "run")
    assert labels is not None
    assert labels.tile_id == "chip4"
    with Image.open(labels.path) as picture:
        assert picture.size == (32, 32)
        assert picture.getpixel((0, 31)) == (0, 0, 0, 0)  # not labelled
    (found[0].path).write_bytes(b"half a pict")
    assert len(film_reel.frames(home / "run")) == 2


def test_a_watched_tile_of_another_split_is_refused(
    write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    with pytest.raises(ConfigError, match=r"chip0 is no validation tile.*chip4, chip5"):
        run(config_of(write_chips(), watch_tile="chip0"), home, "run")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"augment": "flips"}, "augment: flips turns whole tiles"),
        ({"head": {"name": "conv", "hidden": []}}, "needs one hidden width"),
        ({"loss": {"name": "sum"}}, "terms goes with name: sum"),
        ({"loss": {"name": "huber"}}, "huber is no loss of classes"),
        ({"task": "dnbr", "loss": {"name": "dice"}}, "dice is no loss of numbers"),
        ({"task": "tile_burnt", "head": {"name": "conv"}}, "no neighbouring patches"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(
    changes: dict[str, object], words: str, write_chips: WriteChips, config_of: ConfigOf
) -> None:
    with pytest.raises(ConfigError, match=words):
        config_of(write_chips(), **changes)


def test_fusion_of_one_layer_is_refused_before_the_extraction(
    write_chips: WriteChips, config_of: ConfigOf, home: Path
) -> None:
    with pytest.raises(ConfigError, match="fusion joins two layers or more"):
        run(config_of(write_chips(), head={"name": "fusion"}), home, "run")
    assert not list(home.glob("extract-*"))


def test_bfloat16_is_refused_on_a_cpu(train_config: TrainConfig, home: Path) -> None:
    with pytest.raises(ConfigError, match="bfloat16 is for GPUs"):
        run(train_config.model_copy(update={"precision": "bfloat16"}), home, "run")


@pytest.mark.parametrize("head", ["knn", "forest", "mlp"])
def test_shuffled_labels_teach_nothing(
    head: str, write_chips: WriteChips, config_of: ConfigOf, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder of labels that belong to other patches maps no burnt pixel better than chance does."""
    import engine.learning.train as training

    usual = training.load_data

    def shuffled(*given: object) -> object:
        data = usual(*given)  # type: ignore[arg-type]
        rows = data.labelled_rows("train")
        data.labels[rows] = data.labels[
            rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(1))]
        ]
        return data

    monkeypatch.setattr(training, "load_data", shuffled)
    config = config_of(write_chips(), head={"name": head, "hidden": [16], "neighbours": 25}, epochs=6)
    scores = next(event.scores for event in run(config, home, "run") if isinstance(event, TestDone))
    share = scores["pixels_burned"] / scores["pixels"]
    assert (scores["iou_burned"] or 0.0) < share + 0.05


def test_an_epoch_says_its_rate_and_the_time_left(train_config: TrainConfig, home: Path) -> None:
    found = epochs_of(run(train_config, home, "run"))
    assert all(epoch.patches_per_second > 0 and epoch.learning_rate > 0 for epoch in found)
    assert found[0].seconds_left > 0 == found[-1].seconds_left or found[-1].epoch < found[-1].epochs
    assert dataclasses.asdict(found[0]).keys() >= {"learning_rate", "patches_per_second", "seconds_left"}

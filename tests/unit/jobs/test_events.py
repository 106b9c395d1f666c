"""Events are written as lines and read back, also lines that earlier versions wrote."""

from __future__ import annotations

import json

import pytest

from engine.commands.printer import Printer
from engine.jobs.events import EpochDone, Event, TestDone, TileDone, from_line, to_line
from engine.jobs.record import summary_of

EPOCH = EpochDone(2, 9, {"loss": 0.5, "rmse": 3.0}, {"loss": 0.6, "rmse": 4.0}, "rmse", True, 0.25)
LINES_OF_BEFORE = {
    "epoch": (
        {"event": "EpochDone", "epoch": 1, "epochs": 3, "train_loss": 0.5, "train_iou_burned": 0.4,
         "train_f1_burned": 0.5, "validation_loss": 0.6, "validation_iou_burned": 0.3, "validation_f1_burned": 0.4,
         "is_best": True, "seconds": 0.1},
        EpochDone(1, 3, {"loss": 0.5, "iou_burned": 0.4, "f1_burned": 0.5},
                  {"loss": 0.6, "iou_burned": 0.3, "f1_burned": 0.4}, "iou_burned", True, 0.1),
    ),
    "test": ({"event": "TestDone", "scores": {"iou_burned": 0.7}}, TestDone({"iou_burned": 0.7}, "iou_burned")),
}  # fmt: skip


@pytest.mark.parametrize("event", [TileDone(1, 2, 64, 0.5, "t"), EPOCH, TestDone({"rmse": 2.0}, "rmse")])
def test_every_event_reads_back_and_a_torn_line_is_left_for_later(event: Event) -> None:
    assert from_line(to_line(event, 12.5)) == (12.5, event)
    assert from_line(to_line(event, 12.5)[:-5]) is None


@pytest.mark.parametrize("name", list(LINES_OF_BEFORE))
def test_lines_of_earlier_versions_read_as_events_of_today(name: str) -> None:
    record, event = LINES_OF_BEFORE[name]
    assert from_line(json.dumps({"at": 1.0, **record})) == (1.0, event)


def test_a_line_of_nested_brackets_is_no_event() -> None:
    assert from_line("[" * 100_000) is None


def test_the_summary_of_a_training_names_the_metric_to_watch() -> None:
    assert summary_of(TestDone({"rmse": 2.0}, "rmse")) == {"rmse": 2.0, "watch": "rmse"}


def test_an_epoch_is_told_with_its_loss_and_the_metric_to_watch(capsys: pytest.CaptureFixture[str]) -> None:
    Printer()(EPOCH)
    assert capsys.readouterr().err == "epoch 2/9  loss 0.5000 / 0.6000  rmse 3.0000 / 4.0000 *\n"

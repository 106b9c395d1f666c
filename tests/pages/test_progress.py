"""What the bar of a job says at every stage of its life."""

from __future__ import annotations

import pytest

from engine.jobs.events import (
    EpochDone,
    Event,
    ExtractDone,
    MapTileDone,
    MeasureStep,
    Queued,
    StepStarted,
    Submitted,
    TileDone,
)
from engine.jobs.leaderboard_events import DecoderTaught
from pages.ui.jobs.progress_words import progress, time_left

LOADING = StepStarted("Loading raw")
TILES = [TileDone(done, 4, done * 10, 0.5 * done, f"t{done}") for done in (1, 4)]
STORED = ExtractDone(4, 1040, 96, 2.0, "store", seam=1.04)
EPOCHS = [EpochDone(n, 3, {"loss": 0.5}, {"loss": 0.6, "miou": 0.3}, "miou", n == 2, 0.1) for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("state", "events", "share", "words"),
    [
        ("queued", [Submitted(), Queued("run-7")], 0.0, "Waits for run-7"),
        ("queued", [Submitted(), Queued()], 0.0, "Waits for the device"),
        ("queued", [Submitted()], 0.0, "Starting"),
        ("running", [Submitted()], 0.0, "Starting"),
        ("running", [Submitted(), LOADING], 0.0, "Loading raw …"),
        ("running", [LOADING, TILES[0]], 0.25, "1 of 4 tiles"),
        ("running", [LOADING, *TILES], 1.0, "4 of 4 tiles"),
        ("running", [LOADING, *TILES, StepStarted("Closing the store")], 1.0, "Closing the store …"),
        ("running", [*TILES, STORED, StepStarted("Reading labels")], 0.0, "Reading labels …"),
        ("cancelled", [LOADING, TILES[0], StepStarted("Closing the store")], 0.25, "Closing the store"),
        ("finished", [LOADING, *TILES, STORED], 1.0, "1,040 patches in the store · seam score 1.04 (1: none)"),
        ("running", [*TILES, STORED, EPOCHS[0]], 1 / 3, "Epoch 1 of 3"),
        ("running", [*EPOCHS, StepStarted("Testing once")], 1.0, "Testing once …"),
        ("finished", [*EPOCHS, StepStarted("Testing once")], 1.0,
         "Kept epoch 2, the best on validation, and tested it once"),
        ("cancelled", [LOADING, TILES[0]], 0.25, "1 of 4 tiles"),
    ],
)  # fmt: skip
def test_the_bar_says_how_far_a_job_is(state: str, events: list[Event], share: float, words: str) -> None:
    assert progress([(0.0, event) for event in events], state) == (pytest.approx(share), words)


@pytest.mark.parametrize(
    ("place", "behind", "words"),
    [
        (1, "run-7", "Next in the queue, waits for run-7"),
        (1, "", "Next in the queue, waits for the device"),
        (4, "run-7", "Number 4 in the queue: workspaces take turns"),
    ],
)
def test_a_waiting_job_says_its_place(place: int, behind: str, words: str) -> None:
    assert progress([(0.0, Submitted()), (0.0, Queued(behind))], "queued", place) == (0.0, words)


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ([LOADING], None),
        ([LOADING, TILES[0]], "2 s"),
        ([LOADING, *TILES], None),
        ([LOADING, TILES[0], StepStarted("Writing the last tiles")], None),
        ([LOADING, MapTileDone(2, 8, 3.0)], "9 s"),
        ([LOADING, MapTileDone(8, 8, 12.0)], None),
        ([MeasureStep("Encoding", 0, 6)], None),
        ([MeasureStep("Encoding", 0, 6), MeasureStep("Encoding", 1, 6)], "10 s"),
        ([MeasureStep("Reading", 0, 9), MeasureStep("Reading", 9, 9), MeasureStep("Writing", 0, 0)], None),
        ([*TILES, STORED, EPOCHS[0]], "at most 1 s, then the test"),
        (EPOCHS, None),
        ([*EPOCHS, StepStarted("Testing once")], None),
    ],
)
def test_no_time_is_promised_for_what_has_no_known_length(events: list[Event], left: str | None) -> None:
    assert time_left([(2.0 * at, event) for at, event in enumerate(events)]) == left


def test_tiles_that_are_a_part_of_the_job_say_what_comes_after_them() -> None:
    events = [(2.0 * at, event) for at, event in enumerate([LOADING, TILES[0]])]
    assert time_left(events, then="the decoders") == "2 s of tiles, then the decoders"


@pytest.mark.parametrize(
    ("passed", "left"), [(0.0, "1 min 30 s"), (60.0, "30 s"), (91.0, "longer than expected")]
)
def test_the_time_left_falls_while_a_decoder_learns(passed: float, left: str) -> None:
    taught = DecoderTaught(1, 4, "row", "rcf", "mlp", 0, 0.7, 30.0, 90.0)
    assert time_left([(1000.0, taught)], now=1000.0 + passed) == left

"""Records of earlier runs tell how long another one will take, whatever its size."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.extraction.cost.estimate import estimate
from engine.extraction.step_words import FETCHING, IMPORTING, PLANNING
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.event_log import EVENTS
from engine.jobs.events import (
    Event,
    ExtractDone,
    ExtractPlanned,
    Finished,
    Queued,
    Started,
    StepStarted,
    Submitted,
    TileDone,
    to_line,
)
from engine.jobs.machine import machine_words
from engine.jobs.parent import write_parent
from engine.workspace import workspace_folder

WriteRaster = Callable[..., Path]
SIDE_PX, BATCH = 32, 4
START_S, IMPORT_S = 2.0, 3.0
TILE_S, FIRST_S, LOADING_S, CLOSING_S = 0.5, 6.0, 4.0, 2.0
_numbers = itertools.count()


@pytest.fixture
def config_of(write_raster: WriteRaster) -> Callable[..., ExtractConfig]:
    """A configuration of so many tiles by so many."""

    def make(side: int, **changes: object) -> ExtractConfig:
        name = f"scene{side}.tif"
        path = write_raster(name, np.ones((6, side * SIDE_PX, side * SIDE_PX), np.int16))
        tree = {"kind": "extract", "scene": {"source": "file", "path": str(path)}, "backbone": {"name": "raw"},
                "tiles": {"size_px": SIDE_PX}, "device": "cpu"}  # fmt: skip
        parsed = parse_config(tree | changes)
        assert isinstance(parsed, ExtractConfig)
        return parsed

    return make


def keep_a_run(
    config: ExtractConfig,
    tiles: int,
    workspace: Path,
    waited_s: float = 0.0,
    slower: float = 1.0,
    machine: str | None = None,
    process_waited: bool = False,
    fetched_s: float = 0.0,
) -> None:
    """Write the record of a run that took what the constants say."""
    asked = 1e9
    events: list[tuple[float, Event]] = [(asked, Submitted())]
    if waited_s:
        events.append((asked + 1.0, Queued()))
    process = asked - 300 if process_waited else asked
    started = asked + waited_s + (0.0 if process_waited else START_S)
    imported = started + fetched_s + (0.0 if process_waited else IMPORT_S)
    began = imported + LOADING_S
    events += [
        (started, Started(1, process, "cpu", machine_words() if machine is None else machine)),
        (started, StepStarted(PLANNING)),
        (started, StepStarted(f"{FETCHING} raw.pt")),
        (started + fetched_s, StepStarted(f"{IMPORTING} what raw needs")),
        (imported, StepStarted("Loading raw")),
        (began, ExtractPlanned(tiles, tiles * 4, 0, "raw", "none", "CPU", tiles * SIDE_PX**2 / 1e6)),
    ]
    for done in range(1, tiles + 1):
        batch = (done - 1) // BATCH + 1
        seconds = slower * (FIRST_S + batch * BATCH * TILE_S)
        events.append((began + seconds, TileDone(done, tiles, done * 4, seconds, f"t{done}")))
    work = slower * (FIRST_S + tiles * TILE_S)
    ended = began + work + CLOSING_S
    events += [(ended, ExtractDone(tiles, tiles * 4, 6, work, "store")), (ended, Finished({}))]
    folder = workspace / f"run-{next(_numbers)}"
    run_folder.create(folder, config)
    (folder / EVENTS).write_text("".join(to_line(event, at) + "\n" for at, event in events), encoding="utf-8")


def true_s(tiles: int, process_waits: bool = False) -> float:
    """What a run takes from the button, or from the command, on."""
    beside = LOADING_S + FIRST_S + CLOSING_S
    return beside + tiles * TILE_S + (0.0 if process_waits else START_S + IMPORT_S)


@pytest.mark.parametrize("earlier", [(3,), (10,), (3, 4, 10)])
@pytest.mark.parametrize("wanted", [3, 6, 12])
def test_an_estimate_from_earlier_runs_is_within_a_factor_of_one_and_a_half(
    config_of: Callable[..., ExtractConfig], home: Path, earlier: tuple[int, ...], wanted: int
) -> None:
    for side in earlier:
        keep_a_run(config_of(side), side**2, home)
    for process_waits in (False, True):
        found = estimate(config_of(wanted), home, process_waits)
        assert found.minutes is not None
        assert 1 / 1.5 < 60 * found.minutes / true_s(wanted**2, process_waits) < 1.5
        assert (found.runs, found.minutes_source) == (len(earlier), "measured on this machine")


@pytest.mark.parametrize("changes", [{"waited_s": 600.0}, {"process_waited": True}, {"fetched_s": 900.0}])
def test_the_wait_the_process_that_waited_and_the_fetch_of_weights_mislead_nobody(
    config_of: Callable[..., ExtractConfig], home: Path, changes: dict[str, float]
) -> None:
    keep_a_run(config_of(6), 36, home)
    for _ in range(4):
        keep_a_run(config_of(6), 36, home, **changes)
    for process_waits in (False, True):
        found = estimate(config_of(6), home, process_waits)
        assert 60 * (found.minutes or 0) == pytest.approx(true_s(36, process_waits), rel=0.15)


def test_one_run_beside_other_work_misleads_nobody(
    config_of: Callable[..., ExtractConfig], home: Path
) -> None:
    for slower, waited_s in ((1.0, 600.0), (1.1, 0.0), (5.0, 0.0)):
        keep_a_run(config_of(6), 36, home, waited_s, slower)
    found = estimate(config_of(6), home)
    assert found.minutes is not None and 1 / 1.5 < 60 * found.minutes / true_s(36) < 1.5


def test_runs_of_all_workspaces_count_and_those_of_another_machine_do_not(
    config_of: Callable[..., ExtractConfig], home: Path
) -> None:
    keep_a_run(config_of(6), 36, workspace_folder("anna"), machine="Another processor, 64 cores")
    assert estimate(config_of(6), workspace_folder("ben")).minutes_source == "rough guess"
    keep_a_run(config_of(6), 36, workspace_folder("anna"), machine="")
    keep_a_run(config_of(6), 36, home)
    assert estimate(config_of(6), workspace_folder("ben")).runs == 2
    assert estimate(config_of(6, device="cuda"), home).minutes is None


def test_a_run_made_on_the_way_of_another_tells_its_pace_and_not_how_long_a_process_takes_to_start(
    config_of: Callable[..., ExtractConfig], home: Path
) -> None:
    keep_a_run(config_of(6), 36, home, process_waited=True)
    (inner,) = home.glob("run-*")
    write_parent(inner, "train-1")
    for waits, start_s in ((True, 0.0), (False, 4.0)):
        found = estimate(config_of(6), home, waits)
        assert found.minutes_source == "measured on this machine" and found.minutes is not None
        assert 60 * found.minutes == pytest.approx(true_s(36, process_waits=True) + start_s, rel=0.15)


def test_a_backbone_without_a_checkpoint_begins_sooner_and_a_large_one_later(
    config_of: Callable[..., ExtractConfig], home: Path
) -> None:
    def guess(name: str) -> float:
        return 60 * (estimate(config_of(3, backbone={"name": name}), home, process_waits=True).minutes or 0)

    assert guess("raw") == pytest.approx(0.6, abs=0.1)
    before = guess("csmask_b4_l2a")
    assert before == pytest.approx(1.2, abs=0.2)
    assert guess("prithvi_eo_v2_300") > 3
    keep_a_run(config_of(6), 36, home)
    assert guess("csmask_b4_l2a") == before
    assert guess("rcf") > 5, "runs of another one without a checkpoint tell"


def test_runs_that_cut_their_tiles_alike_count_before_others(
    config_of: Callable[..., ExtractConfig], home: Path
) -> None:
    keep_a_run(config_of(6), 36, home)
    other = config_of(6, tiles={"size_px": 64})
    assert estimate(other, home).runs == 1, "better than nothing"
    keep_a_run(other, 9, home, slower=3.0)
    keep_a_run(other, 9, home, slower=3.0)
    assert estimate(other, home).runs == 2


@pytest.mark.parametrize(
    "text", ["", "{", '{"at": 1, "event": "Started", "pid": 1, "process_start": 0, "device": ""}\n']
)
def test_a_damaged_record_tells_nothing(
    config_of: Callable[..., ExtractConfig], home: Path, text: str
) -> None:
    keep_a_run(config_of(6), 36, home)
    next(home.glob("*/events.jsonl")).write_text(text, encoding="utf-8")
    assert estimate(config_of(6), home).minutes_source == "rough guess"

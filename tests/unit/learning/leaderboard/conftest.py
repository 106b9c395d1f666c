"""Two stores of the same nine chips, and the leaderboard of them, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.extraction.extract import ensure_store, store_folder
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import LeaderboardConfig, parse_config
from engine.jobs.event_log import append_event
from engine.jobs.events import Event
from engine.jobs.leaderboard_events import LeaderboardDone
from engine.learning.leaderboard.run import leaderboard
from tests.unit.learning import chips as made

Board = tuple[Path, list[Event]]
RunBoard = Callable[..., Board]


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with stores of raw patches of 4 and of 8 pixels over the same chips, and one over other chips."""
    home = tmp_path_factory.mktemp("boards")
    made.write_chips(home / "chips")
    made.write_chips(home / "elsewhere", east_m=400_000)
    for name, chips, patch in (("four", "chips", 4), ("eight", "chips", 8), ("far", "elsewhere", 4)):
        config = extraction(home / chips, patch)
        for _ in ensure_store(config, home):
            pass
        (home / name).symlink_to(store_folder(config, home))
    return home


def extraction(chips: Path, patch_px: int) -> Any:
    return parse_config({
        "kind": "extract", "scene": {"source": "chips", "path": str(chips)}, "device": "cpu", "output": {"dtype": "float32"},
        "backbone": {"name": "raw", "settings": {"patch_px": str(patch_px)}},
    })  # fmt: skip


def config_of(home: Path, **changes: object) -> LeaderboardConfig:
    config = parse_config({
        "kind": "leaderboard", "stores": [str(home / "four"), str(home / "eight")], "device": "cpu", "seeds": [0, 1],
        "heads": ["linear", {"name": "knn", "neighbours": 3}], "training": {"epochs": 4, "batch_patches": 64, "learning_rate": 0.02},
        **changes,
    })  # fmt: skip
    assert isinstance(config, LeaderboardConfig)
    return config


@pytest.fixture
def run_board(tmp_path: Path, ground: Path) -> RunBoard:
    """Runs a leaderboard in a folder of its own: run_board(name, **changes)."""

    def run(name: str = "board", **changes: object) -> Board:
        config, folder = config_of(ground, **changes), tmp_path / name
        run_folder.create(folder, config)
        events = []
        for event in leaderboard(config, folder, ground):
            append_event(folder, event)
            events.append(event)
        return folder, events

    return run


@pytest.fixture(scope="session")
def board(ground: Path, tmp_path_factory: pytest.TempPathFactory) -> Board:
    """A finished leaderboard with few-label curves and a matrix of the halves of the ground."""
    config = config_of(ground, label_shares=[0.25, 0.5])
    folder = tmp_path_factory.mktemp("board") / "board"
    run_folder.create(folder, config)
    return folder, list(leaderboard(config, folder, ground))


def summary_of(events: list[Event]) -> dict[str, Any]:
    (done,) = [event.summary for event in events if isinstance(event, LeaderboardDone)]
    return done

"""A training with its events kept as a job keeps them, and what they say."""

from __future__ import annotations

from pathlib import Path

from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.event_log import append_event
from engine.jobs.events import EpochDone, Event, TestDone
from engine.learning.train import train


def run(config: TrainConfig, home: Path, name: str = "run") -> tuple[Path, list[Event]]:
    folder = home / name
    run_folder.create(folder, config)
    events: list[Event] = []
    for event in train(config, folder, home):
        append_event(folder, event)
        events.append(event)
    return folder, events


def epochs_of(events: list[Event]) -> list[EpochDone]:
    return [event for event in events if isinstance(event, EpochDone)]


def scores_of(events: list[Event]) -> dict[str, object]:
    done = [event for event in events if isinstance(event, TestDone)]
    assert len(done) == 1
    return done[0].scores

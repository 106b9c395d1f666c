"""Readers that a page calls at every rerun: keyed on a path and its modification time, never on an array."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from engine.errors import EngineError
from engine.extraction.cost.estimate import Estimate, estimate
from engine.imagery.scene import Scene
from engine.jobs import spare
from engine.jobs.configuration.config import ExtractConfig, JobConfig, SceneConfig, parse_config
from engine.jobs.event_log import EventReader
from engine.jobs.folder import CONFIG
from engine.jobs.job import Job, State
from engine.paths import modified as _modified
from engine.store.store import EmbeddingStore
from engine.workspace import workspaces
from pages.ui import workspace


@dataclass(frozen=True)
class JobFacts:
    """A job as lists show it."""

    job: Job
    kind: str
    state: State
    submitted_at: float
    seconds: float
    config: Any


def scenes(scene: SceneConfig) -> tuple[Scene, ...]:
    """The scenes of a configuration.

    Raises:
        SceneError: absent or unreadable.
    """
    return _scenes(scene.model_dump_json(), scene.stamp(workspace.folder()), scene)


def extraction_of(store: EmbeddingStore) -> ExtractConfig:
    """The configuration of the extraction that made a store.

    Raises:
        ConfigError: of another version, so that it no longer reads.
    """
    config = parse_config(store.meta.config, where=f"the configuration inside {store.folder}")
    assert isinstance(config, ExtractConfig)
    return config


def has_labels(scene: SceneConfig) -> bool:
    """Whether a scene that is on this machine brings its own label mask; nothing is made to find out."""
    try:
        return scene.is_ready(workspace.folder()) and any(found.mask_path for found in scenes(scene))
    except EngineError:
        return False


@st.cache_resource(show_spinner=False, max_entries=16)
def _scenes(key: str, stamp: float, _scene: SceneConfig) -> tuple[Scene, ...]:
    del key, stamp
    _prepare(_scene)
    return _scene.find(workspace.folder())


def _prepare(scene: SceneConfig) -> None:
    """Make what a source has to make first (a simulated season), which a page does only when it is looked at."""
    for _ in scene.prepare(workspace.folder()):
        pass


def jobs() -> list[JobFacts]:
    """Every job of the workspace, newest first; those that can no longer be read are left out."""
    found = [job_facts(Job(path.parent)) for path in workspace.folder().glob("*/config.yaml")]
    return sorted((item for item in found if item), key=lambda item: item.submitted_at, reverse=True)


def job_facts(job: Job) -> JobFacts | None:
    """What lists show of a job; None when its folder went away or its configuration no longer reads."""
    try:
        config = _config(str(job.folder), _modified(job.folder / CONFIG))
        events = events_of(job)
    except (EngineError, OSError):
        return None
    state = job.state_of(events)
    first = events[0][0] if events else _modified(job.folder / CONFIG)
    return JobFacts(job, config.kind, state, first, _seconds(events, state), config)


def events_of(job: Job) -> list[tuple[float, Any]]:
    """The events of a job; what is new since the last call is read, and all pages share one list."""
    return _reader(str(job.folder)).read()


def estimate_of(config: ExtractConfig) -> Estimate:
    """What an extraction will cost from the button on: the app keeps a process that waits for a job.

    Raises:
        BadInput: what the extraction itself would refuse.
    """
    measured = max(map(_modified, workspaces()))
    return _estimate(config.model_dump_json(), config.scene.stamp(workspace.folder()), measured, config)


def job_named(name: str) -> Job | None:
    """The job of a folder name; None when there is none (a name is never a path)."""
    return next(
        (Job(path.parent) for path in workspace.folder().glob("*/config.yaml") if path.parent.name == name),
        None,
    )


@st.cache_data(show_spinner=False, max_entries=256)
def _estimate(key: str, scene: float, runs: float, _config: ExtractConfig) -> Estimate:
    del key, scene, runs  # the configuration, the scenes, and what tells the speed
    _prepare(_config.scene)
    return estimate(_config, workspace.folder(), process_waits=spare.is_kept())


@st.cache_resource(show_spinner=False, max_entries=512)
def _reader(folder: str) -> EventReader:
    return EventReader(Path(folder))


@st.cache_resource(show_spinner=False, max_entries=512)
def _config(folder: str, stamp: float) -> JobConfig:
    del stamp
    return Job.open(Path(folder)).config


def _seconds(events: list[tuple[float, Any]], state: State) -> float:
    """From the start (or the submission) to the last word, or to now while it runs."""
    import time

    if not events:
        return 0.0
    started = [at for at, event in events if type(event).__name__ == "Started"]
    begin = started[-1] if started else events[0][0]
    return max(0.0, (time.time() if state in ("running", "queued") else events[-1][0]) - begin)

"""Readers that a page calls at every rerun: keyed on a path and its modification time, never on an array."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from engine.embeddings.plan import find_scenes, resolve_path, season_folder
from engine.imagery.scene import Scene
from engine.jobs.config import ChipsScene, ExtractConfig, FileScene, SceneConfig, SimulatedScene, TrainConfig
from engine.jobs.folder import runs_root
from engine.jobs.job import Job, State, list_jobs


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
    return _scenes(scene.model_dump_json(), scene_stamp(scene), scene)


def scene_stamp(scene: SceneConfig) -> float:
    """When the files of a scene changed last, 0 when they are not there."""
    match scene:
        case FileScene():
            return _modified(resolve_path(scene.path))
        case ChipsScene():
            return _modified(resolve_path(scene.path) / "data")
        case SimulatedScene():
            return _modified(season_folder(scene.seed, runs_root()) / "data")


@st.cache_resource(show_spinner=False, max_entries=16)
def _scenes(key: str, stamp: float, _scene: SceneConfig) -> tuple[Scene, ...]:
    del key, stamp
    return find_scenes(_scene, runs_root())


def jobs() -> list[JobFacts]:
    """Every job of the workspace, newest first; those that can no longer be read are left out."""
    found = []
    for job in list_jobs(runs_root()):
        facts = job_facts(job)
        if facts is not None:
            found.append(facts)
    return found


def job_facts(job: Job) -> JobFacts | None:
    """What lists show of a job; None when its folder went away or its configuration no longer reads."""
    from engine.errors import EngineError

    try:
        config = _config(str(job.folder), _modified(job.folder / "config.yaml"))
        events = job.events()
    except (EngineError, OSError):
        return None
    state = job.state_of(events)
    first = events[0][0] if events else _modified(job.folder / "config.yaml")
    return JobFacts(job, config.kind, state, first, _seconds(events, state), config)


def job_named(name: str) -> Job | None:
    """The job of a folder name; None when there is none (a name is never a path)."""
    return next((job for job in list_jobs(runs_root()) if job.id == name), None)


@st.cache_resource(show_spinner=False, max_entries=512)
def _config(folder: str, stamp: float) -> ExtractConfig | TrainConfig:
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


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0

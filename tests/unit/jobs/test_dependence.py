"""What needs a run, and what is never deleted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from engine.errors import JobError
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.event_log import append_event
from engine.jobs.events import Finished, Started, Submitted
from engine.jobs.job import Job
from engine.jobs.keeping.dependence import delete_runs, dependents

EXTRACT: dict[str, Any] = {"kind": "extract", "scene": {"source": "simulated"}, "backbone": {"name": "raw"}}


def make(folder: Path, tree: dict[str, Any], *, runs: bool = False) -> Job:
    run_folder.create(folder, parse_config(tree))
    append_event(folder, Submitted())
    append_event(folder, Started(os.getpid(), 0.0, "cpu") if runs else Finished({}))
    if runs:
        run_folder.write_process(folder, os.getpid())
    return Job(folder)


def test_a_run_is_needed_by_who_reads_its_store_or_applies_its_decoder(home: Path) -> None:
    config = parse_config(EXTRACT)
    assert isinstance(config, ExtractConfig)
    store, settled = make(home / "store-run", EXTRACT), make(run_folder.settled_folder(config, home), EXTRACT)
    by_path = make(home / "by-path", {"kind": "train", "store": str(store.folder / "store")})
    relative = make(home / "relative", {"kind": "train", "store": "store-run/store"})
    made_on_the_way = make(home / "made", {"kind": "train", "store": EXTRACT})
    applied = make(
        home / "applied",
        {"kind": "apply", "decoder": str(by_path.folder), "ground": [str(store.folder / "store")]},
    )
    jobs = [(job, job.config) for job in (store, settled, by_path, relative, made_on_the_way, applied)]
    assert {job.id for job in dependents(store.folder, jobs)} == {"by-path", "relative", "applied"}
    assert [job.id for job in dependents(settled.folder, jobs)] == ["made"]
    assert [job.id for job in dependents(by_path.folder, jobs)] == ["applied"]
    assert dependents(home / "store-ru", jobs) == []


def test_nothing_is_deleted_while_it_or_what_needs_it_runs(home: Path) -> None:
    store, idle = make(home / "store-run", EXTRACT), make(home / "idle", EXTRACT)
    training = make(home / "training", {"kind": "train", "store": str(store.folder / "store")}, runs=True)
    everything = [store, idle, training]
    with pytest.raises(JobError, match="training is running and reads store-run"):
        delete_runs([idle, store], everything)
    with pytest.raises(JobError, match="training is running"):
        delete_runs([idle, training], everything)
    assert all(job.folder.is_dir() for job in everything)
    delete_runs([idle], everything)
    assert sorted(path.name for path in home.iterdir()) == ["store-run", "training"]

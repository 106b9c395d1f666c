"""The process that waits for a job: it takes the next one, and goes where nobody needs it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine.extraction.cost.measured_speed import read
from engine.jobs import spare
from engine.jobs.configuration.config import FetchConfig
from engine.jobs.job import submit


@pytest.fixture
def allowed(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """As in the app's server."""
    monkeypatch.setattr(spare, "_held", spare._Held(is_allowed=True))
    yield home
    spare.let_go()


def waiting() -> psutil.Process:
    assert spare._held.process is not None
    return psutil.Process(spare._held.process.pid)


def test_a_process_of_another_environment_gets_no_job(allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spare.keep_ready()
    first = waiting()
    monkeypatch.setenv("EMBERSCOPE_DATA", str(allowed))
    assert spare.take(allowed) is None
    spare.keep_ready()
    assert waiting() != first
    psutil.wait_procs([first], timeout=30)
    assert not first.is_running()


def test_a_process_that_has_ended_gets_no_job(allowed: Path) -> None:
    spare.keep_ready()
    process = waiting()
    process.kill()
    psutil.wait_procs([process], timeout=30)
    assert spare.take(allowed) is None


def test_nothing_waits_outside_the_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare, "_held", spare._Held())
    spare.keep_ready()
    assert spare._held.process is None
    assert spare.take(home) is None


def test_a_process_that_nobody_needs_ends(allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spare, "_KEPT_S", 0.3)
    spare.keep_ready()
    process = waiting()
    psutil.wait_procs([process], timeout=30)
    assert not process.is_running()
    assert spare._held.process is None


def test_the_process_that_waits_measures_the_backbone_that_may_come_and_runs_the_job_then(
    allowed: Path,
) -> None:
    spare.keep_ready()
    process = waiting()
    spare.keep_ready("rcf", "cpu")
    spare.keep_ready("no_such_backbone", "cpu")
    assert waiting() == process
    job = submit(FetchConfig(kind="fetch", names=("rcf",)), allowed)
    assert job._process() == process
    end = time.monotonic() + 60
    while job.state != "finished" and time.monotonic() < end:
        time.sleep(0.1)
    assert job.state == "finished", job.log_tail()
    (pace,) = read(allowed)
    assert pace.backbone == "rcf" and pace.tiles_per_s > 0

"""Jobs outlive the one who asked: submitted, watched, queued, cancelled and resumed through their folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from engine.errors import JobError, SceneError
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.events import Event, ExtractDone, Queued, StepStarted, TileDone
from engine.jobs.job import Job, list_jobs, submit
from engine.jobs.record import run_job
from engine.paths import PROJECT

WriteRaster = Callable[..., Path]


def config_for(path: Path, **changes: object) -> ExtractConfig:
    tree = {"kind": "extract", "scene": {"source": "file", "path": str(path)}, "backbone": {"name": "raw"},
            "tiles": {"size_px": 32}, "device": "cpu", **changes}  # fmt: skip
    parsed = parse_config(tree)
    assert isinstance(parsed, ExtractConfig)
    return parsed


def wait_for(job: Job, *states: str, seconds: float = 60.0) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (state := job.state) in states:
            return state
        time.sleep(0.1)
    raise AssertionError(f"{job.id} is {job.state}, not {states}: {job.log_tail()}")


@pytest.fixture
def wide_scene(write_raster: WriteRaster) -> Path:
    """Enough tiles of one patch each that a job can be caught in the middle."""
    return write_raster(
        "wide.tif", np.random.default_rng(0).integers(1, 4000, (6, 2048, 2048)).astype(np.int16)
    )


def test_a_submitted_job_runs_to_its_end_in_a_process_of_its_own(home: Path, scene_file: Path) -> None:
    job = submit(config_for(scene_file), home)
    wait_for(job, "finished", "failed")
    assert job.state == "finished", job.log_tail()
    assert job.summary is not None
    assert (job.folder / "store").is_dir()
    assert [other.id for other in list_jobs(home)] == [job.id]


def test_two_tabs_that_start_the_same_run_get_one_job(home: Path, wide_scene: Path) -> None:
    first = submit(config_for(wide_scene), home)
    second = submit(config_for(wide_scene), home)
    assert first.id == second.id
    assert len(list_jobs(home)) == 1
    wait_for(first, "running", "finished")
    if first.is_alive:
        first.cancel(wait_s=30)


def test_a_second_job_on_the_device_queues_behind_the_first(home: Path, scene_file: Path) -> None:
    locks = home / ".devices"
    locks.mkdir()
    (locks / "cpu.holder").write_text("the-first")
    with FileLock(locks / "cpu.lock"):
        job = submit(config_for(scene_file), home)
        end = time.monotonic() + 40
        while time.monotonic() < end and not any(isinstance(event, Queued) for _, event in job.events()):
            time.sleep(0.1)
        assert job.state == "queued"
        assert [event.behind for _, event in job.events() if isinstance(event, Queued)] == ["the-first"]
    assert wait_for(job, "finished", "failed") == "finished"


def test_a_cancelled_job_leaves_nothing_half_made_and_resumes_to_the_end(
    home: Path, wide_scene: Path
) -> None:
    job = submit(config_for(wide_scene, tiles={"size_px": 16}, batch_size=1), home)
    end = time.monotonic() + 60
    while time.monotonic() < end and not any(isinstance(event, TileDone) for _, event in job.events()):
        time.sleep(0.05)
    job.cancel(wait_s=30)
    assert job.state == "cancelled"
    assert not (job.folder / "store").exists()
    assert not list(job.folder.rglob("*.writing"))
    with pytest.raises(JobError, match="nothing to cancel"):
        job.cancel()
    assert not job.is_alive


def test_sigterm_ends_the_command_line_with_143(home: Path, wide_scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run_folder.create(out, config_for(wide_scene, tiles={"size_px": 16}, batch_size=1))
    process = subprocess.Popen([sys.executable, "-m", "engine", "run", str(out)], cwd=PROJECT)
    end = time.monotonic() + 60
    while time.monotonic() < end and Job(out).state != "running":
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    assert Job(out).state == "cancelled"


def test_a_job_whose_process_was_killed_is_interrupted(home: Path, wide_scene: Path) -> None:
    job = submit(config_for(wide_scene, tiles={"size_px": 16}, batch_size=1), home)
    wait_for(job, "running")
    os.kill(int(job._process().pid), signal.SIGKILL)  # type: ignore[union-attr]
    assert wait_for(job, "interrupted") == "interrupted"


def test_a_failure_is_recorded_in_words_and_raised(home: Path, scene_file: Path, tmp_path: Path) -> None:
    def failing() -> Iterator[Event]:
        yield StepStarted("Planning tiles")
        raise SceneError("a was wanted, found b. Do c.")

    run_folder.create(tmp_path / "run", config_for(scene_file))
    with pytest.raises(SceneError):
        run_job(tmp_path / "run", failing, "cpu")
    assert Job(tmp_path / "run").state == "failed"
    assert "found b" in str(Job(tmp_path / "run").events()[-1])


def test_a_folder_that_another_process_works_on_is_refused(
    home: Path, scene_file: Path, tmp_path: Path
) -> None:
    run_folder.create(tmp_path / "run", config_for(scene_file))
    with (
        FileLock(tmp_path / "run/.running.lock"),
        pytest.raises(JobError, match="being worked on by another process"),
    ):
        run_job(tmp_path / "run", lambda: iter(()), "cpu")


def test_the_summary_is_the_last_events_fields(home: Path, scene_file: Path, tmp_path: Path) -> None:
    run_folder.create(tmp_path / "run", config_for(scene_file))
    done = ExtractDone(1, 2, 3, 4.0, "s")
    assert run_job(tmp_path / "run", lambda: iter([done]), "cpu") == vars(done)
    assert Job(tmp_path / "run").summary == vars(done)

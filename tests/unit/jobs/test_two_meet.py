"""Two people, two jobs or two starts meet at one folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.errors import JobError
from engine.extraction.extract import ensure_store, store_folder
from engine.jobs import folder as run_folder
from engine.jobs import job as jobs
from engine.jobs.configuration.config import ExtractConfig, load_config, parse_config
from engine.jobs.event_log import append_event
from engine.jobs.events import Event, Failed, Finished, Noticed, Started, StepStarted, TileDone
from engine.jobs.job import Job, submit
from engine.jobs.record import working_alone
from engine.paths import PROJECT
from engine.store.store import EmbeddingStore

WriteRaster = Callable[..., Path]
LIMIT_S = 60.0


def config_for(path: Path, **changes: object) -> ExtractConfig:
    tree = {"kind": "extract", "scene": {"source": "file", "path": str(path)}, "backbone": {"name": "raw"},
            "tiles": {"size_px": 32}, "device": "cpu", "batch_size": 1, **changes}  # fmt: skip
    parsed = parse_config(tree)
    assert isinstance(parsed, ExtractConfig)
    return parsed


def waiting(events: list[Event]) -> bool:
    return any(isinstance(event, StepStarted) and "Waiting for another job" in event.step for event in events)


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_two_trainings_that_need_one_store_take_turns_and_the_second_finds_it(
    home: Path, scene_file: Path
) -> None:
    config = config_for(scene_file)
    first, second = ensure_store(config, home), list[Event]()
    while not isinstance(next(first), TileDone):
        pass
    other = threading.Thread(target=lambda: [second.append(event) for event in ensure_store(config, home)])
    other.start()
    wait_until(lambda: waiting(second))
    list(first)
    other.join(LIMIT_S)
    assert [type(event) for event in second] == [StepStarted, Noticed]
    assert "there already" in second[-1].message  # type: ignore[union-attr]
    store = EmbeddingStore.open(store_folder(config, home))
    assert len({tile.id for tile in store.tiles}) == len(store.tiles) == 12


def test_a_job_waits_before_it_works_in_a_folder_that_another_ones_nested_job_works_in(
    home: Path, scene_file: Path
) -> None:
    config = config_for(scene_file)
    folder = run_folder.settled_folder(config, home)
    nested = ensure_store(config, home)
    while not isinstance(next(nested), TileDone):
        pass
    heard: list[Event] = []
    work = threading.Thread(
        target=lambda: heard.extend(working_alone(folder, lambda: iter([Noticed("mine")])))
    )
    work.start()
    time.sleep(0.2)
    assert work.is_alive()
    nested.close()  # type: ignore[attr-defined]
    work.join(LIMIT_S)
    assert Noticed("mine") in heard and waiting(heard)


HOLD = """
import sys, time
from pathlib import Path
from engine.jobs.events import Noticed
from engine.jobs.record import working_alone
def events():
    print("mine", flush=True)
    time.sleep(600)
    yield Noticed("never")
list(working_alone(Path(sys.argv[1]), events))
"""


def test_a_folder_is_free_again_when_who_worked_in_it_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "run")]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"mine\n"
        events = working_alone(tmp_path / "run", lambda: iter([Noticed("mine")]))
        assert waiting([next(events)])
        os.kill(holder.pid, signal.SIGKILL)
    assert list(events) == [Noticed("mine")]


@pytest.mark.parametrize(
    "change", [{"device": "auto"}, {"batch_size": 4}, {"compile": True}, {"engine": "ray"}]
)
def test_a_run_goes_on_with_what_does_not_change_its_result(
    scene_file: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    run_folder.create(tmp_path / "run", config_for(scene_file))
    again = config_for(scene_file, **change)
    run_folder.create(tmp_path / "run", again)
    assert load_config(tmp_path / "run" / run_folder.CONFIG) == again


def test_a_folder_of_another_run_is_refused(scene_file: Path, tmp_path: Path) -> None:
    run_folder.create(tmp_path / "run", config_for(scene_file))
    with pytest.raises(JobError, match="run already holds another run"):
        run_folder.create(tmp_path / "run", config_for(scene_file, tiles={"size_px": 48}))
    (tmp_path / "run" / run_folder.CONFIG).write_text("[" * 5000)
    with pytest.raises(JobError, match="run already holds another run"):
        run_folder.create(tmp_path / "run", config_for(scene_file))
    with pytest.raises(JobError, match="already holds files"):
        run_folder.create(tmp_path, config_for(scene_file))


def stop_seen_by(run: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the request to stop lay in the folder when the work began."""
    seen: list[bool] = []

    def events(folder: Path, *_: object) -> Iterator[Event]:
        seen.append((folder / run_folder.STOP).exists())
        yield Noticed("worked")

    monkeypatch.setattr("engine.commands.jobs._events", events)
    run()
    return seen


@pytest.mark.parametrize("command", ["resume", "extract"])
def test_a_run_that_goes_on_does_not_end_at_an_earlier_request_to_stop(
    home: Path, scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    out = tmp_path / "run"
    run_folder.create(out, config_for(scene_file))
    append_event(out, Failed("it broke"))
    Job(out).stop_early()
    arguments = (
        ["resume", str(out)]
        if command == "resume"
        else ["extract", str(out / "config.yaml"), "--out", str(out)]
    )
    assert stop_seen_by(lambda: main(arguments), monkeypatch) == [False]


def test_a_job_whose_process_imports_slowly_is_not_started_twice(
    home: Path, scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "sitecustomize.py").write_text("import time; time.sleep(1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "slow"))
    monkeypatch.setattr(jobs, "_SPAWNING_S", 0.0)
    job = submit(config_for(scene_file), home)
    assert job.state == "queued"
    with pytest.raises(JobError, match="is queued"):
        job.resume()
    assert submit(config_for(scene_file), home).id == job.id
    wait_until(lambda: job.state in ("finished", "failed"))
    assert [type(event) for _, event in job.events()].count(Started) == 1
    assert isinstance(job.events()[-1][1], Finished)


def test_a_job_whose_process_never_came_up_is_interrupted_and_can_be_resumed(
    home: Path, scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text("import os; os._exit(3)")
    monkeypatch.setattr(jobs, "_SPAWNING_S", 0.0)
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path / "broken"))
        job = submit(config_for(scene_file), home)
        wait_until(lambda: job.state == "interrupted")
    job.resume()
    wait_until(lambda: job.state in ("finished", "failed"))
    assert job.state == "finished"

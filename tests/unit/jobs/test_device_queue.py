"""The queue of a device: workspaces take turns, whoever has died or hangs blocks nobody, and a waiting job can be cancelled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from engine.__main__ import main
from engine.jobs import device_queue
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import parse_config
from engine.jobs.device_queue import Ticket, in_order, place_of
from engine.jobs.event_log import append_event
from engine.jobs.events import Started, Submitted
from engine.jobs.job import Job
from engine.paths import PROJECT
from engine.workspace import workspace_folder
from pages.ui.jobs.progress_words import CANCELLING, progress_of

LIMIT_S = 60.0
# A job without an engine: it notes when it has its turn, holds the device until a file is there, and ends.
WORK = """
import sys, time
from pathlib import Path
from engine.jobs.events import Noticed
from engine.jobs.record import run_job
for folder in map(Path, sys.argv[2:]):
    def events(folder=folder):
        with Path(sys.argv[1]).open("a") as log:
            log.write(f"{folder.parent.name}/{folder.name}\\n")
        time.sleep(0.05)
        yield Noticed("done")
    run_job(folder, events, "cpu")
"""


def make_run(workspace: str, name: str) -> Path:
    folder = workspace_folder(workspace) / name
    run_folder.create(
        folder,
        parse_config({"kind": "extract", "scene": {"source": "simulated"}, "backbone": {"name": "raw"}}),
    )
    append_event(folder, Submitted())
    return folder


def start(log: Path, *folders: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORK, str(log), *map(str, folders)], cwd=PROJECT)


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_S
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@contextmanager
def held_device(home: Path) -> Iterator[None]:
    locks = home / ".devices"
    locks.mkdir(exist_ok=True)
    with FileLock(locks / "cpu.lock"):
        yield


@pytest.fixture
def queued(home: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a job and waits until it waits; none outlives the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(log: Path, folder: Path) -> subprocess.Popen[bytes]:
        started.append(start(log, folder))
        wait_until(lambda: place_of(folder) is not None)
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def test_a_workspace_with_one_job_does_not_wait_for_all_of_another(
    home: Path, tmp_path: Path, queued: Callable[..., subprocess.Popen[bytes]]
) -> None:
    log = tmp_path / "log"
    runs = [make_run(*asked) for asked in (("anna", "a1"), ("anna", "a2"), ("ben", "b1"), ("", "c1"))]
    with held_device(home):
        processes = [queued(log, run) for run in runs]
        assert [place_of(run) for run in runs] == [1, 4, 2, 3]
    assert [process.wait(LIMIT_S) for process in processes] == [0] * 4
    assert log.read_text().split() == ["anna/a1", "ben/b1", f"{home.name}/c1", "anna/a2"]
    assert [place_of(run) for run in runs] == [None] * 4


def test_who_was_killed_or_stopped_while_waiting_blocks_nobody(
    home: Path,
    tmp_path: Path,
    queued: Callable[..., subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        device_queue, "_STALE_S", 1.0
    )  # as this process reads; the last one reads with its own
    log = tmp_path / "log"
    killed, stopped, last = make_run("anna", "killed"), make_run("ben", "stopped"), make_run("cleo", "last")
    with held_device(home):
        processes = [queued(log, run) for run in (killed, stopped, last)]
        os.kill(processes[0].pid, signal.SIGKILL)
        processes[0].wait()
        os.kill(processes[1].pid, signal.SIGSTOP)
        wait_until(lambda: place_of(last) == 1)
        assert place_of(killed) is None and Job(killed).state == "interrupted"
        os.utime(next((home / ".devices" / "cpu.queue").glob(f"*-{processes[1].pid}.json")), (0, 0))
    assert processes[2].wait(LIMIT_S) == 0
    assert log.read_text().split() == ["cleo/last"]
    os.kill(processes[1].pid, signal.SIGCONT)
    assert processes[1].wait(LIMIT_S) == 0, "who goes on has its turn after all"


def test_a_job_that_waits_can_be_cancelled(
    home: Path,
    tmp_path: Path,
    queued: Callable[..., subprocess.Popen[bytes]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = make_run("anna", "first"), make_run("anna", "second")
    with held_device(home):
        queued(tmp_path / "log", first)
        queued(tmp_path / "log", second)
        assert main(["jobs", "--workspace", "anna"]) == 0
        listed = capsys.readouterr().out
        assert f"queued 1     {first}" in listed and f"queued 2     {second}" in listed
        Job(first).cancel(wait_s=LIMIT_S)
        assert Job(first).state == "cancelled"
        assert place_of(second) == 1
    assert not (tmp_path / "log").exists() or "first" not in (tmp_path / "log").read_text()


def test_a_job_cancelled_before_its_process_has_said_a_word_is_cancelled(home: Path) -> None:
    folder = make_run("anna", "early")
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    run_folder.write_process(folder, process.pid)
    Job(folder).cancel()
    process.wait()
    assert Job(folder).state == "cancelled"


def test_a_job_that_was_asked_to_end_says_so_until_it_has_ended_and_not_when_it_goes_on(home: Path) -> None:
    """Closing what it writes may take longer than anybody looks at an unchanged page."""
    folder = make_run("anna", "slow")
    sleeper = [
        sys.executable,
        "-c",
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(); time.sleep(600)",
    ]
    with subprocess.Popen(sleeper, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        run_folder.write_process(folder, process.pid)
        append_event(folder, Started(process.pid, 0.0, "cpu", ""))
        assert not Job(folder).is_cancelling
        Job(folder).cancel()
        assert Job(folder).is_cancelling
        assert progress_of(Job(folder), Job(folder).events(), "running")[1] == CANCELLING
        process.kill()
    assert not Job(folder).is_cancelling
    with subprocess.Popen(["sleep", "60"]) as another:  # it was resumed
        run_folder.write_process(folder, another.pid)
        assert not Job(folder).is_cancelling
        another.kill()


def ticket(workspace: str, at: float) -> Ticket:
    return Ticket(Path(f"{at}"), Path(f"{workspace}{at:g}"), workspace, 1, 0.0, at)


def test_who_had_the_device_last_comes_last(home: Path) -> None:
    waits = [ticket("a", 1), ticket("a", 2), ticket("b", 3), ticket("c", 4), ticket("b", 5)]
    assert [str(one.folder) for one in in_order(waits, {"a": 7, "b": 5})] == ["c4", "b3", "a1", "b5", "a2"]


@pytest.mark.parametrize("text", ["", "[", "[]", '{"folder": 1}', "[" * 5000])
def test_a_damaged_ticket_or_count_of_turns_blocks_nobody(home: Path, text: str) -> None:
    queue = home / ".devices" / "cpu.queue"
    queue.mkdir(parents=True)
    (queue / "0.json").write_text(text)
    (home / ".devices" / "cpu.turns.json").write_text(text)
    with device_queue.waiting(home / "run", "cpu") as mine:
        assert device_queue.is_next(mine, "cpu")
        device_queue.note_turn(home / "run", "cpu")
    assert not mine.exists() and psutil.pid_exists(os.getpid())

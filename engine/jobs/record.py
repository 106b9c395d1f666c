"""Run a job inside its folder: hold the device, write every event, end tidily whatever happens."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import psutil
from filelock import FileLock, Timeout

from engine.errors import JobError
from engine.files import slug
from engine.jobs import device_queue
from engine.jobs import folder as run_folder
from engine.jobs.dataset_events import DatasetDone
from engine.jobs.event_log import append_event
from engine.jobs.events import (
    ApplyDone,
    Cancelled,
    Event,
    ExtractDone,
    Failed,
    FetchDone,
    Finished,
    MeasureDone,
    Queued,
    Started,
    StepStarted,
    TestDone,
)
from engine.jobs.leaderboard_events import LeaderboardDone
from engine.jobs.machine import machine_words
from engine.jobs.unforeseen import in_words
from engine.workspace import workspace_of

TERMINATED = 128 + signal.SIGTERM  # 143, what shells report for SIGTERM
_POLL_S = 0.5


def run_job(
    folder: Path,
    events: Callable[[], Iterator[Event]],
    device: str,
    tell: Callable[[Event], None] = lambda _: None,
) -> dict[str, Any]:
    """Record a job from its first event to its last.

    Args:
        folder: a run folder that holds its configuration.
        events: the job; called once the device is ours.
        device: names the lock; jobs on one device take turns.
        tell: also hears every event (the command line's printer).

    Returns:
        The summary: fields of the last ExtractDone or ApplyDone, or the scores of TestDone.

    Raises:
        JobError: another process runs this folder.
        SystemExit: 143 after SIGTERM or Ctrl-C; the folder says cancelled.
        EngineError: recorded as Failed before it is raised; the traceback of what was not foreseen is in log.txt.
    """

    def note(event: Event) -> None:
        append_event(folder, event)
        tell(event)

    with _only_process(folder), _ends_on_sigterm():
        try:
            with _device_turn(folder, device, note):
                note(Started(os.getpid(), psutil.Process().create_time(), device, machine_words()))
                summary = _drain(working_alone(folder, events), note)
                note(Finished(summary))
                return summary
        except (SystemExit, KeyboardInterrupt) as stop:
            note(Cancelled("Cancelled. What was finished before is kept; resume goes on from there."))
            raise SystemExit(TERMINATED) from stop
        except Exception as err:
            told = in_words(err)
            note(Failed(str(told), type(told).__name__))
            if told is err:
                raise
            _keep_traceback(folder)
            raise told from err


def recorded(folder: Path, events: Iterator[Event]) -> Iterator[Event]:
    """Pass a nested job's events on, keeping a copy in its own folder as if it had been run by itself.

    To be called inside `working_alone`.
    """
    run_folder.write_process(folder, os.getpid())
    append_event(folder, Started(os.getpid(), psutil.Process().create_time(), "", machine_words()))
    summary: dict[str, Any] = {}
    try:
        for event in events:
            append_event(folder, event)
            summary = summary_of(event) or summary
            yield event
        append_event(folder, Finished(summary))
    except GeneratorExit:
        append_event(folder, Cancelled("Cancelled with the job that asked for it."))
        raise
    except Exception as err:
        told = in_words(err)
        append_event(folder, Failed(str(told), type(told).__name__))
        raise
    finally:  # the process goes on, with other work
        (folder / run_folder.PROCESS).unlink(missing_ok=True)


def working_alone(folder: Path, events: Callable[[], Iterator[Event]]) -> Iterator[Event]:
    """The events of work on a folder, begun once no other process works in it.

    A store that two trainings need is made by one job inside another, whose folder is not this one: the lock of
    `run_job` does not hold it. The kernel releases this lock when its holder dies. It is always taken after the
    device, so that no two jobs wait for each other.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / run_folder.WORK_LOCK)
    is_told = False
    while not _acquired(lock):
        if not is_told:
            yield StepStarted(f"Waiting for another job, which works in {folder.name}")
            is_told = True
        time.sleep(_POLL_S)
    try:
        yield from events()
    finally:
        lock.release()


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


@contextmanager
def idle_device(device: str) -> Iterator[None]:
    """Hold a device that no job is on, so that what is measured inside is measured alone.

    Raises:
        JobError: a job is on it.
    """
    holder, lock = _device_lock(device)
    try:
        lock.acquire(timeout=0)
    except Timeout as err:
        held = _holder_of(holder)
        name = held.name if held else "a job"
        raise JobError(
            f"The device {device} is held by {name}, and a measurement needs it idle. Wait for it, or cancel it."
        ) from err
    try:
        yield
    finally:
        lock.release()


def _keep_traceback(folder: Path) -> None:
    with (folder / run_folder.LOG).open("a", encoding="utf-8") as log:
        log.write(traceback.format_exc())


def summary_of(event: Event) -> dict[str, Any] | None:
    """What --json prints, from the event that ends a job's work."""
    match event:
        case ExtractDone() | ApplyDone() | FetchDone() | MeasureDone() | DatasetDone():
            return dict(vars(event))
        case LeaderboardDone():
            return event.summary
        case TestDone():
            return {**event.scores, "watch": event.watch}
        case _:
            return None


def _drain(events: Iterator[Event], note: Callable[[Event], None]) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    try:
        for event in events:
            note(event)
            summary = summary_of(event) or summary
    finally:
        close = getattr(events, "close", None)
        if close:
            close()
    return summary


@contextmanager
def _only_process(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / ".running.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as err:
        raise JobError(
            f"{folder.name} is being worked on by another process. Wait for it, or cancel it."
        ) from err
    try:
        run_folder.write_process(folder, os.getpid())
        yield
    finally:
        (folder / run_folder.PROCESS).unlink(missing_ok=True)
        run_folder.touch_workspace(folder)
        lock.release()


@contextmanager
def _device_turn(folder: Path, device: str, note: Callable[[Event], None]) -> Iterator[None]:
    """Wait until no other job holds the device, and none that waits for it comes first."""
    holder, lock = _device_lock(device)
    with device_queue.waiting(folder, device) as ticket:
        is_told = False
        while not (device_queue.is_next(ticket, device) and _acquired(lock)):
            if not is_told:
                note(Queued(_behind(holder, folder)))
                is_told = True
            time.sleep(_POLL_S)
    try:
        device_queue.note_turn(folder, device)
        holder.write_text(str(folder.resolve()), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _behind(holder: Path, folder: Path) -> str:
    """Name of the run that holds a device, as far as the workspace of a waiting one may know it."""
    held = _holder_of(holder)
    return held.name if held and workspace_of(held) == workspace_of(folder.resolve()) else ""


def _holder_of(holder: Path) -> Path | None:
    try:
        return Path(holder.read_text(encoding="utf-8"))
    except OSError:
        return None


def _device_lock(device: str) -> tuple[Path, FileLock]:
    """The file that names who holds a device, and the lock that whoever holds it has."""
    locks = device_queue.devices_folder()
    locks.mkdir(parents=True, exist_ok=True)
    name = slug(device)
    return locks / f"{name}.holder", FileLock(locks / f"{name}.lock")


@contextmanager
def _ends_on_sigterm() -> Iterator[None]:
    """SIGTERM becomes SystemExit in the main thread, so that every `finally` runs."""

    def leave(_signal: int, _frame: FrameType | None) -> None:
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

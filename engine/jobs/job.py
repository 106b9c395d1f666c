"""A job as the app and the command line see it: submit, watch, cancel, resume."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
from filelock import FileLock

from engine.errors import JobError
from engine.files import write_errors
from engine.jobs import folder as run_folder
from engine.jobs import spare
from engine.jobs.configuration.config import (
    ExportConfig,
    FetchConfig,
    JobConfig,
    MeasureConfig,
    config_hash,
    parse_config,
    read_yaml,
)
from engine.jobs.event_log import append_event, read_events
from engine.jobs.events import Cancelled, Event, Failed, Finished, Queued, Started, Submitted
from engine.paths import PROJECT

State = Literal["queued", "running", "finished", "failed", "cancelled", "interrupted"]
# Between the words "submitted" and the process's id there is less than this.
_SPAWNING_S = 5.0
_SUBMIT_LOCK = ".submit.lock"


@dataclass(frozen=True)
class Job:
    """A reader over a run folder, finished or running."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> Job:
        """The job in a folder.

        Raises:
            JobError: there is none.
        """
        if not (folder / run_folder.CONFIG).is_file():
            raise JobError(f"{folder} is no run folder. See `python -m engine jobs` for those there are.")
        return cls(folder.resolve())

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def config(self) -> JobConfig:
        """What was asked for.

        Raises:
            ConfigError: the file was changed by hand and no longer reads.
        """
        path = self.folder / run_folder.CONFIG
        return parse_config(read_yaml(path), where=str(path))

    @property
    def config_text(self) -> str:
        """The YAML as it stands in the folder."""
        return (self.folder / run_folder.CONFIG).read_text(encoding="utf-8")

    @property
    def command(self) -> str:
        """What runs the same again, from the project's folder."""
        config = self.config
        if isinstance(config, FetchConfig) and config.scene is None:
            return f"python -m engine fetch {config.dataset or ' '.join(config.names)}"
        if isinstance(config, MeasureConfig):
            return f"python -m engine {config.command}"
        if isinstance(config, ExportConfig):
            return f"python -m engine {config.command} --out {shlex.quote(str(self.folder / 'export'))}"
        command = (
            f"run {self.folder}"
            if isinstance(config, FetchConfig)
            else f"{config.kind} {self.folder / run_folder.CONFIG}"
        )
        return f"python -m engine {command}"

    def events(self) -> list[tuple[float, Event]]:
        """Times (unix seconds) and events, oldest first."""
        return read_events(self.folder)

    @property
    def state(self) -> State:
        """Where the job stands; "interrupted" when its process ended and wrote no last event."""
        return self.state_of(self.events())

    def state_of(self, events: list[tuple[float, Event]]) -> State:
        """Where the job stands, from events already read."""
        for at, event in reversed(events):
            match event:
                case Finished():
                    return "finished"
                case Failed():
                    return "failed"
                case Cancelled():
                    return "cancelled"
                case Started() | Queued():
                    word: State = "running" if isinstance(event, Started) else "queued"
                    return word if self.is_alive else "interrupted"
                case Submitted():
                    return "queued" if self.is_alive or time.time() - at < _SPAWNING_S else "interrupted"
        return "interrupted"

    @property
    def is_alive(self) -> bool:
        """Whether the process that wrote process.json still runs."""
        return self._process() is not None

    @property
    def is_cancelling(self) -> bool:
        """Whether its process was asked to end and still closes what it writes."""
        process = self._process()
        try:
            asked = (self.folder / run_folder.CANCELLING).read_text(encoding="utf-8")
        except OSError:
            return False
        return process is not None and asked == _identity(process)

    @property
    def summary(self) -> dict[str, Any] | None:
        """What --json prints, once the job is finished."""
        ended = [event for _, event in self.events() if isinstance(event, Finished)]
        return ended[-1].summary if ended else None

    @property
    def submitted_at(self) -> float:
        """Unix seconds of the first event, or of the configuration."""
        events = self.events()
        return events[0][0] if events else (self.folder / run_folder.CONFIG).stat().st_mtime

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the log."""
        path = self.folder / run_folder.LOG
        if not path.is_file():
            return ""
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def cancel(self, wait_s: float = 0.0) -> None:
        """Ask the process to end (SIGTERM); it closes what it writes first.

        Raises:
            JobError: the job is not running.
        """
        process = self._process()
        if process is None:
            raise JobError(f"{self.id} is {self.state}: there is nothing to cancel.")
        has_begun = any(isinstance(event, Queued | Started) for event in self._since_submitted())
        with contextlib.suppress(OSError):  # only for who watches: the process is told all the same
            (self.folder / run_folder.CANCELLING).write_text(_identity(process), encoding="utf-8")
        process.send_signal(signal.SIGTERM)
        psutil.wait_procs([process], timeout=wait_s if has_begun else max(wait_s, _SPAWNING_S))
        if not has_begun and not self.is_alive and isinstance(self._since_submitted()[-1], Submitted):
            append_event(self.folder, Cancelled("Cancelled before it began."))

    def stop_early(self) -> None:
        """Ask a training to end after its epoch and keep its best state."""
        (self.folder / run_folder.STOP).touch()

    def resume(self) -> Job:
        """Start the process again on this folder: an extraction goes on where it was.

        Raises:
            JobError: it runs, or it is finished.
        """
        with FileLock(self.folder.parent / _SUBMIT_LOCK):
            state = self.state
            if state in ("running", "queued", "finished"):
                raise JobError(f"{self.id} is {state}: there is nothing to resume.")
            run_folder.forget_stop(self.folder)
            append_event(self.folder, Submitted())
            _spawn(self.folder)
        return self

    def delete(self) -> None:
        """Remove the folder and all that it holds.

        Raises:
            JobError: the job runs.
        """
        if self.is_alive:
            raise JobError(
                f"{self.id} is {self.state}, and a process works on it. Cancel it before you delete it."
            )
        going = self.folder.with_name(f".deleting-{self.id}")
        with write_errors(self.folder):
            self.folder.rename(going)  # nobody sees a run of which a part is gone
            shutil.rmtree(going)

    def _since_submitted(self) -> list[Event]:
        """What the process that was started last has said, after the word that it was asked for."""
        events = [event for _, event in self.events()]
        return events[max((i for i, event in enumerate(events) if isinstance(event, Submitted)), default=0) :]

    def _process(self) -> psutil.Process | None:
        try:
            record = json.loads((self.folder / run_folder.PROCESS).read_text(encoding="utf-8"))
            process = psutil.Process(int(record["pid"]))
            same = abs(process.create_time() - float(record["start"])) < 1.0
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (OSError, ValueError, KeyError, psutil.Error):
            return None


def submit(config: JobConfig, workspace: Path) -> Job:
    """Write the configuration into a new run folder and start its process, which outlives this one.

    A configuration that is queued or running there already is not started twice: its job is returned.

    Args:
        workspace: the folder of runs that it belongs to.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    with FileLock(workspace / _SUBMIT_LOCK):
        for job in list_jobs(workspace):
            if job.state in ("queued", "running") and config_hash(job.config) == config_hash(config):
                return job
        folder = run_folder.new_folder(config, workspace)
        run_folder.create(folder, config)
        append_event(folder, Submitted())
        _spawn(folder)
    return Job(folder)


def list_jobs(workspace: Path) -> list[Job]:
    """Every run folder of a workspace, newest first."""
    jobs = [Job(path.parent) for path in workspace.glob(f"*/{run_folder.CONFIG}")]
    return sorted(jobs, key=lambda job: job.submitted_at, reverse=True)


def _identity(process: psutil.Process) -> str:
    """Tells a process from a later one of the same id."""
    return f"{process.pid} {process.create_time()}"


def _spawn(folder: Path) -> None:
    """Give the job of a folder to the process that waits for one, or start one for it.

    Its id is written down here: it may import for longer than anybody waits before it can write it down itself.
    """
    process = spare.take(folder) or _started(folder)
    run_folder.write_process(folder, process.pid)
    _reap_later(process)


def _started(folder: Path) -> subprocess.Popen[bytes]:
    """`python -m engine run FOLDER` in a session of its own, from the project's folder."""
    with (folder / run_folder.LOG).open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "engine", "run", str(folder)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def _reap_later(process: subprocess.Popen[bytes]) -> None:
    """Collect the exit status when it comes, so that no zombie stands for a live job."""
    threading.Thread(target=process.wait, daemon=True, name=f"reap-{process.pid}").start()

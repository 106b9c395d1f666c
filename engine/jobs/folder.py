"""The run folder: the only wire between the app and the device."""

from __future__ import annotations

import os
import secrets
import time
from datetime import datetime
from pathlib import Path

from engine.errors import JobError
from engine.files import slug, write_atomic
from engine.jobs.config import ExtractConfig, JobConfig, config_hash, to_yaml
from engine.jobs.events import Event, from_line, to_line
from engine.paths import PROJECT

CONFIG = "config.yaml"
EVENTS = "events.jsonl"
LOG = "log.txt"
PROCESS = "process.json"
STOP = "stop"


def runs_root() -> Path:
    """Where run folders live: EMBERSCOPE_HOME, or `runs` in the project's folder."""
    return Path(os.environ.get("EMBERSCOPE_HOME") or PROJECT / "runs").resolve()


def new_folder(config: JobConfig, root: Path) -> Path:
    """A path that no run has used, readable by eye: date, time, kind, backbone."""
    name = config.backbone.name if isinstance(config, ExtractConfig) else config.head.name
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return root / f"{stamp}-{config.kind}-{slug(name).strip('-').lower()}-{secrets.token_hex(2)}"


def settled_folder(config: JobConfig, root: Path) -> Path:
    """The folder that belongs to a configuration: the same content always has the same one."""
    return root / f"{config.kind}-{config_hash(config)[:12]}"


def create(folder: Path, config: JobConfig) -> None:
    """Make a run folder that holds its configuration.

    Raises:
        JobError: it holds another run already.
    """
    text = to_yaml(config)
    held = folder / CONFIG
    if held.is_file() and held.read_text(encoding="utf-8") != text:
        raise JobError(f"an empty folder was wanted, found another run in {folder}. Choose another --out.")
    if not held.is_file() and folder.is_dir() and any(folder.iterdir()):
        raise JobError(f"an empty folder was wanted, found files in {folder}. Choose another --out.")
    write_atomic(held, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def append_event(folder: Path, event: Event) -> None:
    """One line more in events.jsonl; a single write, so that readers see whole lines."""
    line = (to_line(event, time.time()) + "\n").encode()
    handle = os.open(folder / EVENTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


def read_events(folder: Path) -> list[tuple[float, Event]]:
    """Times (unix seconds) and events, oldest first; a torn last line is left for the next reading."""
    path = folder / EVENTS
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
    return [event for event in map(from_line, lines) if event is not None]

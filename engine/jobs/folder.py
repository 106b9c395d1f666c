"""The run folder: the only wire between the app and the device."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from datetime import datetime
from pathlib import Path

import psutil

from engine.errors import ConfigError, JobError
from engine.files import slug, write_atomic, write_errors
from engine.jobs.configuration.config import (
    DatasetConfig,
    ExportConfig,
    ExtractConfig,
    FetchConfig,
    JobConfig,
    LeaderboardConfig,
    MeasureConfig,
    TrainConfig,
    config_hash,
    parse_config,
    read_yaml,
    to_yaml,
)

CONFIG = "config.yaml"
LOG = "log.txt"
PROCESS = "process.json"
STOP = "stop"
CANCELLING = "cancelling"
WORK_LOCK = ".working.lock"


def new_folder(config: JobConfig, root: Path) -> Path:
    """A path that no run has used, readable by eye: date, time, kind, backbone."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    return (
        root / f"{stamp}-{config.kind}-{slug(_works_with(config)).strip('-').lower()}-{secrets.token_hex(2)}"
    )


def _works_with(config: JobConfig) -> str:
    """What a run's name says besides its kind."""
    match config:
        case ExtractConfig():
            return config.backbone.name
        case TrainConfig():
            return config.head.name
        case FetchConfig():
            return config.slug
        case MeasureConfig() | DatasetConfig() | ExportConfig():
            return config.what.name if isinstance(config, MeasureConfig) else config.title
        case LeaderboardConfig():
            return f"{len(config.stores)}x{len(config.heads)}x{len(config.seeds)}"
        case _:
            return "map"


def settled_folder(config: JobConfig, root: Path) -> Path:
    """The folder that belongs to a configuration: the same content always has the same one."""
    return root / f"{config.kind}-{config_hash(config)[:12]}"


def create(folder: Path, config: JobConfig) -> None:
    """Make a run folder that holds its configuration, or continue the run in it.

    A run is continued with what does not change its result, such as another device or batch size; a request to
    stop it early is forgotten.

    Raises:
        JobError: it holds another run already, or files of something else.
        DiskFull, BadInput, RunFailure: it cannot be written.
    """
    text = to_yaml(config)
    held = folder / CONFIG
    if held.is_file():
        if not _is_same_run(held, config):
            raise JobError(f"{folder} already holds another run. Choose another --out.")
    elif folder.is_dir() and any(path.name != WORK_LOCK for path in folder.iterdir()):
        raise JobError(f"{folder} already holds files that are not a run's. Choose another --out.")
    forget_stop(folder)
    write_atomic(held, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_process(folder: Path, pid: int) -> None:
    """Write down which process works on a folder; its start time tells it from a later one of the same id."""
    try:
        start = psutil.Process(pid).create_time()
    except psutil.Error:  # it has ended already
        return
    (folder / PROCESS).write_text(json.dumps({"pid": pid, "start": start}), encoding="utf-8")
    touch_workspace(folder)


def touch_workspace(folder: Path) -> None:
    """Change the modification time of the folder around a run: who watches it then looks at its jobs again."""
    with contextlib.suppress(OSError):  # nobody watches a folder that may not be written
        os.utime(folder.parent)


def forget_stop(folder: Path) -> None:
    """Take back an earlier request to stop early, so that a run that goes on does not end at once."""
    with write_errors(folder / STOP):
        (folder / STOP).unlink(missing_ok=True)


def _is_same_run(held: Path, config: JobConfig) -> bool:
    """Whether the configuration in a folder decides the same result."""
    try:
        return config_hash(parse_config(read_yaml(held), str(held))) == config_hash(config)
    except ConfigError:
        return False

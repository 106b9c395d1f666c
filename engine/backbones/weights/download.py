"""Fetching a checkpoint from its hub, told in words: resumable, one process at a time, in its place only when complete."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from engine.errors import WeightsError
from engine.files import write_error

Progress = Callable[[int, int | None], None]
"""Called about twice a second with bytes so far and the total, None where the server does not say it."""

_PROJECT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class HubFile:
    """A file to fetch.

    Attributes:
        sha256: of the file, or its first digits; None: the hub's own statement counts, where it makes one.
        name: what messages call it, with whose it is and its size.
        advice: how a person gets it otherwise; the end of every message.
        kind: of the repository: "model" or "dataset".
    """

    repository: str
    file: str
    sha256: str | None
    name: str
    advice: str
    revision: str = "main"
    kind: str = "model"


def fetch(wanted: HubFile, target: Path, on_progress: Progress | None = None) -> str:
    """Download to `target`; what an earlier or broken try left is continued.

    Several processes may ask for one file: one fetches it, the others wait and find it. Whatever `on_progress`
    raises ends the download and is raised here.

    Returns:
        sha256 of the file.

    Raises:
        WeightsError: no network, refused, cut short time and again, or of a wrong hash.
        BadInput, DiskFull, RunFailure: the file cannot be written.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "TRUE", "YES", "ON"}:
        raise WeightsError(
            f"{wanted.name} is not here, and HF_HUB_OFFLINE forbids a download. {wanted.advice}"
        )
    said = _downloaded(wanted, target.absolute(), on_progress or (lambda *_: None))
    if "failure" in said:
        _raise(wanted, target, str(said["failure"]), str(said["reason"]))
    return str(said["sha256"])


def _downloaded(wanted: HubFile, target: Path, on_progress: Progress) -> dict[str, Any]:
    """The last word of the process that downloads; it is ended when this function is left."""
    program = [sys.executable, "-m", "engine.backbones.weights.hub_download"]
    command = [
        *program,
        wanted.repository,
        wanted.file,
        str(target),
        wanted.sha256 or "",
        wanted.revision,
        wanted.kind,
    ]
    quiet = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    said: dict[str, Any] = {}
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            command,
            cwd=_PROJECT,
            env={**os.environ, **quiet},
            text=True,
            stdout=subprocess.PIPE,
            stderr=complaints,
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                said = json.loads(line)
                if "done" in said:
                    on_progress(int(said["done"]), said["total"])
        finally:
            process.kill()  # what came stays in the partial file, and the lock is released with the process
        if "done" in said or not said:
            complaints.seek(0)
            last = complaints.read().strip().splitlines()[-1:] or ["it ended without a word"]
            return {"failure": "network", "reason": last[0]}
    return said


def _raise(wanted: HubFile, target: Path, kind: str, reason: str) -> None:
    """The failure of a download as an error in words.

    Raises:
        WeightsError, BadInput, DiskFull, RunFailure: always one of them.
    """
    match kind:
        case "write":
            number = int(reason)
            raise write_error(
                OSError(number, os.strerror(number)), target, "fetch it again: it goes on there"
            )
        case "hash":
            expected = wanted.sha256 or "that the hub states"
            words = (
                f"came with another sha256 ({reason}) than the one {expected} and was deleted. Fetch it again; if that "
                f"repeats, the file was changed."
            )
        case "licence":
            words = (
                f"is given only to people who accept its licence (the server answered {reason}): accept it on the page and "
                f"set HF_TOKEN to your access token."
            )
        case "refused":
            words = f"was refused: the server answered {reason}."
        case _:
            host = urlsplit(os.environ.get("HF_ENDPOINT") or "https://huggingface.co").netloc
            words = f"could not be fetched from {host} ({reason}). Try again: it goes on with what has come."
    raise WeightsError(f"{wanted.name} {words} {wanted.advice}")

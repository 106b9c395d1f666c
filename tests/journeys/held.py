"""A job's process, stopped while we look at it: what a test then sees depends on nobody's speed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.journeys.visitor import PATIENCE_MS


@contextmanager
def held_after_first(kind: str, folder: Path, patience_ms: int = PATIENCE_MS) -> Iterator[int]:
    """Wait for the first event of a kind, then stop the process until the block ends.

    Yields:
        How many events of the kind there are.
    """
    wait_until(lambda: bool(events(folder, kind)), patience_ms)
    process = psutil.Process(process_id(folder))
    process.suspend()
    try:
        yield len(events(folder, kind))
    finally:
        process.resume()


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    """Events of a kind that the job has written so far."""
    path = folder / "events.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    told = [json.loads(line) for line in lines if line.endswith("\n")]
    return [event for event in told if event["event"] == kind]


def process_id(folder: Path) -> int:
    """Of the job's process."""
    return int(json.loads((folder / "process.json").read_text(encoding="utf-8"))["pid"])


def wait_until(condition: Callable[[], bool], patience_ms: int = PATIENCE_MS) -> None:
    """Ask again until it is so."""
    end = time.monotonic() + patience_ms / 1000
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)

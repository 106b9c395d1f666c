"""The events of a run folder: appended line by line, and read on from where a reader stopped."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from engine.jobs.events import Event, from_line, to_line

EVENTS = "events.jsonl"


class EventReader:
    """Reads the events of a run folder, each line once: a second reading goes on at the offset of the last.

    All callers share one list, which grows at its end only. Threads may share a reader.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS
        self._lock = threading.Lock()
        self._file_id: tuple[int, int] | None = None
        self._offset = 0
        self._events: list[tuple[float, Event]] = []

    def read(self) -> list[tuple[float, Event]]:
        """Times (unix seconds) and events, oldest first; not to be changed.

        A last line that is not complete yet is left for the next reading.
        """
        with self._lock:
            try:
                with self._path.open("rb") as file:
                    self._read_on(file.fileno())
            except FileNotFoundError:
                self._start_again(None)
            return self._events

    def _read_on(self, file: int) -> None:
        state = os.fstat(file)
        if self._file_id != (state.st_dev, state.st_ino) or state.st_size < self._offset:
            self._start_again((state.st_dev, state.st_ino))
        block = os.pread(file, max(0, state.st_size - self._offset), self._offset)
        complete = block[: block.rfind(b"\n") + 1]
        self._offset += len(complete)
        lines = complete.decode("utf-8", errors="replace").split("\n")[:-1]
        self._events.extend(event for event in map(from_line, lines) if event is not None)

    def _start_again(self, file_id: tuple[int, int] | None) -> None:
        """Another file has taken the place of the one that was read, or none."""
        self._file_id, self._offset, self._events = file_id, 0, []


def append_event(folder: Path, event: Event) -> None:
    """One line more in events.jsonl; a single write, so that readers see complete lines."""
    line = (to_line(event, time.time()) + "\n").encode()
    handle = os.open(folder / EVENTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


def read_events(folder: Path) -> list[tuple[float, Event]]:
    """Times (unix seconds) and events, oldest first; a last line that is not complete is left out."""
    return EventReader(folder).read()

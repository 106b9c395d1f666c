"""A log that grows is read on from where the last reading stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.jobs import event_log
from engine.jobs.event_log import EVENTS, EventReader, append_event, read_events
from engine.jobs.events import Noticed, from_line


def words(found: list[tuple[float, Any]]) -> list[str]:
    return [event.message for _, event in found]


def test_a_second_reading_parses_only_the_new_lines_and_keeps_one_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    monkeypatch.setattr(event_log, "from_line", lambda line: (parsed.append(line), from_line(line))[1])
    reader = EventReader(tmp_path)
    assert reader.read() == []
    for number in range(50):
        append_event(tmp_path, Noticed(f"é {number}"))
        found = reader.read()
        assert words(found)[-1] == f"é {number}"
    assert len(parsed) == 50
    assert reader.read() is found and found == read_events(tmp_path)


def test_a_line_that_is_not_complete_is_read_when_it_is(tmp_path: Path) -> None:
    append_event(tmp_path, Noticed("first"))
    append_event(tmp_path, Noticed("näxt"))
    log = tmp_path / EVENTS
    content, reader = log.read_bytes(), EventReader(tmp_path)
    for length in range(len(content.splitlines()[0]) + 1, len(content)):
        log.write_bytes(content[:length])
        assert words(reader.read()) == ["first"]
    log.write_bytes(content)
    assert words(reader.read()) == ["first", "näxt"]


def test_a_run_that_was_deleted_and_made_again_is_read_from_its_start(tmp_path: Path) -> None:
    append_event(tmp_path, Noticed("of the run that was"))
    reader = EventReader(tmp_path)
    reader.read()
    (tmp_path / EVENTS).unlink()
    assert reader.read() == []
    append_event(tmp_path, Noticed("of another, whose log is longer than that of the one before"))
    assert words(reader.read()) == ["of another, whose log is longer than that of the one before"]

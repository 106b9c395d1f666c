"""A job belongs to the machine, not to the tab: it outlives a refresh, and it ends tidily when it is told to."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.journeys.conftest import App
from tests.journeys.held import events, held_after_first, process_id, wait_until
from tests.journeys.visitor import PATIENCE_MS, Visitor

pytestmark = pytest.mark.timeout(600)  # two slow, busy cores


def test_a_refresh_shows_the_same_job_and_the_job_goes_on(visitor: Visitor, app: App) -> None:
    folder = _start_extraction(visitor, app)
    with held_after_first("TileDone", folder) as done:
        visitor.page.reload(timeout=PATIENCE_MS)
        visitor.sees_page("Extract")
        visitor.sees_state("running")
        assert visitor.job == folder.name
        visitor.progress_matches(rf"{done} of \d+ tiles")
    visitor.sees_state("finished")
    assert len(events(folder, "TileDone")) > done
    assert visitor.job == folder.name


def test_a_cancelled_job_says_so_and_leaves_nothing_half_made(visitor: Visitor, app: App) -> None:
    folder = _start_extraction(visitor, app)
    with held_after_first("TileDone", folder):
        visitor.sees_state("running")
        visitor.press("cancel_popover")
        visitor.press("cancel_yes")
        wait_until(lambda: _is_told_to_end(folder))
    visitor.sees_state("cancelled")
    wait_until(lambda: not (folder / "process.json").exists())
    assert not (folder / "store").exists()
    assert list(folder.rglob("*.writing*")) == []


def _start_extraction(visitor: Visitor, app: App) -> Path:
    """Start the whole sample scene with the backbone that suits it; returns the run folder."""
    visitor.open("extract?place=virginia")
    visitor.sees_page("Extract")
    visitor.press("start_extract")
    return app.home / visitor.job


def _is_told_to_end(folder: Path) -> bool:
    """Whether SIGTERM waits for the process that is held."""
    status = Path(f"/proc/{process_id(folder)}/status").read_text(encoding="ascii")
    pending = next(line for line in status.splitlines() if line.startswith("ShdPnd:"))
    return bool(int(pending.split()[1], 16) & 1 << (signal.SIGTERM - 1))

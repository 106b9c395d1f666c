"""The guided path by somebody who presses only what is highlighted, then once more with the keys alone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import geopandas as gpd
import pytest
from playwright.sync_api import expect

from engine.imagery.simulation.season import simulate_season
from engine.jobs.job import list_jobs
from tests.journeys.conftest import App
from tests.journeys.visitor import PATIENCE_MS, Visitor

_STEPS = 6
_TEN_MINUTES_S = 600
_AT_NEXT = "() => document.activeElement?.closest('.st-key-guide_next') !== null"
_AT = "key => document.activeElement?.closest(`.st-key-${key}`) != null"
_MOST_TABS = 60
_LEFT_AT = 3
_HIGHLIGHTED = """() => [...document.querySelectorAll('[data-testid="stMain"] [data-testid="stBaseButton-primary"]')]
  .filter(button => getComputedStyle(button).backgroundColor !== 'rgba(0, 0, 0, 0)').length"""


@pytest.mark.timeout(900)  # two slow, busy cores
def test_the_guided_path_leads_from_a_scar_to_its_map_by_one_highlighted_button(
    visitor: Visitor, app: App, tmp_path: Path
) -> None:
    if not os.environ.get("EMBERSCOPE_SCREENSHOTS"):  # the suite has no time for twelve fires
        simulate_season(app.home / "data" / "simulated-0-12", seed=0, chips=3)
    visitor.open()
    visitor.sees_page("Start")
    began, clicks = time.monotonic(), 1
    visitor.press("go_scar")
    for step in range(1, _STEPS + 1):
        _is_at(visitor, step)
        expect(visitor.button("guide_next")).to_be_enabled(timeout=4 * PATIENCE_MS)
        assert visitor.page.evaluate(_HIGHLIGHTED) == 1
        if step == _LEFT_AT:
            _leave_and_come_back(visitor, app)
        if step < _STEPS:
            visitor.press("guide_next")
            clicks += 1
    visitor.sees("Take it home")
    seconds = time.monotonic() - began
    print(f"the guided path: {clicks} clicks, {seconds:.0f} s")
    assert seconds < _TEN_MINUTES_S
    with visitor.page.expect_download(timeout=PATIENCE_MS) as taken:
        visitor.page.get_by_role("link", name="Polygons, GeoPackage").click()
    taken.value.save_as(tmp_path / "scar.gpkg")
    assert gpd.read_file(tmp_path / "scar.gpkg")["hectares"].sum() > 0
    _threshold_by_keys(visitor)
    _once_more_by_keys(visitor)


def _leave_and_come_back(visitor: Visitor, app: App) -> None:
    """Left half-way, everything is kept: the page stays, and the first page goes on at the same step with nothing made anew."""
    made = {job.id for job in list_jobs(app.home)}
    visitor.press("guide_leave")
    expect(visitor.page.locator(".es-guide")).to_have_count(0, timeout=PATIENCE_MS)
    visitor.sees_lens()
    visitor.go_to("Start")
    expect(visitor.button("go_scar")).to_have_text("Go on")
    visitor.press("go_scar")
    _is_at(visitor, _LEFT_AT)
    visitor.sees_page("Embeddings")
    assert {job.id for job in list_jobs(app.home)} == made


def _threshold_by_keys(visitor: Visitor) -> None:
    """The slider moves by the arrow keys, and the hectares follow."""
    area = visitor.page.locator(".es-areas dd").first
    before = area.inner_text()
    slider = visitor.page.locator(".es-slide input")
    slider.focus()
    for _ in range(20):
        slider.press("ArrowRight")
    expect(area).not_to_have_text(before, timeout=PATIENCE_MS)
    visitor.is_idle()


def _once_more_by_keys(visitor: Visitor) -> None:
    """By Tab, Shift and Enter only; all that was made is found again, so the way is quick."""
    visitor.open()
    visitor.sees_page("Start")
    _tab_to(visitor, "do_step_1")
    visitor.page.keyboard.press("Enter")
    for step in range(1, _STEPS + 1):
        _is_at(visitor, step)
        expect(visitor.button("guide_next")).to_be_enabled(timeout=PATIENCE_MS)
        _stands_at_next(visitor)
        if step < _STEPS:
            visitor.page.keyboard.press("Enter")
    visitor.sees("Take it home")
    _tab_to(visitor, "guide_leave")
    visitor.page.keyboard.press("Shift+Tab")
    _stands_at_next(visitor)
    visitor.page.keyboard.press("Enter")
    visitor.sees_page("Start")
    expect(visitor.page.locator(".es-guide")).to_have_count(0, timeout=PATIENCE_MS)


def _tab_to(visitor: Visitor, key: str) -> None:
    """Press Tab until the keyboard stands on a button."""
    for _ in range(_MOST_TABS):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate(_AT, key):
            return
    raise AssertionError(f"{_MOST_TABS} times Tab do not lead to {key}")


def _stands_at_next(visitor: Visitor) -> None:
    """The keyboard stands on the highlighted button when a step begins."""
    visitor.is_idle()
    visitor.page.wait_for_function(_AT_NEXT, timeout=PATIENCE_MS)


def _is_at(visitor: Visitor, step: int) -> None:
    expect(visitor.page.locator(".es-guide b")).to_contain_text(f"{step} of {_STEPS}", timeout=PATIENCE_MS)
    visitor.is_idle()

"""A link shows in a fresh browser what was seen: pixel by pixel, on every page with a map, after a person changed what it shows."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.journeys.conftest import App
from tests.journeys.visitor import PATIENCE_MS, WHOLE_MAP, Visitor, visit

pytestmark = pytest.mark.timeout(600)  # two slow, busy cores

_SLIDE = "(slider, value) => { slider.value = value; for (const name of ['input', 'change']) slider.dispatchEvent(new Event(name, { bubbles: true })); }"
_MOST_DIFFERENT_SHARE = 0.002
_MOST_LOOKS, _MOST_TRIES = 40, 8


def _explore(visitor: Visitor) -> None:
    visitor.pick("explore_bands_season", "Infrared")
    visitor.map.get_by_role("button", name="The next scene").click(timeout=PATIENCE_MS)
    visitor.map.locator('.ember-layer[data-pane="imagery"] input[type="range"]').evaluate(_SLIDE, 60)
    visitor.map.locator(".leaflet-control-zoom-out").click(timeout=PATIENCE_MS)
    visitor.page.wait_for_url(re.compile("layers=.*imagery:60"), timeout=PATIENCE_MS)


def _embeddings(visitor: Visitor) -> None:
    visitor.pick("lens", "Clusters")
    visitor.map.locator(".leaflet-control-zoom-out").click(timeout=PATIENCE_MS)
    visitor.page.wait_for_url(re.compile("lens=Clusters"), timeout=PATIENCE_MS)


def _compare(visitor: Visitor) -> None:
    visitor.pick("compare_layout", "Under a swipe")
    expect(visitor.map.locator(".ember-swipe-line")).to_be_attached(timeout=PATIENCE_MS)


def _evaluate(visitor: Visitor) -> None:
    visitor.pick("evaluate_view", "Predicted")
    visitor.press("worst_place")
    visitor.page.wait_for_url(re.compile("test_place="), timeout=PATIENCE_MS)


def _apply(visitor: Visitor) -> None:
    visitor.page.locator(".st-key-smallest input").fill("3", timeout=PATIENCE_MS)
    visitor.page.locator(".st-key-smallest input").press("Tab")
    visitor.page.locator('input[type="range"]').first.evaluate(_SLIDE, 0.8)
    visitor.page.wait_for_url(re.compile("threshold=0.80"), timeout=PATIENCE_MS)


_CHANGES: dict[str, tuple[str, Callable[[Visitor], None]]] = {
    "Explore": ("explore?place=season", _explore),
    "Embeddings": ("embeddings?job={extract}", _embeddings),
    "Compare": ("compare?compare={extract},{extract}", _compare),
    "Evaluate": ("evaluate?job={train}", _evaluate),
    "Apply": ("apply?job={apply}", _apply),
}


def test_a_link_opens_the_same_picture_in_a_fresh_browser(
    app: App, chromium: Browser, screenshots: Path, season_runs: dict[str, str]
) -> None:
    for title, (address, change) in _CHANGES.items():
        with visit(chromium, app.address, screenshots) as visitor:
            visitor.open(address.format_map(season_runs))
            visitor.sees_page(title)
            change(visitor)
            _picture(visitor)  # the address follows the map a moment later
            link = visitor.page.url
            with visit(chromium, app.address, screenshots) as guest:
                guest.page.goto(link, timeout=PATIENCE_MS)
                guest.sees_page(title)
                share = _least_different(visitor, guest)
                assert _asked(guest.page.url) == _asked(link), title
                assert "The link asks for" not in guest.page.locator("body").inner_text(), title
        assert share < _MOST_DIFFERENT_SHARE, f"{title}: {100 * share:.1f} % of the pixels differ"


def _least_different(visitor: Visitor, guest: Visitor) -> float:
    """Share of the pixels that differ, looked at again while one of the two may still be drawing."""
    share = 1.0
    for _ in range(_MOST_TRIES):
        first, second = _picture(visitor), _picture(guest)
        share = min(share, float((np.abs(first.astype(int) - second.astype(int)).max(axis=2) > 24).mean()))
        if share < _MOST_DIFFERENT_SHARE:
            break
    return share


def _asked(link: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(link).query))


def _picture(visitor: Visitor) -> np.ndarray:
    """The map's pixels once nothing changes any more, (H, W, 3)."""
    visitor.page.mouse.move(640, 5)  # off the map
    for inside in (visitor.map.locator("body"), visitor.page.locator("body")):
        inside.evaluate("body => body.ownerDocument.activeElement.blur()")
    visitor.is_idle()
    frame = visitor.page.locator('iframe[title*="st_folium"]').first
    frame.scroll_into_view_if_needed(timeout=PATIENCE_MS)
    before = np.empty(0)
    for _ in range(_MOST_LOOKS):
        visitor.map.locator(".leaflet-container").evaluate(WHOLE_MAP)
        visitor.page.wait_for_timeout(250)
        seen = frame.screenshot(animations="disabled", timeout=PATIENCE_MS)
        now = np.asarray(Image.open(io.BytesIO(seen)).convert("RGB"))
        if np.array_equal(before, now):
            return now
        before = now
    raise AssertionError("the picture goes on changing")

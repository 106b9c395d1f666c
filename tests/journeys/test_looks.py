"""Every page by the rules of axe-core in both themes, on a telephone at night, and at 200 % zoom."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.conftest import ROOT, App
from tests.journeys.visitor import PAGES, PATIENCE_MS, Visitor, visit

pytestmark = pytest.mark.timeout(900)  # two slow, busy cores

_DESK_PX, _TELEPHONE_PX = 1280, 390
_ZOOMED = {"width": 720, "height": 450}  # what is left of 1440 x 900 at 200 %
_TOO_WIDE = """() => ['html', '[data-testid="stMain"]', '[data-testid="stMainBlockContainer"]'].filter(at => {
  const box = document.querySelector(at);
  return box.scrollWidth > Math.min(box.clientWidth, window.innerWidth) + 1;
})"""
_BACKGROUND = "() => getComputedStyle(document.querySelector('[data-testid=\"stApp\"]')).backgroundColor"
_AXE = ROOT / "assets" / "node_modules" / "axe-core" / "axe.min.js"
_SEVERE = ("serious", "critical")
# Frames are looked at one by one, each with its own copy of axe.
_FINDINGS = """async () => (await axe.run(document, {iframes: false, resultTypes: ['violations']})).violations.flatMap(
  rule => rule.nodes.map(node => ({impact: rule.impact, rule: rule.id, at: node.target.join(' '),
                                   why: node.failureSummary, html: node.html.slice(0, 200)})))"""

_FOCUS = """() => {
  let element = document.activeElement;
  while (element.tagName === 'IFRAME') element = element.contentDocument.activeElement;
  const {outlineStyle, boxShadow} = getComputedStyle(element);
  return [element.tagName, element.ariaLabel || element.title || element.innerText || '',
          outlineStyle !== 'none' || boxShadow !== 'none'];
}"""
_FOCUSED_BOX = """() => {
  const {left, right} = document.activeElement.getBoundingClientRect();
  return [left, right, document.activeElement.ariaLabel || document.activeElement.innerText];
}"""
_MOST_TABS = 70  # 49 with the whole season


@pytest.fixture(scope="module")
def addresses(season_runs: dict[str, str]) -> dict[str, str]:
    """Where each page has something to show: with a map that a decoder made, and the runs that it was made of."""
    places = {title: title.lower() for title in PAGES} | {"Start": "", "Explore": "explore?place=season"}
    return places | {
        "Train": f"train?job={season_runs['train']}",
        "Evaluate": f"evaluate?job={season_runs['train']}",
        "Apply": f"apply?job={season_runs['apply']}",
    }


@pytest.mark.parametrize(("width", "theme"), [(_TELEPHONE_PX, "dark"), (_DESK_PX, "light")])
def test_every_page_can_be_used_by_everybody_and_fits_its_window(
    app: App, chromium: Browser, screenshots: Path, addresses: dict[str, str], width: int, theme: str
) -> None:
    with visit(chromium, app.address, screenshots, width=width, theme=theme) as visitor:
        for title, address in addresses.items():
            visitor.open(address)
            visitor.sees_page(title)
            if visitor.page.locator('iframe[title*="st_folium"]').count():
                visitor.sees_map()
            assert _is_dark(visitor) == (theme == "dark"), title
            assert visitor.page.evaluate(_TOO_WIDE) == [], f"{title} is wider than its window"
            visitor.sees_no_breakdown()
            visitor.take_screenshot(f"{width}-{theme}-{title.lower()}")
            assert _severe_findings(visitor) == [], title
            if theme == "light":
                _fits_at_zoom(visitor, title)


def test_the_tab_key_goes_through_the_map_and_its_panel_and_shows_where_it_is(visitor: Visitor) -> None:
    visitor.open("explore?place=season")
    visitor.sees_page("Explore")
    visitor.sees_map()
    expect(visitor.map.locator(".ember-scene img").first).to_be_visible(timeout=PATIENCE_MS)
    seen: list[str] = []
    for _ in range(_MOST_TABS):
        visitor.page.keyboard.press("Tab")
        tag, name, is_shown = visitor.page.evaluate(_FOCUS)
        assert is_shown or tag in ("MAIN", "BODY"), f"nothing shows that the keyboard is at {name}"
        seen.append(name)
        if tag == "BUTTON" and "Use everything here" in name:
            break
    assert "Use everything here" in seen[-1]
    assert {"Zoom in", "Draw a rectangle", "The next scene"} <= set(seen)


def test_on_a_telephone_the_tab_key_stops_at_nothing_that_is_folded_away_and_the_pages_still_unfold(
    app: App, chromium: Browser, screenshots: Path
) -> None:
    with visit(chromium, app.address, screenshots, width=_TELEPHONE_PX) as visitor:
        visitor.open("runs")
        visitor.sees_page("Runs")
        for _ in range(8):
            visitor.page.keyboard.press("Tab")
            left, right, name = visitor.page.evaluate(_FOCUSED_BOX)
            assert 0 <= left < right <= _TELEPHONE_PX, f"the keyboard is at {name}, which nobody sees"
        visitor.page.get_by_role("button", name="Expand sidebar").click()
        visitor.page.get_by_role("link", name="Backbones").click()
        visitor.sees_page("Backbones")


def _fits_at_zoom(visitor: Visitor, title: str) -> None:
    size = visitor.page.viewport_size
    visitor.page.set_viewport_size(_ZOOMED)
    visitor.page.wait_for_timeout(200)
    assert visitor.page.evaluate(_TOO_WIDE) == [], f"{title} is wider than its window at 200 %"
    visitor.take_screenshot(f"zoomed-{title.lower()}")
    visitor.page.set_viewport_size(size)


def _severe_findings(visitor: Visitor) -> list[dict[str, Any]]:
    """What axe-core calls serious or critical on the page and inside its maps."""
    found = []
    for frame in visitor.page.frames:
        frame.wait_for_load_state(timeout=PATIENCE_MS)
        frame.evaluate(_AXE.read_text(encoding="utf-8") + "; 0")
        found += [one for one in frame.evaluate(_FINDINGS) if one["impact"] in _SEVERE]
    return found


def _is_dark(visitor: Visitor) -> bool:
    red, green, blue = (int(value) for value in re.findall(r"\d+", visitor.page.evaluate(_BACKGROUND))[:3])
    return max(red, green, blue) < 64

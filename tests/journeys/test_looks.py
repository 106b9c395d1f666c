"""Every page on a telephone at night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys.conftest import App
from tests.journeys.visitor import PAGES, Visitor, visit

_WIDTH_PX = 390
_TOO_WIDE = """() => ['html', '[data-testid="stMain"]', '[data-testid="stMainBlockContainer"]'].filter(at => {
  const box = document.querySelector(at);
  return box.scrollWidth > Math.min(box.clientWidth, window.innerWidth) + 1;
})"""
_BACKGROUND = "() => getComputedStyle(document.querySelector('[data-testid=\"stApp\"]')).backgroundColor"


@pytest.mark.timeout(600)  # two slow, busy cores
def test_every_page_fits_a_narrow_window_in_the_dark_theme(
    app: App, chromium: Browser, screenshots: Path
) -> None:
    with visit(chromium, app.address, screenshots, width=_WIDTH_PX, theme="dark") as visitor:
        for title in PAGES:
            visitor.open("" if title == "Start" else title.lower())
            visitor.sees_page(title)
            if visitor.page.locator('iframe[title*="st_folium"]').count():
                visitor.sees_map()
            assert _is_dark(visitor), title
            assert visitor.page.evaluate(_TOO_WIDE) == [], f"{title} is wider than its window"
            visitor.sees_no_breakdown()
            visitor.take_screenshot(f"narrow-dark-{title.lower()}")


def _is_dark(visitor: Visitor) -> bool:
    red, green, blue = (int(value) for value in re.findall(r"\d+", visitor.page.evaluate(_BACKGROUND))[:3])
    return max(red, green, blue) < 64

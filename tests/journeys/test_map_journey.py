"""What our own script and style sheet make of a map, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from pages.ui.map.map_controls import PANES
from tests.journeys.conftest import App
from tests.journeys.visitor import PATIENCE_MS, visit

_LAND = {"light": "rgb(246, 244, 239)", "dark": "rgb(33, 30, 26)"}
_WATER = {"light": "rgb(232, 238, 240)", "dark": "rgb(16, 22, 26)"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_map_has_its_panes_in_order_and_the_colours_of_the_theme_and_land_once_far_enough_away(
    app: App, chromium: Browser, screenshots: Path, theme: str
) -> None:
    with visit(chromium, app.address, screenshots, theme=theme) as visitor:
        visitor.open()
        visitor.sees_page("Explore")
        visitor.sees_map()
        for name, z_index in PANES.items():
            pane = visitor.map.locator(f".leaflet-{name}-pane").last
            expect(pane).to_have_css("z-index", str(z_index), timeout=PATIENCE_MS)
        container = visitor.map.locator(".leaflet-container")
        expect(container).to_have_css("background-color", _WATER[theme], timeout=PATIENCE_MS)
        land = visitor.map.locator(".leaflet-land-pane")
        expect(land).to_be_hidden(timeout=PATIENCE_MS)
        country = land.locator("path.ember-land").first
        expect(country).to_have_css("fill", _LAND[theme], timeout=PATIENCE_MS)
        in_sight = land.locator(
            'path.ember-land:not([d="M0 0"])'
        ).first  # Leaflet clips what lies outside to nothing
        for _ in range(40):  # a click during the animation of the one before zooms less than a step
            if in_sight.is_visible():
                break
            visitor.map.locator(".leaflet-control-zoom-out").click(timeout=PATIENCE_MS)
            visitor.page.wait_for_timeout(250)
        expect(in_sight).to_be_visible(timeout=PATIENCE_MS)

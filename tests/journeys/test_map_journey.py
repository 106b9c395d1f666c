"""What our own script and style sheet make of a map, in a browser."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from pages.ui.map.map_controls import PANES
from tests.journeys.conftest import App
from tests.journeys.visitor import PATIENCE_MS, Visitor, visit

_LAND = {"light": "rgb(246, 244, 239)", "dark": "rgb(33, 30, 26)"}
_WATER = {"light": "rgb(232, 238, 240)", "dark": "rgb(16, 22, 26)"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_map_has_its_panes_in_order_and_the_colours_of_the_theme_and_land_once_far_enough_away(
    app: App, chromium: Browser, screenshots: Path, theme: str
) -> None:
    with visit(chromium, app.address, screenshots, theme=theme) as visitor:
        visitor.open("explore")
        visitor.sees_page("Explore")
        visitor.sees_map()
        for name, z_index in PANES.items():
            pane = visitor.map.locator(f".leaflet-{name}-pane").last
            expect(pane).to_have_css("z-index", str(z_index), timeout=PATIENCE_MS)
        container = visitor.map.locator(".leaflet-container")
        expect(container).to_have_css("background-color", _WATER[theme], timeout=PATIENCE_MS)
        visitor.map.locator(".leaflet-container").evaluate(_BESIDE_THE_SCENE)
        expect(visitor.map.locator("path.ember-piece").first).to_be_attached(timeout=PATIENCE_MS)
        assert _colour_at_centre(visitor) == _LAND[theme], "land beside the sample scene is drawn as land"


# A wood on the mainland of Virginia's Eastern Shore, 3 km and more from either coast.
_BESIDE_THE_SCENE = "() => map.setView([37.775, -75.65], 12, { animate: false })"


def _colour_at_centre(visitor: Visitor) -> str:
    visitor.page.wait_for_timeout(500)
    size = visitor.page.viewport_size
    frame = visitor.page.locator('iframe[title*="st_folium"]').bounding_box()
    assert size is not None
    assert frame is not None
    seen = Image.open(io.BytesIO(visitor.page.screenshot())).convert("RGB")
    at = int(frame["x"] + frame["width"] / 2), int(frame["y"] + frame["height"] / 2)
    return "rgb({}, {}, {})".format(*seen.getpixel(at))


_CENTRE = "() => { const { lat, lng } = map.getCenter(); return [lat, lng, map.getZoom()]; }"
_LOOK_AT = "() => map.setView([37.66, -75.62], 13, { animate: false })"
_WIDE_SHARE = 0.7


def test_the_map_is_the_page_and_its_panel_folds_away(visitor: Visitor) -> None:
    visitor.open("explore")
    visitor.sees_page("Explore")
    visitor.sees_map()
    size = visitor.page.viewport_size
    box = visitor.page.locator('iframe[title*="st_folium"]').bounding_box()
    assert size is not None
    assert box is not None
    assert box["width"] == size["width"]
    assert box["height"] >= _WIDE_SHARE * size["height"]
    inside = visitor.map.locator(".leaflet-container").bounding_box()
    assert inside is not None
    assert inside["height"] == pytest.approx(box["height"], abs=1)
    visitor.sees("Before you start")
    visitor.page.locator(".st-key-map_panel summary").click()
    expect(visitor.page.get_by_text("Before you start")).to_be_hidden(timeout=PATIENCE_MS)


def test_the_map_keeps_its_view_from_band_to_band_and_over_a_refresh(visitor: Visitor) -> None:
    visitor.open("explore?place=virginia")
    visitor.sees_page("Explore")
    visitor.sees_map()
    visitor.map.locator(".leaflet-container").evaluate(_LOOK_AT)
    wanted = visitor.map.locator(".leaflet-container").evaluate(_CENTRE)
    visitor.pick("explore_bands_virginia", "Infrared")
    expect(visitor.map.locator('.ember-layer[data-pane="imagery"] label')).to_have_text(
        "Infrared", timeout=PATIENCE_MS
    )
    assert visitor.map.locator(".leaflet-container").evaluate(_CENTRE) == pytest.approx(wanted)
    visitor.page.reload(timeout=PATIENCE_MS)
    visitor.sees_page("Explore")
    visitor.sees_map()
    assert visitor.map.locator(".leaflet-container").evaluate(_CENTRE) == pytest.approx(wanted)


def test_the_place_under_the_pointer_is_told_with_value_and_date(visitor: Visitor) -> None:
    visitor.open("explore?place=season")
    visitor.sees_page("Explore")
    visitor.sees_map()
    visitor.page.mouse.move(800, 300)
    told = visitor.map.locator(".ember-pointer")
    expect(told).to_contain_text(re.compile(r"swir_2 \d\.\d{3} · nir_narrow .* 20\d\d"), timeout=PATIENCE_MS)
    expect(told).to_contain_text("° N", timeout=PATIENCE_MS)

"""From a region on the map to colours over it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import App
from tests.journeys.held import events, held_after_first
from tests.journeys.visitor import PATIENCE_MS, Visitor

pytestmark = pytest.mark.timeout(600)  # two slow, busy cores

# Inside the sample scene: a few square kilometres of coast.
WEST, SOUTH, EAST, NORTH = -75.68, 37.63, -75.58, 37.70


def test_explore_shows_a_map_with_imagery_and_what_it_will_cost(visitor: Visitor) -> None:
    visitor.open("explore?place=virginia")
    visitor.sees_page("Explore")
    visitor.sees_map()
    visitor.sees_tile_with_pixels()
    visitor.sees("Before you start")
    expect(visitor.button("use_region")).to_be_enabled(timeout=PATIENCE_MS)


def test_a_region_typed_on_explore_becomes_colours_over_the_map(visitor: Visitor, app: App) -> None:
    visitor.open("explore?place=virginia")
    visitor.sees_page("Explore")
    visitor.pick("region_way", "Type bounds")
    for key, value in (("west", WEST), ("east", EAST), ("south", SOUTH), ("north", NORTH)):
        visitor.type_number(f"bounds_{key}", value)
    visitor.press("apply_bounds")
    expect(visitor.button("use_region")).to_contain_text("Use this region", timeout=PATIENCE_MS)
    visitor.sees_map()
    visitor.is_idle()
    visitor.take_screenshot("region")

    visitor.press("use_region")
    visitor.sees_page("Extract")
    visitor.note_progress()
    visitor.press("start_extract")
    job = visitor.job
    with held_after_first("TileDone", app.home / job):  # else all may be done between two looks
        visitor.progress_matches(r"\d+ of \d+ tiles?")
        above = visitor.page.locator(".es-job")  # says the same, a little later
        expect(above).to_contain_text(re.compile(r"\d+ of \d+ tiles"), timeout=PATIENCE_MS)
        expect(visitor.page.get_by_test_id("stToast")).to_have_count(0, timeout=PATIENCE_MS)
        visitor.take_screenshot("extract")
    visitor.sees_state("finished")
    assert len(visitor.progress) >= 2, "the bar never moved"
    (done,) = events(app.home / job, "ExtractDone")
    visitor.progress_matches(f"{done['patches']:,} patches")

    visitor.press("to_embeddings")
    visitor.sees_page("Embeddings")
    expect(visitor.page.get_by_role("heading", name="Explained variance")).to_be_visible(timeout=PATIENCE_MS)
    visitor.sees(re.compile(r"The three show \d+ % of the variance"))
    visitor.sees_lens()
    visitor.take_screenshot("embeddings")
    row = visitor.map.locator('.ember-layer[data-pane="overlay"]')
    expect(row.locator("label")).to_have_text("Embeddings", timeout=PATIENCE_MS)
    row.locator('input[type="range"]').fill("30", timeout=PATIENCE_MS)
    overlay = visitor.map.locator(".leaflet-overlay-pane", has=visitor.page.locator("canvas.ember-lens"))
    expect(overlay).to_have_css("opacity", "0.3", timeout=PATIENCE_MS)
    row.locator('input[type="checkbox"]').uncheck(timeout=PATIENCE_MS)
    expect(overlay).to_have_css("visibility", "hidden", timeout=PATIENCE_MS)


def test_a_rectangle_drawn_on_the_map_is_the_region(visitor: Visitor) -> None:
    visitor.open("explore?place=virginia")
    visitor.sees_page("Explore")
    visitor.sees_map()
    visitor.is_idle()
    visitor.map.locator(".leaflet-draw-draw-rectangle").click(timeout=PATIENCE_MS)
    frame = visitor.map.locator(".leaflet-container").bounding_box()
    assert frame is not None
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    mouse = visitor.page.mouse
    mouse.move(x - 60, y - 60)
    mouse.down()
    mouse.move(x, y, steps=4)
    mouse.move(x + 60, y + 60, steps=4)
    mouse.up()
    visitor.page.wait_for_url(re.compile(r"[?&]region="), timeout=PATIENCE_MS)
    expect(visitor.button("use_region")).to_contain_text("Use this region", timeout=PATIENCE_MS)

"""Two backbones are compared: aligned colours, one pointer, a swipe, the scatter, and the link that shows the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, expect

from engine.jobs.job import Job
from tests.journeys.conftest import App, done_by_command
from tests.journeys.visitor import PATIENCE_MS, Visitor

_REGION = {"bounds_lonlat": [-75.64, 37.64, -75.59, 37.68]}
_WIDE_SHARE = 0.7
_COLOURS = """canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]
  .filter((_, i) => i % 4 === 3 && i % 64 === 3).some(opacity => opacity > 0)"""
_PICTURE = "canvas => canvas.toDataURL()"
# The value of the picture below the pointer changes with the spot; the server hears nothing of it.
_CENTRE = "() => { const { lat, lng } = map.getCenter(); return [lat.toFixed(4), lng.toFixed(4), map.getZoom()].join(); }"


@pytest.fixture(scope="module")
def two_stores(app: App) -> Iterator[tuple[str, str]]:
    """The same ground by reflectance and by random convolutional features, for as long as these tests run."""
    names = ("compare-raw", "compare-rcf")
    for name, backbone in zip(names, ("raw", "rcf"), strict=True):
        config = {
            "kind": "extract", "scene": {"source": "file", "path": "assets/samples/virginia.tif"}, "device": "cpu",
            "region": _REGION, "backbone": {"name": backbone}, "tiles": {"size_px": 64},
        }  # fmt: skip
        done_by_command(app.home, config, name)
    yield names[0], names[1]
    for name in names:
        Job(app.home / name).delete()


def test_two_backbones_in_colours_that_mean_the_same(
    visitor: Visitor, two_stores: tuple[str, str], screenshots: Path
) -> None:
    page = visitor.page
    visitor.open(f"compare?compare={two_stores[0]},{two_stores[1]}")
    visitor.sees_page("Compare")
    maps = [page.frame_locator('iframe[title*="st_folium"]').nth(number) for number in range(2)]
    for one in maps:
        _shows_a_lens(visitor, one)
    for box in (frame.bounding_box() for frame in page.locator('iframe[title*="st_folium"]').all()):
        assert box is not None
        assert box["height"] >= _WIDE_SHARE * 900, "a map takes most of the window's height"
    visitor.sees("Correlation with the first")
    visitor.take_screenshot("compare")

    maps[0].locator(".leaflet-container").evaluate(
        "() => map.setView([37.66, -75.61], 15, { animate: false })"
    )
    _comes_to(visitor, maps[1], _CENTRE, maps[0].locator(".leaflet-container").evaluate(_CENTRE))

    visitor.pick("compare_show", "Similarity")
    visitor.is_idle()
    _shows_a_lens(visitor, maps[1])
    before = maps[1].locator("canvas.ember-lens").evaluate(_PICTURE)
    maps[0].locator(".leaflet-container").hover(position={"x": 200, "y": 200})
    visitor.waits_until(
        lambda: maps[1].locator("canvas.ember-lens").evaluate(_PICTURE) != before,
        "the other map did not follow the pointer",
    )
    maps[0].locator(".leaflet-container").click(position={"x": 200, "y": 200})
    marked = page.locator(".st-key-compare_scatter .js-plotly-plot")
    expect(marked).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_function(
        "() => document.querySelector('.st-key-compare_scatter .js-plotly-plot').data"
        ".some(trace => trace.name === 'picked on the map')",
        timeout=PATIENCE_MS,
    )

    box = marked.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    page.locator('.st-key-compare_scatter [data-val="select"]').first.click(force=True)
    marked.scroll_into_view_if_needed()
    box = marked.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 20, steps=6)
    page.mouse.up()
    visitor.is_idle()
    for one in maps:
        expect(one.locator(".leaflet-outlines-pane path:not(.ember-ring)").first).to_be_attached(
            timeout=PATIENCE_MS
        )

    visitor.pick("compare_layout", "Under a swipe")
    visitor.is_idle()
    swipe = page.frame_locator('iframe[title*="st_folium"]').first
    expect(swipe.locator(".ember-swipe-line")).to_be_attached(timeout=PATIENCE_MS)
    clip = "() => getComputedStyle(map.getPane('left')).clipPath"
    first = swipe.locator(".leaflet-container").evaluate(clip)
    swipe.locator(".ember-swipe input").evaluate(
        "i => { i.value = 200; i.dispatchEvent(new Event('input')); }"
    )
    assert swipe.locator(".leaflet-container").evaluate(clip) != first

    assert "compare_layout=" in page.url and two_stores[1] in page.url
    visitor.open(page.url.split("/", 3)[3])
    visitor.sees_page("Compare")
    expect(swipe.locator(".ember-swipe-line")).to_be_attached(timeout=PATIENCE_MS)
    visitor.sees_no_breakdown()
    assert not visitor.errors and not visitor.outside


def _shows_a_lens(visitor: Visitor, one: FrameLocator) -> None:
    canvas = one.locator("canvas.ember-lens").first
    expect(canvas).to_be_attached(timeout=PATIENCE_MS)
    visitor.waits_until(lambda: canvas.evaluate(_COLOURS), "the lens shows nothing")


def _comes_to(visitor: Visitor, one: FrameLocator, script: str, wanted: str) -> None:
    container = one.locator(".leaflet-container")
    visitor.waits_until(lambda: container.evaluate(script) == wanted, f"the map did not come to {wanted}")

"""Looking through a lens: the map follows the pointer, a click keeps a patch, and what is seen goes into a file."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from playwright.sync_api import expect

from engine.store.store import EmbeddingStore
from engine.views.layer_view import view_of
from engine.views.lens.kinds import similarity_lens
from engine.views.lens.reduction import reduction_of
from tests.journeys.conftest import App
from tests.journeys.visitor import PATIENCE_MS, Visitor

pytestmark = pytest.mark.timeout(600)

_LENS = "Emberscope.lenses(map).embeddings"
_PICTURE = "canvas => canvas.toDataURL()"
_LISTEN = f"() => {{ window.drawn = []; {_LENS}.on('lensdrawn', (event) => drawn.push(event)); }}"


def test_the_map_follows_the_pointer_and_what_is_kept_becomes_a_file(
    visitor: Visitor, app: App, coast: str, tmp_path: Path
) -> None:
    visitor.open(f"embeddings?job={coast}&lens=Similarity")
    visitor.sees_page("Embeddings")
    visitor.sees_lens()
    container = visitor.map.locator(".leaflet-container")
    container.evaluate(_LISTEN)
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    canvas = visitor.map.locator("canvas.ember-lens")
    seen = {canvas.evaluate(_PICTURE)}
    for place in range(3):  # each with a picture of its own, however long the browser takes to draw it
        visitor.page.mouse.move(*visitor.on_map(-75.66 + 0.015 * place, 37.675 - 0.01 * place))
        visitor.waits_until(
            lambda: canvas.evaluate(_PICTURE) not in seen, "the picture does not follow the pointer"
        )
        seen.add(canvas.evaluate(_PICTURE))
    assert container.evaluate("() => drawn.length") >= len(seen) - 1  # all but the first
    assert not [url for url in asked if "/lens/" in url or "_stcore" in url], "the server was asked"

    visitor.page.mouse.click(*visitor.on_map(-75.645, 37.665))
    visitor.page.wait_for_url(re.compile(r"[?&]patch=\d+"), timeout=PATIENCE_MS)
    visitor.is_idle()
    kept = int(re.search(r"[?&]patch=(\d+)", visitor.page.url)[1])  # type: ignore[index]
    expect(visitor.map.locator(".ember-lens-picks button", has_text="Clear")).to_be_enabled(
        timeout=PATIENCE_MS
    )
    visitor.take_screenshot("similarity")

    visitor.press("export_make")
    expect(visitor.button("export_download")).to_be_enabled(timeout=PATIENCE_MS)
    with visitor.page.expect_download(timeout=PATIENCE_MS) as taken:
        visitor.press("export_download")
    taken.value.save_as(tmp_path / "seen.tif")
    view = view_of(EmbeddingStore.open(app.home / coast))
    basis = reduction_of(view).basis
    cosines = similarity_lens(basis.mean, view.rows([kept])).values(view.rows(range(view.store.rows)))
    with rasterio.open(tmp_path / "seen.tif") as made:
        written = made.read(1)
    assert np.nanmax(written) == pytest.approx(1, abs=1e-5)
    assert np.nanmean(written) == pytest.approx(
        float(cosines[view.store.read_valid_fraction() > 0].mean()), abs=1e-4
    )

    visitor.page.reload(timeout=PATIENCE_MS)
    visitor.sees_page("Embeddings")
    visitor.sees_lens()
    assert container.evaluate(f"() => {_LENS}.picked.positive") == [kept]


def test_unlike_patches_an_outline_and_a_threshold_are_kept_and_become_outlines_in_a_file(
    visitor: Visitor, coast: str, tmp_path: Path
) -> None:
    visitor.open(f"embeddings?job={coast}&lens=Similarity")
    visitor.sees_page("Embeddings")
    visitor.sees_lens()

    def click(lon: float, lat: float) -> None:
        visitor.page.mouse.click(*visitor.on_map(lon, lat))

    def press(words: str) -> None:
        visitor.map.get_by_role("button", name=words, exact=True).click(timeout=PATIENCE_MS)

    click(-75.650, 37.651)
    visitor.page.wait_for_url(re.compile(r"[?&]patch=\d+(&|$)"), timeout=PATIENCE_MS)
    visitor.is_idle()
    expect(visitor.page.get_by_test_id("stImage")).to_have_count(12, timeout=PATIENCE_MS)
    press("− unlike")
    click(-75.636, 37.664)
    visitor.page.wait_for_url(re.compile(r"[?&]patch=\d+%2C-\d+(&|$)"), timeout=PATIENCE_MS)
    press("Outline")  # while unlike is chosen, an outline is of ground to be unlike
    for lon, lat in ((-75.6407, 37.670), (-75.6263, 37.670), (-75.6335, 37.6606)):
        click(lon, lat)
    press("Close outline")
    visitor.page.wait_for_url(re.compile(r"[?&]patch=\d+(%2C-\d+){3,}"), timeout=PATIENCE_MS)
    visitor.map.locator(".ember-lens-threshold input").fill("60")
    visitor.page.wait_for_url(re.compile(r"[?&]threshold=0\.3"), timeout=PATIENCE_MS)
    visitor.is_idle()
    visitor.take_screenshot("unlike")

    visitor.pick("export_format", "Outlines")
    visitor.press("export_make")
    with visitor.page.expect_download(timeout=PATIENCE_MS) as taken:
        visitor.press("export_download")
    taken.value.save_as(tmp_path / "seen.geojson")
    found = gpd.read_file(tmp_path / "seen.geojson")
    assert len(found) > 0
    assert found["hectares"].is_monotonic_decreasing
    west, south, east, north = found.total_bounds
    assert -75.7 < west < east < -75.59
    assert 37.63 < south < north < 37.7

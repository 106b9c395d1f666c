"""A person brings a GeoTIFF that says nothing of its bands, from the drop to its embeddings."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from playwright.sync_api import Locator, expect

from engine.jobs.job import Job
from pages.ui.state.session import LOOKING
from tests.journeys.conftest import App
from tests.journeys.visitor import PATIENCE_MS, Visitor

_SIDE = 160
_DROP = """(element, [name, content]) => {
  const dropped = new DataTransfer();
  dropped.items.add(new File([Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0))], name));
  for (const kind of ["dragenter", "dragover", "drop"])
    element.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: dropped}));
}"""


@pytest.fixture
def unnamed(tmp_path: Path) -> Path:
    """Near infrared, red, green and blue of Sentinel-2, in that order and without names."""
    row, column = np.mgrid[0:_SIDE, 0:_SIDE]
    scar = np.hypot(row - 70, column - 90) < 40
    bands = [
        np.where(scar, 900, 3200),
        np.where(scar, 700, 400),
        np.where(scar, 650, 600),
        np.where(scar, 600, 300),
    ]
    noise = np.random.default_rng(0).integers(0, 120, (4, _SIDE, _SIDE))
    path = tmp_path / "from_a_friend.tif"
    with rasterio.open(path, "w", driver="GTiff", count=4, height=_SIDE, width=_SIDE, dtype="uint16", crs="EPSG:32633",
                       transform=Affine(10, 0, 500_000, 0, -10, 4_600_000)) as out:  # fmt: skip
        out.write((np.stack(bands) + noise).astype(np.uint16))
    return path


def choose(visitor: Visitor, key: str, words: str) -> None:
    """Choose one of a list."""
    visitor.page.locator(f".st-key-{key} input").first.click(timeout=PATIENCE_MS)
    visitor.page.get_by_role("option", name=words, exact=True).click(timeout=PATIENCE_MS)
    visitor.is_idle()


def picture(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("dialog").locator("img").first


def test_a_geotiff_without_names_is_dropped_corrected_named_found_again_and_extracted(
    app: App, visitor: Visitor, unnamed: Path
) -> None:
    visitor.open("explore")
    visitor.sees_page("Explore")
    visitor.sees_map()
    content = base64.b64encode(unnamed.read_bytes()).decode()
    visitor.map.locator(".leaflet-container").evaluate(_DROP, [unnamed.name, content])
    expect(picture(visitor)).to_be_visible(timeout=PATIENCE_MS)
    visitor.sees("4 bands without names")
    before = picture(visitor).get_attribute("src")
    for number, band in enumerate(("nir broad", "red", "green", "blue"), 1):
        choose(visitor, f"own_band_{number}_1", band)
    choose(visitor, "own_sensor_1", "Sentinel-2 L2A")
    visitor.sees("What was understood")
    expect(picture(visitor)).not_to_have_attribute("src", before or "", timeout=PATIENCE_MS)
    visitor.take_screenshot("own")
    visitor.page.locator(".st-key-own_title_1 input").fill("A friend's fire", timeout=PATIENCE_MS)
    visitor.page.locator(".st-key-own_title_1 input").press("Tab")
    visitor.is_idle()
    visitor.press("own_use")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE_MS)
    visitor.page.wait_for_url(re.compile(r"view=41\.5"), timeout=PATIENCE_MS)  # the map has gone there
    visitor.sees_map()
    visitor.sees_tile_with_pixels()

    visitor.page.reload(timeout=PATIENCE_MS)
    visitor.sees_page("Explore")
    expect(
        visitor.page.locator(".st-key-explore_place").get_by_role("radio", name="A friend's fire")
    ).to_be_checked(timeout=PATIENCE_MS)
    visitor.sees_map()
    visitor.press("use_region")
    visitor.sees_page("Extract")
    visitor.sees("that do not fit A friend's fire")
    visitor.press("start_extract")
    visitor.sees_state("finished")
    config = Job(app.home / visitor.job).config
    assert config.scene.bands == ("nir_broad", "red", "green", "blue")
    assert config.scene.sensor == "sentinel2_l2a"
    assert config.backbone.name == LOOKING

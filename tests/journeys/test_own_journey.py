"""A person brings a GeoTIFF that says nothing of its bands, from the drop to the polygons of a map of it."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
import yaml
from affine import Affine
from playwright.sync_api import Locator, expect

from engine.__main__ import main
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


_BANDS = ("nir_broad", "red", "green", "blue")
_RADIUS_PX, _GSD_M = 40, 10
_SCAR_HA = np.pi * (_RADIUS_PX * _GSD_M) ** 2 / 1e4


@pytest.fixture
def unnamed(tmp_path: Path) -> Path:
    """Near infrared, red, green and blue of Sentinel-2, in that order and without names."""
    path = tmp_path / "from_a_friend.tif"
    _write_land(path, _SIDE, [(70, 90)], 500_000)
    return path


@pytest.fixture
def decoder(app: App, tmp_path: Path) -> str:
    """A run that has learned scars on other land of the same bands."""
    land, mask = tmp_path / "labelled.tif", tmp_path / "burnt.tif"
    is_burnt = _write_land(land, 2 * _SIDE, [(60, 60), (60, 220), (220, 60), (230, 230)], 560_000)
    with rasterio.open(land) as source:
        profile = {**source.profile, "count": 1, "dtype": "uint8"}
    with rasterio.open(mask, "w", **profile) as out:
        out.write(is_burnt.astype(np.uint8), 1)
    scene = {"source": "file", "path": str(land), "sensor": "sentinel2_l2a", "bands": list(_BANDS)}
    store = {"kind": "extract", "scene": scene, "backbone": {"name": LOOKING}, "tiles": {"size_px": 64}, "device": "cpu"}  # fmt: skip
    train = {"kind": "train", "store": store, "labels": {"source": "raster", "path": str(mask)}, "epochs": 20, "device": "cpu"}  # fmt: skip
    config = tmp_path / "train.yaml"
    config.write_text(yaml.safe_dump(train), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBERSCOPE_HOME", str(app.home))
        assert main(["train", str(config), "--out", str(app.home / "own-decoder")]) == 0
    return "own-decoder"


def _write_land(path: Path, side: int, scars: list[tuple[int, int]], west_m: int) -> np.ndarray:
    """Green land with round scars, in a file that names no band; returns where it is burnt, (side, side)."""
    row, column = np.mgrid[0:side, 0:side]
    is_burnt = np.any([np.hypot(row - at[0], column - at[1]) < _RADIUS_PX for at in scars], axis=0)
    bands = [np.where(is_burnt, burnt, green) for burnt, green in ((900, 3200), (700, 400), (650, 600), (600, 300))]  # fmt: skip
    noise = np.random.default_rng(0).integers(0, 120, (4, side, side))
    with rasterio.open(path, "w", driver="GTiff", count=4, height=side, width=side, dtype="uint16", crs="EPSG:32633",
                       transform=Affine(_GSD_M, 0, west_m, 0, -_GSD_M, 4_600_000)) as out:  # fmt: skip
        out.write((np.stack(bands) + noise).astype(np.uint16))
    return is_burnt


def choose(visitor: Visitor, key: str, words: str) -> None:
    """Choose one of a list."""
    visitor.page.locator(f".st-key-{key} input").first.click(timeout=PATIENCE_MS)
    visitor.page.get_by_role("option", name=words, exact=True).click(timeout=PATIENCE_MS)
    visitor.is_idle()


def picture(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("dialog").locator("img").first


def test_a_geotiff_without_names_is_dropped_corrected_named_found_again_extracted_and_mapped(
    app: App, visitor: Visitor, unnamed: Path, decoder: str, tmp_path: Path
) -> None:
    visitor.open("explore")
    visitor.sees_page("Explore")
    visitor.sees_map()
    content = base64.b64encode(unnamed.read_bytes()).decode()
    visitor.map.locator(".leaflet-container").evaluate(_DROP, [unnamed.name, content])
    expect(picture(visitor)).to_be_visible(timeout=PATIENCE_MS)
    visitor.sees("4 bands without names")
    before = picture(visitor).get_attribute("src")
    for number, band in enumerate(_BANDS, 1):
        choose(visitor, f"own_band_{number}_1", band.replace("_", " "))
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
    assert config.scene.bands == _BANDS
    assert config.scene.sensor == "sentinel2_l2a"
    assert config.backbone.name == LOOKING

    visitor.go_to("Apply")
    assert decoder in visitor.page.url
    visitor.press("make_map")
    visitor.sees("Take it home")
    with visitor.page.expect_download(timeout=PATIENCE_MS) as taken:
        visitor.page.get_by_role("link", name="Polygons, GeoPackage").click()
    taken.value.save_as(tmp_path / "burnt.gpkg")
    burnt = gpd.read_file(tmp_path / "burnt.gpkg")
    assert burnt["hectares"].sum() == pytest.approx(_SCAR_HA, rel=0.25)
    (largest,) = burnt.to_crs("EPSG:32633").geometry.loc[[burnt["hectares"].idxmax()]]
    scar = shapely.Point(500_000 + 90.5 * _GSD_M, 4_600_000 - 70.5 * _GSD_M).buffer(_RADIUS_PX * _GSD_M)
    assert largest.intersection(scar).area > 0.8 * scar.area

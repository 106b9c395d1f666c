"""An AlphaEarth tile is opened beside an own extraction: five labels on one map teach a classifier on both."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
import rasterio
from playwright.sync_api import expect
from rasterio.windows import from_bounds

from engine.imagery.geobox import from_lonlat
from engine.jobs.job import Job
from engine.labels.clicked.geojson import labels_path, read_labels
from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from tests.journeys.conftest import ROOT, App
from tests.journeys.test_label_journey import PLACES, add_class, pick_class
from tests.journeys.visitor import PATIENCE_MS, Visitor
from tests.unit.store.products.made import ALPHAEARTH_BANDS, in_8_bits, write_tiff

pytestmark = pytest.mark.timeout(600)
# Of the region that the own extraction covers.
_SIDE_PX, _NORTH_WEST = 600, (-75.675, 37.688)


@pytest.fixture
def tile(app: App, coast: str) -> Iterator[str]:
    """A run that opens a file of AlphaEarth's form, made of the bands of the same ground, where it lies."""
    store = EmbeddingStore.open(app.home / coast)
    crs = store.tiles[0].crs
    west, north = from_lonlat(crs).transform(*_NORTH_WEST)
    with rasterio.open(ROOT / "assets" / "samples" / "virginia.tif") as scene:
        window = from_bounds(west, north - _SIDE_PX * 10, west + _SIDE_PX * 10, north, scene.transform)
        bands = scene.read(window=window, out_shape=(scene.count, _SIDE_PX, _SIDE_PX)).astype(np.float32)
    mixed = np.random.default_rng(0).normal(size=(len(bands), 64))
    centred = bands - bands.mean(axis=(1, 2), keepdims=True)
    vectors = np.moveaxis(centred / bands.std(axis=(1, 2), keepdims=True), 0, -1) @ mixed
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    file = app.home / "data" / "alphaearth" / "2024" / "18N" / "x0.tif"
    write_tiff(
        file, in_8_bits(vectors), ALPHAEARTH_BANDS, nodata=-128, crs=crs, compress="zstd", tiled=True,
        transform=rasterio.Affine(10, 0, west, 0, -10, north),
    )  # fmt: skip
    import_embeddings(file, app.home / "run-alphaearth", in_place=True)
    yield "run-alphaearth"
    Job(app.home / "run-alphaearth").delete()
    labels_path(store.folder).unlink(missing_ok=True)


def test_five_labels_on_one_map_teach_a_classifier_on_both(
    visitor: Visitor, app: App, coast: str, tile: str
) -> None:
    page = visitor.page
    visitor.open(f"label?job={coast}&beside={tile}")
    visitor.sees_page("Label")
    maps = [page.frame_locator('iframe[title*="st_folium"]').nth(number) for number in range(2)]
    for one in maps:
        expect(one.locator("canvas.ember-lens")).to_be_attached(timeout=PATIENCE_MS)
    visitor.sees_lens()
    maps[0].locator(".leaflet-container").hover(position={"x": 250, "y": 300})
    expect(maps[1].locator(".ember-ring")).to_be_visible(timeout=PATIENCE_MS)
    for name in ("water", "marsh"):
        add_class(visitor, name)
    labelled = 0
    for name, count in (("water", 3), ("marsh", 2)):
        pick_class(visitor, name)
        for place in PLACES[name][:count]:
            page.mouse.click(*visitor.on_map(*place))
            labelled += 1
            expect(page.get_by_text(f"{labelled} label", exact=False).first).to_be_visible(
                timeout=PATIENCE_MS
            )
            visitor.is_idle()
    legend = page.locator(".es-legend")
    expect(legend.get_by_text("marsh").first).to_be_visible(timeout=PATIENCE_MS)
    labels = read_labels(labels_path(EmbeddingStore.open(app.home / coast).folder))
    assert len(labels.labels) == 5
    visitor.sees(re.compile(r"alphaearth_v1, layer 0, 2024: 5 of 5 labels"))
    visitor.sees_lens()
    visitor.take_screenshot("label-beside")

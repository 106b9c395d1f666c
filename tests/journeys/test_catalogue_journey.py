"""A person takes imagery from a catalogue: searched, seen day by day, made a place, extracted and looked at; then without a network.

Another brings perimeters, and makes a labelled data set of them and the catalogue's imagery.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from shapely.geometry import box, mapping

from engine.jobs.job import Job
from tests.journeys.conftest import App
from tests.journeys.visitor import PATIENCE_MS, Visitor
from tests.stac.world import World


@pytest.fixture
def catalogue(app: App, stac_world: World) -> Iterator[World]:
    """The catalogues of the tests, known to the app until the journey ends."""
    settings = app.home / "catalogues.yaml"
    shutil.copy(stac_world.settings, settings)
    yield stac_world
    settings.unlink()


def type_date(visitor: Visitor, number: int, digits: str) -> None:
    """Type a date, as year, month and day, into the dialog's field of a number."""
    visitor.page.get_by_role("dialog").get_by_role("spinbutton").nth(3 * number).click(timeout=PATIENCE_MS)
    visitor.page.keyboard.type(digits)
    visitor.page.keyboard.press("Tab")
    visitor.is_idle()


def test_a_person_takes_a_day_of_a_catalogue_to_embeddings(
    visitor: Visitor, app: App, catalogue: World
) -> None:
    visitor.open("explore")
    visitor.sees_page("Explore")
    visitor.press("open_catalogue")
    visitor.page.locator(".st-key-catalogue_name").get_by_role("combobox").click(timeout=PATIENCE_MS)
    visitor.page.get_by_role("option", name="Test es").click(timeout=PATIENCE_MS)
    visitor.is_idle()
    bounds = visitor.page.get_by_role("textbox", name="West, south, east, north in degrees")
    bounds.fill(", ".join(f"{edge:.5f}" for edge in catalogue.bounds_lonlat))
    bounds.press("Tab")
    type_date(visitor, 0, "20230701")
    type_date(visitor, 1, "20230831")
    asked = len(catalogue.files.sent)
    visitor.press("catalogue_search")
    visitor.sees("3 days from 2023-07-10 to 2023-08-05, 1 taken")
    visitor.sees("Over the network")
    assert len(catalogue.files.sent) == asked  # all of this is told before a raster is touched
    visitor.page.locator(".st-key-catalogue_timeline .scatterlayer .point").last.click(
        timeout=PATIENCE_MS, force=True
    )
    visitor.sees("Days I pick")
    visitor.is_idle()
    visitor.press("catalogue_use")
    expect(visitor.page.get_by_role("dialog")).to_have_count(0, timeout=PATIENCE_MS)
    visitor.page.wait_for_url(re.compile(r"view=44\.9|view=45\.0"), timeout=PATIENCE_MS)
    visitor.sees_tile_with_pixels()
    visitor.press("bring_here")
    visitor.sees("Its rasters lie on this machine: no network is needed.")
    visitor.press("use_region")
    visitor.sees_page("Extract")
    visitor.press("start_extract")
    visitor.sees_state("finished")
    config = Job(app.home / visitor.job).config
    assert config.scene.catalogue == "es"
    assert config.scene.folder and len(config.scene.items) == 1
    visitor.go_to("Embeddings")
    visitor.sees_lens()

    guard = catalogue.files.fault
    catalogue.files.fault = lambda handler: handler.answer(403, b"") or True
    try:
        visitor.go_to("Explore")
        visitor.sees_tile_with_pixels()  # from the copy
        visitor.sees_no_breakdown()
    finally:
        catalogue.files.fault = guard


def write_perimeters(path: Path, bounds_lonlat: tuple[float, float, float, float]) -> Path:
    """Three fires beside one another on some ground, as NIFC publishes perimeters."""
    west, south, east, north = bounds_lonlat
    wide, high = east - west, north - south
    squares = [
        box(west + at * wide, south + 0.4 * high, west + (at + 0.1) * wide, south + 0.55 * high)
        for at in (0.2, 0.5, 0.8)
    ]
    features = [
        {"type": "Feature", "geometry": mapping(square), "properties": {
            "poly_IncidentName": f"Fire {number}", "attr_FireDiscoveryDateTime": "2023-07-22", "poly_DateCurrent": "2023-07-24"}}
        for number, square in enumerate(squares)
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_perimeters_that_are_dropped_become_a_data_set_that_can_be_trained_on(
    visitor: Visitor, app: App, catalogue: World, tmp_path: Path
) -> None:
    visitor.open("explore")
    visitor.sees_page("Explore")
    visitor.press("open_datasets")
    file = visitor.page.get_by_role("dialog").locator("input[type=file]")
    file.set_input_files(
        write_perimeters(tmp_path / "fires.geojson", catalogue.bounds_lonlat), timeout=PATIENCE_MS
    )
    visitor.sees("The columns are those of NIFC (WFIGS)")
    visitor.page.locator(".st-key-dataset_catalogue").get_by_role("combobox").click(timeout=PATIENCE_MS)
    visitor.page.get_by_role("option", name="Test es").click(timeout=PATIENCE_MS)
    visitor.is_idle()
    visitor.page.locator(".st-key-dataset_side").get_by_role("combobox").click(timeout=PATIENCE_MS)
    visitor.page.get_by_role("option", name="128").click(timeout=PATIENCE_MS)
    visitor.is_idle()
    visitor.type_number("dataset_around", 200)
    visitor.is_idle()
    visitor.press("dataset_start")
    visitor.sees_page("Runs")
    visitor.sees_state("finished")
    visitor.sees("Extract and train on it")
    facts = json.loads((app.home / visitor.job / "dataset/dataset.json").read_text())
    assert facts["fires"] == 3
    assert facts["could_not_be_had"] == []
    visitor.sees_no_breakdown()

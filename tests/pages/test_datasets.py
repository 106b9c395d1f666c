"""The dialog that makes data sets: what it understands of a dropped file, what it asks for, and what it would start."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from pathlib import Path

import pytest
import rasterio
import yaml
from pyproj import Transformer
from shapely.geometry import box, mapping
from streamlit.testing.v1 import AppTest

from engine.jobs.configuration.config import _KINDS, DatasetConfig, parse_config
from pages.ui.start import ways_in
from tests.pages.conftest import OpenPage, words


def fires(**columns: object) -> bytes:
    """A fire in the middle of the scar that comes with the app."""
    with rasterio.open("assets/samples/fire_scar.tif") as scene:
        to_lonlat = Transformer.from_crs(scene.crs, 4326, always_xy=True).transform
        left, bottom, right, top = scene.bounds
    west, south = to_lonlat(left + 0.4 * (right - left), bottom + 0.4 * (top - bottom))
    east, north = to_lonlat(left + 0.6 * (right - left), bottom + 0.6 * (top - bottom))
    feature = {"type": "Feature", "properties": columns, "geometry": mapping(box(west, south, east, north))}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


@pytest.fixture
def dialog(open_page: OpenPage, home: Path) -> AppTest:
    at = open_page("explore", place="fire")
    return at.button(key="open_datasets").click().run()


def test_a_dropped_file_is_understood_told_and_becomes_a_configuration(dialog: AppTest, home: Path) -> None:
    at = dialog.file_uploader(key="perimeters_file").upload("../../Fire <b>1.geojson", fires(Ig_Date="2021-08-01", Incid_Name="<i>Scar")).run()  # fmt: skip
    at.segmented_control(key="dataset_images").set_value("place").run()
    assert not at.exception
    assert "The columns are those of MTBS" in words(at)
    at.number_input(key="dataset_burning").set_value(2).run()
    config = parse_config(next(yaml.safe_load(one.value) for one in at.code if one.value.startswith("kind: dataset")))  # fmt: skip
    assert isinstance(config, DatasetConfig)
    assert config.imagery.source == "file"
    kept = Path(config.perimeters.file)
    assert kept.is_relative_to(home / "perimeters") and kept.name == "Fire_b_1.geojson"
    assert not at.button(key="dataset_start").disabled
    at.date_input(key="perimeters_day").set_value(date(2001, 1, 1)).run()
    assert at.button(key="dataset_start").disabled  # no image is of that year, and that is said
    assert "0 of 1 fire can be seen" in " ".join(one.value for one in at.error)


def test_a_file_without_days_asks_for_one_and_takes_it(dialog: AppTest) -> None:
    at = dialog.file_uploader(key="perimeters_file").upload("ems.json", fires(obj_desc="Burnt area")).run()
    assert "does not tell on which day" in " ".join(one.value for one in at.warning)
    at.date_input(key="perimeters_day").set_value(date(2021, 8, 1)).run()
    assert not at.warning


def test_what_is_no_file_of_perimeters_is_refused_in_words(dialog: AppTest) -> None:
    at = dialog.file_uploader(key="perimeters_file").upload("fires.zip", b"PK no zip").run()
    assert not at.exception
    assert "neither a zip nor a tar" in " ".join(one.value for one in at.warning)


def test_known_fires_open_the_catalogue_on_their_days(dialog: AppTest) -> None:
    dialog.segmented_control(key="datasets_way").set_value("fires").run()
    at = dialog.selectbox(key="known_fire").set_value("camp-fire").run()
    at = at.button(key="known_look").click().run()
    assert not at.exception
    assert at.date_input(key="catalogue_from").value == date(2018, 9, 24)
    at.segmented_control(key="region_way")  # the page below stays


def test_a_zip_with_several_shapefiles_asks_for_the_layer_and_goes_on_with_it(dialog: AppTest, tmp_path: Path) -> None:  # fmt: skip
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("burnt.geojson", fires(Ig_Date="2021-08-01"))
        archive.writestr("area.geojson", fires(Ig_Date="2021-08-01"))
    at = dialog.file_uploader(key="perimeters_file").upload("ems.zip", packed.getvalue()).run()
    assert "burnt, area. Name the one" in " ".join(one.value for one in at.warning)
    at.text_input(key="perimeters_layer").set_value("burnt").run()
    assert not at.warning
    assert at.button(key="dataset_start")


def test_the_start_page_goes_on_with_a_job_of_every_kind(open_page: OpenPage, home: Path) -> None:
    for kind in _KINDS:
        assert ways_in._PAGES.get((kind, True), "pages/runs.py").startswith("pages/")
    (home / "run").mkdir()
    (home / "run" / "config.yaml").write_text("kind: dataset\nperimeters: {file: x.geojson}\nimagery: {source: file, path: x.tif}\n")  # fmt: skip
    at = open_page("start")
    assert "Data set · x" in words(at)
    assert not at.button(key="go_on").click().run().exception

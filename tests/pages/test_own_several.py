"""Several rasters opened at once: what cannot be read is named and left out, and those of several sensors become a place each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from pages.ui.explore import own_draft
from pages.ui.state import own_places, uploads
from tests.conftest import WriteRaster
from tests.pages.conftest import OpenPage
from tests.pages.test_own_uploads import drop

NAMES = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")


def _said(values: object) -> str:
    return " ".join(str(one.value) for one in values)  # type: ignore[attr-defined]


def test_a_folder_with_a_raster_that_cannot_be_read_names_it_and_goes_on_with_the_rest(
    open_page: OpenPage, home: Path, write_raster: WriteRaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.random.default_rng(3).integers(100, 4000, (6, 48, 48)).astype(np.int16)
    one, two = (write_raster(f"mine/{name}.tif", pixels, names=NAMES) for name in ("one", "two"))
    (one.parent / "torn.tif").write_bytes(b"II*\0no raster")
    monkeypatch.setattr("pages.ui.map.routes.tiles.require_shown", lambda path: None)
    at = open_page("explore")
    at.session_state["own_choosing"] = True
    at.run()
    at.text_input(key="own_path").set_value(str(one.parent))
    at.button(key="own_open").click().run()
    draft = at.session_state["own_draft"]
    assert draft.left_out == ("torn.tif",)
    assert own_places.paths_of(draft.scene) == (one, two)
    assert "torn.tif cannot be read and is left out" in _said(at.warning)


def test_a_drop_of_two_sensors_becomes_a_place_each(
    open_page: OpenPage, home: Path, write_raster: WriteRaster
) -> None:
    pixels = np.random.default_rng(3).integers(8000, 16000, (6, 48, 48)).astype(np.uint16)
    tagged = []
    for sensor in ("sentinel2_l1c", "landsat_tm_c2l2"):
        tagged.append(write_raster(f"{sensor}.tif", pixels, names=NAMES))
        with rasterio.open(tagged[-1], "r+") as out:
            out.update_tags(EMBERSCOPE_SENSOR=sensor)
    at = drop(open_page("explore"), *((f"{path.stem} (Süd).tif", path.read_bytes()) for path in tagged))
    assert "several sensors" in _said(at.warning)
    reading = at.segmented_control(key=f"own_reading_{at.session_state['own_draft'].turn}")
    assert reading.options[-1] == "A place each"
    reading.set_value("apart").run()
    assert "Place 1 of 2" in _said(at.caption)
    assert not at.warning, _said(at.warning)
    assert not at.error, _said(at.error)
    at.button(key="own_use").click().run()
    assert "Place 2 of 2" in _said(at.caption)
    at.button(key="own_use").click().run()
    places = [one.kept for one in own_places.listed() if one.kept]
    assert [one.title for one in places] == ["landsat tm c2l2 (Süd)", "sentinel2 l1c (Süd)"]
    assert own_draft._KEY not in at.session_state
    (folder,) = uploads.uploads_folder().iterdir()
    at.button(key=f"own_remove_{own_places.listed()[0].key}").click().run()
    at.button(key=f"own_sure_{own_places.listed()[0].key}").click().run()
    assert folder.is_dir(), "the other place needs the files of this drop"


def test_a_damaged_file_among_several_dropped_ones_is_named_and_what_becomes_of_the_others_is_said(
    open_page: OpenPage, home: Path, scene_file: Path
) -> None:
    at = drop(open_page("explore"), ("torn.tif", b"II*\0no raster"), ("whole.tif", scene_file.read_bytes()))
    (said,) = [one.value for one in at.warning]
    assert "torn.tif" in said and "drop the other files without it" in said
    assert not list(uploads.uploads_folder().glob("*"))

"""Opening a raster or a folder of one's own: it becomes the place, or it is refused and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from rasterio.io import MemoryFile
from rasterio.shutil import copy
from streamlit.testing.v1 import AppTest

from engine.imagery.sensors.table import SENSORS
from pages.ui.state import cached
from tests.conftest import WriteRaster
from tests.pages.conftest import OpenPage, words


@pytest.fixture(autouse=True)
def _may_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", str(tmp_path))


def open_own(at: AppTest, path: object, **said: object) -> AppTest:
    turn = next(field.key.rpartition("_")[2] for field in at.text_input if field.key.startswith("own_path_"))
    at.text_input(key=f"own_path_{turn}").set_value(str(path))
    for name, value in said.items():
        kind = at.number_input if isinstance(value, float) else at.text_input
        (at.selectbox if name == "sensor" else kind)(key=f"own_{name}_{turn}").set_value(value)
    at.button(key=f"own_open_{turn}").click().run()
    use = [button for button in at.button if button.key == f"own_use_{turn}"]
    return use[0].click().run() if use else at


def test_what_was_understood_is_shown_before_the_files_are_used(
    open_page: OpenPage, home: Path, write_raster: WriteRaster
) -> None:
    pixels = np.random.default_rng(0).integers(100, 4000, (6, 64, 64)).astype(np.int16)
    at = open_page("explore")
    at.text_input(key="own_path_0").set_value(str(write_raster("mine.tif", pixels)))
    at.button(key="own_open_0").click().run()
    assert at.session_state["place_key"] == "virginia"
    said = words(at)
    for name in ("Sensor", "Values", "Bands", "Scale", "Gaps", "Date", "blue, green, red"):
        assert name in said


PRODUCTS = {
    "LC09_L2SP_044033_20230812_20230814_02_T1": [f"{{}}_SR_B{number}.TIF" for number in range(2, 8)],
    "HLS.S30.T10SGJ.2023224T184921.v2.0": [f"{{}}.{code}.tif" for code in ("B02", "B03", "B04", "B8A", "B11", "B12")],
    "S2A_MSIL1C_20230812T184921_N0509_R113_T10SGJ_20230812T222222.SAFE": [
        f"GRANULE/L1C_T10SGJ_A042512_20230812T185815/IMG_DATA/T10SGJ_20230812T184921_{code}.jp2"
        for code in ("B02", "B03", "B04", "B8A", "B11", "B12")
    ],
}  # fmt: skip


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_product_folder_with_a_file_a_band_becomes_the_place(
    open_page: OpenPage, home: Path, tmp_path: Path, product: str
) -> None:
    for name in PRODUCTS[product]:
        _write_band(tmp_path / product / name.format(product))
    at = open_own(open_page("explore"), tmp_path / product)
    assert not at.exception
    assert not at.warning, [warning.value for warning in at.warning]
    (place,) = at.session_state["own_places"].values()
    assert at.session_state["place_key"] == place.key
    (scene,) = cached.scenes(place.scene)
    assert {"blue", "green", "red", "swir_1", "swir_2"} <= set(scene.bands)
    assert scene.datetime is not None
    assert (scene.datetime.year, scene.datetime.month, scene.datetime.day) == (2023, 8, 12)


def _write_band(path: Path) -> None:
    """One band of a product, digital numbers of 16 bits without a tag of ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(8000, 12000, (1, 64, 64)).astype(np.uint16)
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", count=1, height=64, width=64, dtype="uint16", crs="EPSG:32610",
                         transform=Affine(30, 0, 600_000, 0, -30, 4_200_000)) as out:  # fmt: skip
            out.write(pixels)
        with memory.open() as written:
            copy(written, path, driver="JP2OpenJPEG" if path.suffix == ".jp2" else "GTiff")


def test_every_sensor_of_the_table_can_be_chosen_by_its_title(open_page: OpenPage, home: Path) -> None:
    at = open_page("explore")
    assert [known.title for known in SENSORS.values()] == list(at.selectbox(key="own_sensor_0").options[1:])


def test_a_raster_of_ones_own_becomes_the_place_and_stays_it(
    open_page: OpenPage, home: Path, scene_file: Path
) -> None:
    at = open_own(open_page("explore"), scene_file)
    for _ in range(2):
        assert not at.exception
        assert not at.warning
        assert at.session_state["place_key"].startswith("own-")
        assert at.segmented_control(key="explore_place").value == at.session_state["place_key"]
        at.run()


def test_another_place_can_be_chosen_after_ones_own_and_back(
    open_page: OpenPage, home: Path, scene_file: Path
) -> None:
    at = open_own(open_page("explore"), scene_file)
    own = at.session_state["place_key"]
    for key in ("virginia", own, "virginia"):
        at.segmented_control(key="explore_place").set_value(key).run()
        assert not at.exception
        assert at.session_state["place_key"] == key


def test_two_rasters_of_one_name_are_told_apart(
    open_page: OpenPage, home: Path, write_raster: WriteRaster
) -> None:
    pixels = np.random.default_rng(0).integers(100, 4000, (6, 64, 64)).astype(np.int16)
    at = open_page("explore")
    for folder in ("first", "second"):
        open_own(at, write_raster(f"{folder}/scene.tif", pixels))
    labels = at.segmented_control(key="explore_place").options
    assert len(labels) == len(set(labels)) == 5


@pytest.mark.parametrize("content", [None, b"", b"not a raster", b"II*\x00"])
def test_what_cannot_be_opened_is_refused_in_words_and_leaves_the_page_as_it_was(
    open_page: OpenPage, home: Path, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "mine.tif"
    if content is not None:
        path.write_bytes(content)
    at = open_page("explore")
    before = at.segmented_control(key="explore_place").options
    open_own(at, path)
    assert not at.exception
    assert at.warning
    assert at.session_state["place_key"] == "virginia"
    assert at.segmented_control(key="explore_place").options == before
    assert not at.run().warning


def test_a_raster_outside_the_folders_that_may_be_shown_is_refused_and_leaves_nothing(
    open_page: OpenPage, home: Path, scene_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", "")
    at = open_own(open_page("explore"), scene_file)
    assert any("EMBERSCOPE" in warning.value for warning in at.warning)
    assert len(at.segmented_control(key="explore_place").options) == 3


def test_what_a_person_says_of_a_raster_stands_in_the_configuration(
    open_page: OpenPage, home: Path, write_raster: WriteRaster
) -> None:
    pixels = np.random.default_rng(0).integers(100, 4000, (6, 64, 64)).astype(np.int16)
    at = open_page("explore")
    open_own(at, write_raster("mine.tif", pixels, names=None), sensor="hls", scale=0.0001, nodata=-9.0,
             datetime="2021-08-28T10:56:19Z", bands="blue, green, red, nir_narrow, swir_1, swir_2")  # fmt: skip
    assert not at.warning, [warning.value for warning in at.warning]
    (place,) = at.session_state["own_places"].values()
    assert place.scene.sensor == "hls"
    assert place.scene.scale == 0.0001
    assert place.scene.nodata == -9.0
    assert place.scene.datetime.year == 2021
    assert at.selectbox(key="own_sensor_1").value == "", (
        "what was said of one raster is not taken for the next"
    )
    assert place.scene.bands == ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")


@pytest.mark.parametrize(
    ("said", "words_of_it"), [({"datetime": "last summer"}, "datetime"), ({"scale": -1.0}, "scale")]
)
def test_what_is_said_wrongly_is_refused_by_name(
    open_page: OpenPage, home: Path, scene_file: Path, said: dict[str, object], words_of_it: str
) -> None:
    at = open_own(open_page("explore"), scene_file, **said)
    assert not at.exception
    assert any(words_of_it in warning.value for warning in at.warning)
    assert at.session_state["place_key"] == "virginia"


def test_a_scene_without_the_bands_of_a_colour_picture_is_shown_in_grey(
    open_page: OpenPage, home: Path, write_raster: WriteRaster
) -> None:
    pixels = np.random.default_rng(0).integers(100, 4000, (1, 64, 64)).astype(np.int16)
    at = open_own(open_page("explore"), write_raster("one.tif", pixels, names=("red",)))
    assert not at.exception
    assert not at.warning
    assert "in grey" in words(at)


def test_the_backbone_that_is_proposed_was_trained_at_the_level_of_the_scene(
    open_page: OpenPage, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", "")
    sample = Path(__file__).resolve().parents[2] / "assets" / "samples" / "virginia.tif"  # Sentinel-2 L1C
    at = open_own(open_page("explore"), sample)
    assert "With csmask_b4_l1c" in words(at)

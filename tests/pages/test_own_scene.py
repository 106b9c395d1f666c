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
from tests.pages.conftest import OpenPage, place_of, words


@pytest.fixture(autouse=True)
def _may_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", str(tmp_path))


def look_at(at: AppTest, path: object) -> AppTest:
    """Open the dialog and type a path into it."""
    at.button(key="open_own").click().run()
    at.text_input(key="own_path").set_value(str(path))
    return at.button(key="own_open").click().run()


def say(at: AppTest, **said: object) -> AppTest:
    """Fill in fields of the corrections: bands by their index as band_1="red"."""
    turn = at.session_state["own_draft"].turn
    for name, value in said.items():
        kind = at.number_input if isinstance(value, float) else at.text_input
        chosen = name.startswith("band_") or name in ("sensor", "level")
        (at.selectbox if chosen else kind)(key=f"own_{name}_{turn}").set_value(value)
    return at.run()


def open_own(at: AppTest, path: object, **said: object) -> AppTest:
    look_at(at, path)
    if said and "own_draft" in at.session_state:
        say(at, **said)
    use = [button for button in at.button if button.key == "own_use"]
    return use[0].click().run() if use else at


def test_a_picture_and_what_was_understood_are_shown_before_the_files_are_used(
    open_page: OpenPage, home: Path, write_raster: WriteRaster
) -> None:
    pixels = np.random.default_rng(0).integers(100, 4000, (6, 64, 64)).astype(np.int16)
    at = look_at(open_page("explore"), write_raster("mine.tif", pixels))
    assert at.session_state["place_key"] == "virginia"
    said = words(at)
    for name in ("Sensor", "Level", "Values", "Bands", "Scale", "Gaps", "Date", "blue, green, red"):
        assert name in said
    assert at.get("image"), "there is no picture"
    assert "source: file" in said, "the configuration of the command line"


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
    place = place_of(at)
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


def test_every_sensor_of_the_table_can_be_chosen_by_its_title(
    open_page: OpenPage, home: Path, scene_file: Path
) -> None:
    at = look_at(open_page("explore"), scene_file)
    turn = at.session_state["own_draft"].turn
    options = list(at.selectbox(key=f"own_sensor_{turn}").options)
    assert [known.title for known in SENSORS.values()] == options[1:]


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
    assert len(labels) == len(set(labels)) == 7


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
    assert len(at.segmented_control(key="explore_place").options) == 5


def test_what_a_person_corrects_stands_in_the_configuration(
    open_page: OpenPage, home: Path, write_raster: WriteRaster
) -> None:
    pixels = np.random.default_rng(0).integers(100, 4000, (4, 64, 64)).astype(np.int16)
    at = look_at(open_page("explore"), write_raster("mine.tif", pixels, names=None))
    assert at.warning, "four bands without names cannot be understood"
    assert at.get("image"), "a picture helps to tell the bands"
    say(at, sensor="sentinel2_l2a", level="top of atmosphere", scale=0.0002, offset=-0.01, nodata=-9.0, datetime="2021-08-28T10:56:19Z",
        band_1="red", band_2="green", band_4="nir_broad")  # fmt: skip
    assert not at.warning, [warning.value for warning in at.warning]
    at.button(key="own_use").click().run()
    scene = place_of(at).scene
    assert scene.bands == ("red", "green", None, "nir_broad")
    assert (scene.sensor, scene.level) == ("sentinel2_l2a", "top of atmosphere")
    assert (scene.scale, scene.offset, scene.nodata) == (0.0002, -0.01, -9.0)
    (found,) = cached.scenes(scene)
    assert found.level == "top of atmosphere"
    assert found.datetime is not None
    assert found.datetime.year == 2021
    assert (found.assets["red"].scale, found.assets["red"].offset, found.assets["red"].nodata) == (
        0.0002,
        -0.01,
        (-9.0,),
    )


def test_one_band_is_corrected_and_the_others_stay_as_understood(
    open_page: OpenPage, home: Path, scene_file: Path
) -> None:
    at = open_own(open_page("explore"), scene_file, band_1="-")
    (found,) = cached.scenes(place_of(at).scene)
    assert found.bands == ("green", "red", "nir_narrow", "swir_1", "swir_2")
    assert found.assets["green"].index == 2


def test_the_next_file_of_the_folder_opens_as_the_last_one_was_corrected_until_that_is_forgotten(
    open_page: OpenPage, home: Path, write_raster: WriteRaster
) -> None:
    pixels = np.random.default_rng(0).integers(100, 4000, (2, 64, 64)).astype(np.int16)
    first, second = (write_raster(f"{name}.tif", pixels, names=None) for name in ("a", "b"))
    other = write_raster("elsewhere/c.tif", pixels, names=None)
    three = write_raster("three.tif", np.concatenate([pixels, pixels[:1]]), names=None)
    at = open_page("explore")
    open_own(at, first, band_1="red", band_2="nir_narrow", datetime="2021-08-28")
    for path in (other, three):
        assert look_at(at, path).warning, "another folder, and another layout, know nothing of it"
    assert not look_at(at, second).warning
    assert any("before" in info.value for info in at.info)
    at.button(key="own_use").click().run()
    (scene,) = cached.scenes(place_of(at).scene)
    assert scene.bands == ("red", "nir_narrow")
    assert scene.datetime is None, "another file is of another date"
    look_at(at, second)
    at.button(key="own_forget").click().run()
    assert at.warning
    assert look_at(at, first).warning


def test_values_that_cannot_be_right_are_refused_with_the_numbers_and_by_the_names_of_the_fields(
    open_page: OpenPage, home: Path, scene_file: Path
) -> None:
    at = look_at(open_page("explore"), scene_file)
    say(at, scale=1.0)
    assert any("far above 1" in warning.value and "Scale" in warning.value for warning in at.warning)
    assert not any("scene." in warning.value for warning in at.warning)
    assert not [button for button in at.button if button.key == "own_use"]


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


def test_a_scene_of_one_s_own_is_first_looked_at_with_a_baseline_that_is_called_one(
    open_page: OpenPage, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", "")
    sample = Path(__file__).resolve().parents[2] / "assets" / "samples" / "virginia.tif"  # Sentinel-2 L1C
    at = open_own(open_page("explore"), sample)
    assert "With rcf, a baseline without pretraining" in words(at)

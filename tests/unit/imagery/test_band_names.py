"""Band names are read in every spelling that people use; what two sensors read differently is asked for or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SceneError
from engine.imagery.sensors.identify import Named, identify
from engine.imagery.sensors.names import parse
from engine.imagery.sensors.products import ProductName, band_part, read_name
from engine.imagery.sensors.table import SENSORS
from engine.imagery.sources.raster_file import file_scene

WriteRaster = Callable[..., Path]


def named(names: list[str | None], dtype: str = "uint16", file: str = "", sensor: str | None = None) -> Named:
    return identify("x.tif", names, dtype, read_name(file) if file else ProductName(), sensor)


@pytest.mark.parametrize(
    ("text", "band"),
    [
        *((text, "blue") for text in ("B2", "B02", "b02", "Band 2", "band_2", "Band2", "B_02", "B-2", "BLUE B02", "B02 - Blue", "blue_B02",
                                      "B02_blue", "Blue (B2)", "Band 2 - Blue", "S2_B2", "B2, central wavelength 490 nm", "Blue",
                                      "BLUE_SR", "blue (0.49 µm)", "Blue - 490nm", "TOA B2", "B2_TOA", "B2_mean", "Blue mean")),
        *((text, "red") for text in ("SR_B4", "sr_band4", "Band 4 - Red", "Red (B4)", "red", "RED", "Red 665nm", "Sentinel-2 B4")),
        *((text, "red_edge_1") for text in ("B5", "rededge", "Red Edge 1", "red-edge 705", "Vegetation red edge (B5)", "B05 RE1")),
        *((text, "red_edge_2") for text in ("B6", "rededge2", "Red Edge 740", "Vegetation red edge (B6)", "Red edge (B06)")),
        *((text, "red_edge_3") for text in ("B7", "RE3", "rededge078", "B7 Vegetation red edge")),
        *((text, "nir_broad") for text in ("B8", "NIR (B8)", "NIR-Broad", "Near Infrared (NIR) B08", "nir")),
        *((text, "nir_narrow") for text in ("B8A", "B08A", "b8a", "nir08", "NIR_NARROW", "Narrow NIR", "NIR 8A", "B8A Narrow NIR",
                                            "Vegetation red edge B8A", "B8A, central wavelength 865 nm")),
        *((text, "swir_1") for text in ("B11", "swir16", "SWIR1", "SWIR 1", "SWIR-1", "SWIR (1.6)", "Shortwave Infrared (SWIR) 1",
                                        "Short-wave infrared 1", "SWIR (B11)", "B11, central wavelength 1610 nm")),
        *((text, "swir_2") for text in ("B12", "swir22", "SWIR 2 (2190 nm)", "SWIR_2", "Shortwave Infrared (B12)")),
        *((text, "coastal_aerosol") for text in ("B1", "coastal", "Coastal Aerosol", "coastal_blue", "Ultra blue", "B1 (Coastal aerosol)")),
        *((text, "water_vapor") for text in ("B9", "nir09", "water_vapour", "Water vapor (B09)")),
    ],
)  # fmt: skip
def test_a_spelling_is_its_sentinel_2_band(text: str, band: str) -> None:
    assert parse(text).name_for(SENSORS["sentinel2_l2a"]) == band


@pytest.mark.parametrize(
    ("text", "sensor", "band"),
    [
        ("Band 5 - Near Infrared (NIR)", "landsat_c2l2", "nir_narrow"),
        ("Band 6 - Shortwave Infrared (SWIR) 1", "landsat_c2l2", "swir_1"),
        ("Band 7 - SWIR 2", "landsat_tm_c2l2", "swir_2"),
        ("SR_B5 (NIR)", "landsat_c2l2", "nir_narrow"),
        ("SR_B4", "landsat_tm_c2l2", "nir_narrow"),
        ("nir08", "hls_l30", "nir_narrow"),
        ("NIR (B05)", "hls_l30", "nir_narrow"),
        ("green_i", "planetscope_8b", "green_i"),
        ("Green I", "planetscope_8b", "green_i"),
        ("Green II", "planetscope_8b", "green"),
        ("rededge", "planetscope_8b", "red_edge_1"),
        ("nir", "planetscope_8b", "nir_narrow"),
        ("nir", "planetscope_4b", "nir_broad"),
        ("VV dB", "sentinel1_grd", "vv"),
        ("Gamma0_VV", "sentinel1_rtc", "vv"),
        ("Sigma0_VH_db", "sentinel1_grd", "vh"),
        ("S1 VV (linear power)", "sentinel1_rtc", "vv"),
        ("Elevation (m)", "dem", "elevation"),
        ("DEM", "dem", "elevation"),
        ("ESA WorldCover", "land_cover", "lulc"),
        ("Land cover", "land_cover", "lulc"),
        ("NDVI", "ndvi", "ndvi"),
    ],
)
def test_a_spelling_is_its_band_on_other_sensors(text: str, sensor: str, band: str) -> None:
    assert parse(text).name_for(SENSORS[sensor]) == band


@pytest.mark.parametrize(
    "text",
    ["NIR (B05)", "Band 5 - Near Infrared (NIR)", "Red (B3)", "SWIR 1 (B6)", "B8 (panchromatic)", "B10 TIRS", "B8A blue", "B13", "Green B02"],
)  # fmt: skip
def test_a_name_that_contradicts_the_sensor_is_refused_by_name(text: str) -> None:
    with pytest.raises(SceneError, match="does not fit Sentinel-2"):
        named([text, "B2"], sensor="sentinel2_l2a" if "10" not in text else "sentinel2_l1c")


@pytest.mark.parametrize("file", ["", "export_2021", "S2A_scene"])
@pytest.mark.parametrize(
    ("names", "dtype"),
    [
        (["B2", "B3", "B4", "B5", "B6", "B7"], "int16"),
        (["B02", "B03", "B04", "B05"], "uint16"),
        (["SR_B1", "SR_B2", "SR_B3", "SR_B4", "SR_B5", "SR_B7"], "uint16"),
        (["Band 2", "Band 3", "Band 4", "Band 5", "Band 6", "Band 7"], "float32"),
    ],
)
def test_codes_that_two_sensors_read_differently_are_asked_for(
    names: list[str | None], dtype: str, file: str
) -> None:
    if file == "S2A_scene" and not str(names[0]).startswith("SR"):
        assert named(names, "uint16", file).sensor.name.startswith("sentinel2")
        return
    with pytest.raises(SceneError, match=r"scene\.sensor"):
        named(names, dtype, file)


@pytest.mark.parametrize(
    "names",
    [
        ["red", "Red"], ["red", "B4"], ["Red (B4)", "B04"], ["nir08", "B8A"], ["swir16", "SWIR 1"], ["vv", "VV dB"],
        ["elevation", "DEM"], ["B2_2020", "B2_2021"],
    ],
)  # fmt: skip
def test_two_bands_of_one_name_are_refused(names: list[str | None]) -> None:
    with pytest.raises(SceneError, match=r"two bands that are .*scene\.bands"):
        named(names, "float32", sensor="sentinel2_l2a")


def test_what_is_not_read_is_told_once() -> None:
    found = named(["B4", "B8A", "SCL", "cloud_probability", "TCI_R", "my_index"], sensor="sentinel2_l2a")
    assert set(found.bands) == {"red", "nir_narrow"}
    (note,) = found.notes
    assert "SCL, cloud_probability, TCI_R, my_index" in note


@pytest.mark.parametrize(
    "names", [["sur_refl_b01", "sur_refl_b02"], ["foo", "bar"], ["hh", "hv"], ["665 nm", "560 nm"]]
)
def test_bands_that_no_sensor_here_has_are_refused(names: list[str | None]) -> None:
    with pytest.raises(SceneError, match=r"Name them in order with scene\.bands"):
        named(names, "int16")


@pytest.mark.parametrize("pattern", ["Band {}", "Band_{}", "band{}", "{}", "Band 0{}"])
def test_bands_that_are_only_counted_have_no_names(pattern: str) -> None:
    numbered: list[str | None] = [pattern.format(number) for number in range(1, 7)]
    six = named(numbered, "int16")
    assert tuple(six.bands) == SENSORS["hls"].bands
    assert "have no names" in six.notes[0]
    with pytest.raises(SceneError, match="3 bands without names"):
        named(numbered[:3], "int16")
    landsat = named([pattern.format(number) for number in range(1, 8)], sensor="landsat_c2l2")
    assert tuple(landsat.bands) == SENSORS["landsat_c2l2"].bands


def test_names_in_a_side_car_count(write_raster: WriteRaster) -> None:
    path = write_raster("x.tif", np.full((6, 8, 8), 900, np.int16), names=None)
    names = ("B12", "B11", "B8A", "B4", "B3", "B2")
    bands = "".join(
        f'<PAMRasterBand band="{number}"><Description>{name}</Description></PAMRasterBand>'
        for number, name in enumerate(names, 1)
    )
    path.with_name("x.tif.aux.xml").write_text(f"<PAMDataset>{bands}</PAMDataset>")
    assert {band: asset.index for band, asset in file_scene(path).assets.items()} == {
        "blue": 6, "green": 5, "red": 4, "nir_narrow": 3, "swir_1": 2, "swir_2": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("vv", -12.0, "decibels"),
        ("VV dB", -12.0, "decibels"),
        ("vv", 0.1, "linear"),
        ("gamma0 VV linear", 0.1, "linear"),
    ],
)
def test_the_unit_of_backscatter_is_read_from_names_else_from_values_and_told(
    write_raster: WriteRaster, name: str, value: float, unit: str
) -> None:
    path = write_raster("x.tif", np.full((1, 8, 8), value, np.float32), names=(name,))
    with rasterio.open(path, "r+") as out:
        out.update_tags(EMBERSCOPE_SENSOR="")
    scene = file_scene(path)
    assert unit in scene.assets["vv"].sensor.unit
    assert any("nothing states the unit" in note for note in scene.notes) == (name == "vv")


@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), min_size=1, max_size=14))
def test_any_names_are_read_or_refused_in_words(names: list[str | None]) -> None:
    try:
        found = named(names, "int16")
    except SceneError as err:
        assert "scene." in str(err) or "descriptions" in str(err)
    else:
        assert len({index for index, _ in found.bands.values()}) == len(found.bands)


def test_one_band_of_a_stated_sensor_needs_no_name_and_no_note() -> None:
    found = named([None], "int16", sensor="dem")
    assert (tuple(found.bands), found.notes) == (("elevation",), ())
    with pytest.raises(SceneError, match="1 band without a name"):
        named([None], "int16")


@pytest.mark.parametrize(
    ("stem", "base", "band"),
    [
        ("place_red_edge_1", "place", "red_edge_1"), ("place_20220605_nir_broad", "place_20220605", "nir_broad"),
        ("nir_narrow", "", "nir_narrow"), ("coastal_aerosol", "", "coastal_aerosol"), ("a_swir_1_20m", "a", "swir_1"),
        ("x_vv_db", "x", "vv"), ("dem", "", "elevation"), ("x_land_cover", "x", "lulc"), ("x-B04", "x", "red"),
        ("a_green_red", "a_green", "red"),
    ],
)  # fmt: skip
def test_the_band_that_a_files_name_ends_in(stem: str, base: str, band: str) -> None:
    found = band_part(stem)
    assert found is not None
    assert (found[0], found[1].name_for(SENSORS["sentinel2_l2a"]) or found[1].meanings()[0]) == (base, band)


@pytest.mark.parametrize(
    "stem", ["scene", "burn_merged", "place_2020", "red_edge_x", "20230214_3B_AnalyticMS_SR_8b", "a.b"]
)
def test_a_files_name_that_ends_in_no_band(stem: str) -> None:
    assert band_part(stem) is None

"""Products in their real layout are extracted end to end: every value, gap, date, cloud share and note is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import SceneError
from engine.imagery.scene import Scene
from engine.imagery.sources import FilesScene, source_of
from tests.unit.extraction.stored_pixels import StoredPixels, extracted
from tests.unit.imagery import products
from tests.unit.imagery.products import NORTH, SIDE_M, WEST, Product

S2_NAMES = {
    "B01": "coastal_aerosol", "B02": "blue", "B03": "green", "B04": "red", "B05": "red_edge_1", "B06": "red_edge_2",
    "B07": "red_edge_3", "B08": "nir_broad", "B8A": "nir_narrow", "B09": "water_vapor", "B10": "cirrus",
    "B11": "swir_1", "B12": "swir_2",
}  # fmt: skip
OLI_NAMES = {
    "B1": "coastal_aerosol", "B2": "blue", "B3": "green", "B4": "red", "B5": "nir_narrow", "B6": "swir_1",
    "B7": "swir_2", "B9": "cirrus",
}  # fmt: skip
TM_NAMES = {"B1": "blue", "B2": "green", "B3": "red", "B4": "nir_narrow", "B5": "swir_1", "B7": "swir_2"}
DOVE_NAMES = {"blue": "blue", "green": "green", "red": "red", "nir": "nir_broad"}
SUPERDOVE_NAMES = {
    "coastal_blue": "coastal_aerosol", "blue": "blue", "green_i": "green_i", "green": "green", "yellow": "yellow",
    "red": "red", "rededge": "red_edge_1", "nir": "nir_narrow",
}  # fmt: skip
HLS_L30 = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B09", "B10", "B11")
# HLS v1.4 states UTM as WKT without an EPSG code.
NAMELESS_UTM = (
    'PROJCS["UTM Zone 32, Northern Hemisphere",GEOGCS["Unknown datum based upon the WGS 84 ellipsoid",DATUM["Not_specified_based_on_'
    'WGS_84_spheroid",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],'
    'PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",9],PARAMETER["scale_factor",'
    '0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["Meter",1]]'
)


def one_scene(path: Path) -> Scene:
    (scene,) = source_of(path).find(path)
    return scene


def from_folder(path: Path) -> dict[str, Any]:
    return {"source": "file", "path": str(path)}


def from_list(path: Path) -> dict[str, Any]:
    files = sorted(
        file
        for file in path.glob("**/*")
        if file.suffix.lower() in (".tif", ".jp2") and "QI_DATA" not in str(file)
    )
    return {"source": "files", "paths": [str(file) for file in files]}


def from_parent(path: Path) -> dict[str, Any]:
    return {"source": "files", "paths": [str(path.parent)]}


def assert_values(
    made: Product, names: Mapping[str, str], found: StoredPixels, gsd_m: float, measured: Callable[[np.ndarray], np.ndarray]
) -> None:  # fmt: skip
    """Each band holds its own numbers as measured values; a gap of one band is a gap of the row."""
    side = round(SIDE_M / gsd_m)
    got = found.cut(WEST, NORTH, (side, side))
    used = {names[code]: pixels for code, pixels in made.numbers.items() if code in names}
    assert set(got) == set(used)
    gaps = np.zeros((side, side), bool)
    for pixels in used.values():
        if len(pixels) == side:
            gaps |= pixels <= 0
    for band, pixels in used.items():
        if len(pixels) == side:
            want, inside = measured(pixels.astype(np.float64)), ~gaps
            assert np.array_equal(np.isnan(got[band]), gaps), band
        else:  # a plane stays a plane under bilinear interpolation, away from the rim and from gaps
            want, inside = measured(_interpolated(pixels, side)), np.zeros_like(gaps)
            rim = side // len(pixels)
            inside[rim:-rim, rim:-rim] = True
        assert np.allclose(got[band][inside], want[inside], atol=2e-6), band


def _interpolated(pixels: np.ndarray, side: int) -> np.ndarray:
    """A plane of numbers at the middles of finer pixels; its first pixels may be gaps."""
    step = side // len(pixels)
    last = pixels.astype(np.float64)
    down, across = last[-1, -1] - last[-2, -1], last[-1, -1] - last[-1, -2]
    place = (np.arange(side) + 0.5) / step - 0.5 - (len(pixels) - 1)
    return last[-1, -1] + down * place[:, None] + across * place[None]


@pytest.mark.parametrize("scene_of", [from_folder, from_list, from_parent])
def test_a_sentinel_2_l2a_folder_is_read_with_its_offsets_resolutions_and_metadata(
    tmp_path: Path, scene_of: Callable[[Path], dict[str, Any]]
) -> None:
    made = products.safe_l2a(tmp_path / "in")
    found = extracted(tmp_path, scene_of(made.path))
    names = {code: name for code, name in S2_NAMES.items() if code != "B10"}
    assert_values(made, names, found, 10, lambda dn: (dn - 1000) / 10_000)
    assert found.datetimes == {"2022-06-05T10:15:59.024000+00:00"}
    for told in (
        "offset of -1000",
        "resampled to its finest",
        "water_vapor from 60 m (bilinear)",
        "AOT, SCL, TCI, WVP",
    ):
        assert found.said.count(told) == 1
    scene = one_scene(made.path)
    assert (scene.sensor.name, scene.level, scene.cloud_pct) == ("sentinel2_l2a", "surface", 12.5)
    assert scene.assets["nir_narrow"].path.name.endswith("B8A_20m.jp2")
    assert scene.id.startswith("S2B_MSIL2A_20220605T101559_N0400")


def test_a_sentinel_2_l1c_folder_is_top_of_atmosphere_with_its_radiometric_offset(tmp_path: Path) -> None:
    made = products.safe_l1c(tmp_path / "in")
    found = extracted(tmp_path, from_folder(made.path))
    assert_values(made, S2_NAMES, found, 10, lambda dn: (dn - 1000) / 10_000)
    scene = one_scene(made.path)
    assert (scene.sensor.name, scene.level, scene.cloud_pct) == ("sentinel2_l1c", "top of atmosphere", 3.25)


def test_a_sentinel_2_folder_of_an_older_baseline_has_no_offset(tmp_path: Path) -> None:
    made = products.safe_l2a(tmp_path / "in", baseline="0301")
    found = extracted(tmp_path, from_folder(made.path))
    names = {code: name for code, name in S2_NAMES.items() if code != "B10"}
    assert_values(made, names, found, 10, lambda dn: dn / 10_000)
    assert "offset" not in found.said


def test_a_sentinel_2_folder_without_its_finest_bands_is_read_at_the_next_resolution(tmp_path: Path) -> None:
    made = products.safe_l2a(tmp_path)
    for file in made.path.glob("**/R10m/*.jp2"):
        file.unlink()
    scene = one_scene(made.path)
    assert scene.gsd_m == 20
    assert "nir_broad" not in scene.bands
    assert scene.assets["red"].path.name.endswith("B04_20m.jp2")


@pytest.mark.parametrize(
    "inside", ["MTD_MSIL2A.xml", "GRANULE/*", "GRANULE/*/IMG_DATA", "GRANULE/*/IMG_DATA/R20m"]
)
def test_a_sentinel_2_product_is_found_from_its_metadata_file_and_from_any_of_its_folders(
    tmp_path: Path, inside: str
) -> None:
    made = products.safe_l2a(tmp_path)
    (place,) = made.path.glob(inside)
    scene = one_scene(place)
    assert scene.sensor.name == "sentinel2_l2a"
    assert scene.assets["swir_1"].offset == pytest.approx(-0.1)
    assert scene.cloud_pct == 12.5


def test_a_landsat_product_is_found_from_its_mtl_and_a_packed_one_is_told_to_unpack(tmp_path: Path) -> None:
    made = products.landsat_l2(tmp_path)
    assert one_scene(next(made.path.glob("*_MTL.txt"))) == one_scene(made.path)
    packed = tmp_path / "LC08.tar"
    packed.write_bytes(b"x")
    with pytest.raises(SceneError, match="Unpack it"):
        one_scene(packed)


def test_a_planetscope_radiance_product_is_refused(tmp_path: Path) -> None:
    made = products.planetscope(tmp_path, 4)
    path = made.path.rename(made.path.with_name("20230214_175134_34_2465_3B_AnalyticMS.tif"))
    with pytest.raises(SceneError, match="radiance"):
        one_scene(path)


def test_two_levels_of_one_tile_and_time_are_two_scenes(tmp_path: Path) -> None:
    level_1, level_2 = products.safe_l1c(tmp_path), products.safe_l2a(tmp_path)
    assert one_scene(level_1.path).id != one_scene(level_2.path).id


@pytest.mark.parametrize("scene_of", [from_folder, from_list])
@pytest.mark.parametrize(
    ("name", "codes", "crs", "when"),
    [
        ("HLS.L30.T32TPQ.2022156T101559.v2.0", HLS_L30, products.CRS, "2022-06-05T10:15:59+00:00"),
        ("HLS.S30.T32TPQ.2022156T101559.v2.0", tuple(S2_NAMES), products.CRS, "2022-06-05T10:15:59+00:00"),
        ("HLS.S30.T32TPQ.2018285.v1.4", tuple(S2_NAMES), NAMELESS_UTM, "2018-10-12T00:00:00+00:00"),
        ("HLS.L30.T32TPQ.2018285.v1.4", HLS_L30, NAMELESS_UTM, "2018-10-12T00:00:00+00:00"),
    ],
)
def test_an_hls_granule_of_a_file_a_band_is_one_scene(
    tmp_path: Path, scene_of: Callable[[Path], dict[str, Any]], name: str, codes: tuple[str, ...], crs: str, when: str
) -> None:  # fmt: skip
    made = products.hls(tmp_path / "in", name, codes, crs)
    is_oli = ".L30." in name
    names = {f"B{int(code[1:]):02d}": band for code, band in OLI_NAMES.items()} if is_oli else S2_NAMES
    found = extracted(tmp_path, scene_of(made.path))
    assert_values(made, names, found, 30, lambda dn: dn / 10_000)
    assert found.datetimes == {when}
    assert found.said.count("Fmask") == 1
    assert found.said.count("thermal infrared") == (2 if is_oli else 0)
    scene = one_scene(made.path)
    assert scene.sensor.name == ("hls_l30" if is_oli else "hls_s30")
    assert scene.cloud_pct == 7


def test_two_hls_granules_in_one_folder_are_two_scenes_of_one_stack(tmp_path: Path) -> None:
    for name, codes in (
        ("HLS.L30.T32TPQ.2022156T101559.v2.0", HLS_L30),
        ("HLS.S30.T32TPQ.2022158T102601.v2.0", S2_NAMES),
    ):
        products.hls(tmp_path / "in", name, tuple(codes))
    scenes = FilesScene(source="files", paths=(str(tmp_path / "in"),)).find(tmp_path)
    assert [scene.sensor.name for scene in scenes] == ["hls_s30", "hls_l30"]


@pytest.mark.parametrize("scene_of", [from_folder, from_list, from_parent])
@pytest.mark.parametrize(
    ("product", "names", "sensor", "day"),
    [
        (products.LANDSAT_8, OLI_NAMES, "landsat_c2l2", "2022-06-05"),
        (products.LANDSAT_5, TM_NAMES, "landsat_tm_c2l2", "1999-06-05"),
    ],
)
def test_a_landsat_level_2_folder_is_surface_reflectance_by_its_mtl(
    tmp_path: Path, scene_of: Callable[[Path], dict[str, Any]], product: str, names: dict[str, str], sensor: str, day: str
) -> None:  # fmt: skip
    made = products.landsat_l2(tmp_path / "in", product)
    found = extracted(tmp_path, scene_of(made.path))
    assert_values(made, names, found, 30, lambda dn: dn * 2.75e-5 - 0.2)
    assert found.datetimes == {f"{day}T10:05:12.123456+00:00"}
    for told in ("QA_PIXEL", "QA_RADSAT", "thermal infrared"):
        assert found.said.count(told) == 1
    scene = one_scene(made.path)
    assert (scene.sensor.name, scene.level, scene.cloud_pct) == (sensor, "surface", 4.21)


def test_a_landsat_level_1_folder_is_reflectance_corrected_for_the_suns_elevation(tmp_path: Path) -> None:
    made = products.landsat_l1(tmp_path / "in")
    found = extracted(tmp_path, from_folder(made.path))
    assert_values(made, OLI_NAMES, found, 30, lambda dn: (dn * 2e-5 - 0.1) / np.sin(np.radians(30)))
    assert "panchromatic" in found.said
    assert one_scene(made.path).level == "top of atmosphere"


def test_a_landsat_level_1_folder_without_its_mtl_says_that_the_sun_is_not_corrected_for(
    tmp_path: Path,
) -> None:
    made = products.landsat_l1(tmp_path / "in")
    next(made.path.glob("*_MTL.txt")).unlink()
    assert any("elevation of the sun" in note for note in one_scene(made.path).notes)


@pytest.mark.parametrize("is_harmonised", [False, True])
@pytest.mark.parametrize(("bands", "names"), [(8, SUPERDOVE_NAMES), (4, DOVE_NAMES)])
def test_a_planetscope_file_is_read_by_its_own_band_names(
    tmp_path: Path, bands: int, names: dict[str, str], is_harmonised: bool
) -> None:
    made = products.planetscope(tmp_path / "in", bands, is_harmonised)
    found = extracted(tmp_path, from_folder(made.path))
    assert_values(made, names, found, 3, lambda dn: dn / 10_000)
    assert found.datetimes == {"2023-02-14T17:51:34+00:00"}
    assert one_scene(made.path).sensor.name == f"planetscope_{bands}b"
    assert one_scene(made.path.parent) == one_scene(made.path)


@pytest.mark.parametrize("scene_of", [from_folder, from_list])
def test_a_sentinel_1_rtc_pair_is_one_scene_of_linear_power(
    tmp_path: Path, scene_of: Callable[[Path], dict[str, Any]]
) -> None:
    made = products.sentinel1_rtc(tmp_path / "in")
    found = extracted(tmp_path, scene_of(made.path))
    assert_values(made, {"VV": "vv", "VH": "vh"}, found, 10, lambda power: power)
    assert found.datetimes == {"2022-06-05T17:10:13+00:00"}
    assert {asset.sensor.unit for asset in one_scene(made.path).assets.values()} == {"gamma0, linear power"}


def test_a_sentinel_1_grd_stack_is_decibels(tmp_path: Path) -> None:
    made = products.sentinel1_grd(tmp_path / "in")
    found = extracted(tmp_path, from_folder(made.path))
    got = found.cut(WEST, NORTH, (36, 36))
    assert np.allclose(got["vv"], made.numbers["VV"])
    assert np.allclose(got["vh"], made.numbers["VH"])
    assert {asset.sensor.unit for asset in one_scene(made.path).assets.values()} == {"sigma0, decibels"}

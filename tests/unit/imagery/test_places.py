"""Where a raster lies: what has no place on Earth is refused with the step that mends it, the rest has true metres."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Geod
from rasterio.control import GroundControlPoint
from rasterio.rpc import RPC

from engine.errors import SceneError
from engine.imagery.geobox import outline_lonlat
from engine.imagery.raster.facts import Overrides
from engine.imagery.sources.raster_file import file_scene
from engine.imagery.tiles.tile_plan import cut
from engine.imagery.tiles.windows import Tiling

_GEOD = Geod(ellps="WGS84")
BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
UTM = Affine(30, 0, 500_000, 0, -30, 5_000_000)
DEGREES = Affine(3e-4, 0, 15, 0, -3e-4, 50)
ENGINEERING = (
    'ENGCRS["site",EDATUM["site"],CS[Cartesian,2],AXIS["e",east],AXIS["n",north],LENGTHUNIT["metre",1]]'
)
CORNERS = [GroundControlPoint(row, col, 15 + col / 1e3, 50 - row / 1e3) for row in (0, 64) for col in (0, 64)]
COEFFICIENTS = RPC(
    height_off=0, height_scale=100, lat_off=50, lat_scale=1, line_off=32, line_scale=32, long_off=15, long_scale=1,
    samp_off=32, samp_scale=32, line_num_coeff=[0, 0, 1, *[0] * 17], line_den_coeff=[1, *[0] * 19],
    samp_num_coeff=[0, 1, *[0] * 18], samp_den_coeff=[1, *[0] * 19],
)  # fmt: skip


def raster(path: Path, crs: str | None, transform: Affine | None, **more: object) -> Path:
    profile = {"driver": "GTiff", "height": 64, "width": 64, "count": 6, "dtype": "uint16", **more}
    if crs is not None:
        profile["crs"] = rasterio.CRS.from_user_input(crs)
    if transform is not None:
        profile["transform"] = transform
    with rasterio.open(path, "w", **profile) as made:
        made.write(np.full((6, 64, 64), 1000, np.uint16))
        made.descriptions = BANDS
    return path


REFUSED = {
    "no CRS": (None, UTM, {}, "has no CRS.*gdal_edit -a_srs"),
    "no geotransform": ("EPSG:32633", None, {}, "no geotransform.*gdal_edit -a_ullr"),
    "a local CRS": ('LOCAL_CS["site",UNIT["metre",1]]', UTM, {}, "gdal_edit -a_srs, or georeference"),
    "an engineering CRS": (ENGINEERING, UTM, {}, "gdal_edit -a_srs, or georeference"),
    "a geocentric CRS": ("EPSG:4978", UTM, {}, "neither of longitude and latitude nor a map projection"),
    "ground control points": ("EPSG:4326", None, {"gcps": CORNERS}, "ground control points only.*gdalwarp -tps"),
    "RPC and no CRS": (None, None, {"rpcs": COEFFICIENTS}, r"\(RPC\) only.*gdalwarp -rpc"),
    "RPC and a CRS": ("EPSG:4326", None, {"rpcs": COEFFICIENTS}, r"\(RPC\) only.*gdalwarp -rpc"),
    "Mars": ("+proj=longlat +R=3396190 +no_defs", DEGREES, {}, "3,396 km, which is not the Earth"),
    "the Moon": ("+proj=stere +lat_0=-90 +R=1737400 +units=m", UTM, {}, "1,737 km, which is not the Earth"),
    "a line": ("EPSG:32633", Affine(30, 30, 5e5, 30, 30, 5e6), {}, "geotransform without an area"),
    "no number": ("EPSG:32633", Affine(float("nan"), 0, 5e5, 0, -30, 5e6), {}, "geotransform without an area"),
    "infinitely far": ("EPSG:32633", Affine(30, 0, float("inf"), 0, -30, 5e6), {}, "geotransform without an area"),
    "beyond the projection": ("EPSG:32633", Affine(30, 0, 5e7, 0, -30, 5e6), {}, "no place on Earth.*Check its CRS"),
    "beyond the pole": ("EPSG:4326", Affine(3e-4, 0, 15, 0, -3e-4, 90.01), {}, "reaches beyond the coordinates"),
    "degrees called metres": ("EPSG:32633", DEGREES, {}, "look like degrees.*gdal_edit -a_srs EPSG:4326"),
    "wide degrees": ("EPSG:4326", Affine(0.3, 0, 0, 0, -0.3, 50), {}, "too large an extent.*gdal_translate -projwin"),
    "a wide Web Mercator": ("EPSG:3857", Affine(50_000, 0, 0, 0, -50_000, 8e6), {}, "too large an extent"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_has_no_place_or_no_one_grid_is_refused_with_the_step_that_mends_it(
    tmp_path: Path, kind: str
) -> None:
    crs, transform, more, says = REFUSED[kind]
    path = raster(tmp_path / "made.tif", crs, transform, **more)
    with pytest.raises(SceneError, match=says):
        file_scene(path, Overrides(sensor="hls"))


PLACED = {
    "survey feet": ("EPSG:2263", Affine(98.4, 0, 1e6, 0, -98.4, 2e5)),
    "international feet": ("EPSG:2222", Affine(100, 0, 7e5, 0, -100, 1e6)),
    "kilometres": ("+proj=utm +zone=33 +units=km", Affine(0.03, 0, 500, 0, -0.03, 5000)),
    "degrees": ("EPSG:4326", DEGREES),
    "degrees, not square": ("EPSG:4326", Affine(6e-4, 0, 15, 0, -3e-4, 60)),
    "degrees beyond 180": ("EPSG:4326", Affine(3e-4, 0, 190, 0, -3e-4, 50)),
    "degrees over 180": ("EPSG:4326", Affine(3e-4, 0, 179.99, 0, -3e-4, 50)),
    "grads": ("EPSG:4807", Affine(3e-4, 0, 3, 0, -3e-4, 50)),
    "Web Mercator at 60 N": ("EPSG:3857", Affine(30, 0, 1.5e6, 0, -30, 8.4e6)),
    "Web Mercator at 75 N": ("EPSG:3857", Affine(30, 0, 1.5e6, 0, -30, 12.9e6)),
    "Web Mercator over the antimeridian": ("EPSG:3857", Affine(30, 0, 20_037_000, 0, -30, 6e6)),
    "cylindrical equal area": ("EPSG:6933", Affine(30, 0, 1.5e6, 0, -30, 6.2e6)),
    "UTM ten zones off": ("EPSG:32633", Affine(30, 0, 4e6, 0, -30, 5e6)),
    "rotated": ("EPSG:32633", UTM @ Affine.rotation(33)),
    "skewed": ("EPSG:32633", UTM @ Affine.shear(20)),
    "not square": ("EPSG:32633", Affine(30, 0, 5e5, 0, -10, 5e6)),
    "sinusoidal": ("+proj=sinu +R=6371007.181 +units=m", Affine(463, 0, 1.1e6, 0, -463, 5e6)),
    "with a height system": ("EPSG:32633+5773", UTM),
    "north pole": ("EPSG:32661", Affine(30, 0, 2e6 - 900, 0, -30, 2e6 + 900)),
}  # fmt: skip


@pytest.mark.parametrize("kind", PLACED)
def test_rows_are_as_wide_on_the_ellipsoid_as_the_store_says(tmp_path: Path, kind: str) -> None:
    scene = file_scene(raster(tmp_path / "made.tif", *PLACED[kind]), Overrides(sensor="hls"))
    tile = cut([scene], None, Tiling(16, 8))[0].tile
    area_m2, _ = _GEOD.geometry_area_perimeter(outline_lonlat(tile.grid))
    side_m = (abs(area_m2) / tile.width / tile.height) ** 0.5
    assert side_m == pytest.approx(tile.gsd_m, rel=0.02)
    assert scene.gsd_m == pytest.approx(tile.gsd_m)

"""The same ground has the same tiles whatever asks for it: in CRSs without a code, over the antimeridian, at the poles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer

from engine.extraction import extract as job
from engine.imagery.raster.facts import Overrides
from engine.imagery.region import Region
from engine.imagery.scene import Scene
from engine.imagery.sources.raster_file import file_scene
from engine.imagery.sources.scene_stack import files_scenes
from engine.imagery.tiles.tile_plan import cut, cut_best
from engine.imagery.tiles.windows import PlannedTile, Tiling
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.store.check import check_store

BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
TILING = Tiling(32, 8)
# As HLS v1.4 writes UTM: a datum that is not named, and no code.
HLS_V14 = (
    'PROJCS["UTM Zone 33, Northern Hemisphere",GEOGCS["Unknown datum based upon the WGS 84 ellipsoid",'
    'DATUM["Not_specified_based_on_WGS_84_spheroid",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],'
    'PARAMETER["central_meridian",15],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],'
    'PARAMETER["false_northing",0],UNIT["metre",1]]'
)
ZONES = [
    f"+proj=tmerc +lat_0=0 +lon_0={lon} +k=1 +x_0={number}500000 +ellps=GRS80 +units=m"
    for lon, number in ((11, 4), (13, 5))
]


def raster(path: Path, crs: str, transform: Affine, side: int = 96) -> Path:
    profile = {
        "driver": "GTiff", "height": side, "width": side, "count": 6, "dtype": "uint16", "transform": transform,
        "crs": rasterio.CRS.from_user_input(crs),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as made:
        made.write(np.random.default_rng(0).integers(300, 4000, (6, side, side)).astype(np.uint16))
        made.descriptions = BANDS
    return path


def scene_at(path: Path, crs: str, transform: Affine) -> Scene:
    return file_scene(raster(path, crs, transform), Overrides(sensor="hls"))


def ids_of(tiles: list[PlannedTile]) -> set[str]:
    return {item.tile.id for item in tiles}


@pytest.mark.parametrize("crs", [HLS_V14, ZONES[0], "EPSG:32633"], ids=["HLS v1.4", "custom", "UTM"])
def test_a_region_and_a_check_know_the_tiles_of_any_crs(tmp_path: Path, crs: str) -> None:
    x, y = Transformer.from_crs(4326, rasterio.CRS.from_user_input(crs), always_xy=True).transform(14.2, 50.0)
    path = raster(tmp_path / "made.tif", crs, Affine(30, 0, x // 30 * 30, 0, -30, y // 30 * 30))
    scene = file_scene(path, Overrides(sensor="hls"))
    west, south, east, north = scene.footprint.bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    part = cut([scene], Region.from_bounds(lon - 0.003, lat - 0.003, lon + 0.003, lat + 0.003), TILING)
    assert 0 < len(part) < len(cut([scene], None, TILING))
    assert ids_of(part) <= ids_of(cut([scene], None, TILING))
    config = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(path), "sensor": "hls"}, "device": "cpu",
        "backbone": {"name": "raw"}, "tiles": {"size_px": 32},
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    list(job.extract(config, tmp_path / "run", tmp_path))
    assert check_store(tmp_path / "run") == []


def test_two_zones_without_codes_side_by_side_share_no_tile_and_no_ground(tmp_path: Path) -> None:
    for name, crs in zip("ab", ZONES, strict=True):
        x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(12.0, 50.0)
        raster(tmp_path / f"{name}.tif", crs, Affine(30, 0, x // 30 * 30 - 1500, 0, -30, y // 30 * 30))
    tiles = cut_best(files_scenes([tmp_path], Overrides(sensor="hls")), None, TILING)
    assert len(ids_of(tiles)) == len(tiles)
    assert len({item.tile.crs for item in tiles}) == 2


@pytest.mark.parametrize(
    "bounds", [(179.99, 4.45, -179.995, 4.5), (179.99, 4.45, 180.005, 4.5), (-180.01, 4.45, -179.995, 4.5)]
)
def test_a_region_over_the_antimeridian_has_the_same_tiles_in_any_spelling(
    tmp_path: Path, bounds: tuple[float, float, float, float]
) -> None:
    x, y = Transformer.from_crs(4326, 32660, always_xy=True).transform(179.99, 4.48)
    scene = scene_at(tmp_path / "made.tif", "EPSG:32660", Affine(30, 0, x // 30 * 30, 0, -30, y // 30 * 30))
    asked = cut([scene], Region.from_bounds(179.99, 4.45, -179.995, 4.5), TILING)
    assert len(asked) > 1
    assert ids_of(cut([scene], Region.from_bounds(*bounds), TILING)) == ids_of(asked)


@pytest.mark.parametrize(
    ("crs", "south", "north"),
    [("EPSG:32661", 89.99, 90), ("EPSG:3413", 89.99, 90), ("EPSG:3031", -90, -89.99)],
)
def test_a_region_around_a_pole_is_all_of_its_ground(
    tmp_path: Path, crs: str, south: float, north: float
) -> None:
    x, y = (2e6, 2e6) if crs == "EPSG:32661" else (0.0, 0.0)
    scene = scene_at(tmp_path / "made.tif", crs, Affine(30, 0, x - 1440, 0, -30, y + 1440))
    around, quarter = Region.from_bounds(-180, south, 180, north), Region.from_bounds(0, south, 90, north)
    assert around.area_km2 == pytest.approx(4 * quarter.area_km2, rel=1e-3)
    areas = [
        sum(
            item.area.area if item.area is not None else item.tile.width * item.tile.height * 900.0
            for item in cut([scene], region, TILING)
        )
        for region in (around, quarter)
    ]
    assert areas[0] / 1e6 == pytest.approx(
        around.area_km2, rel=0.07
    )  # polar stereographic stretches by up to 6 % here
    assert areas[0] == pytest.approx(4 * areas[1], rel=0.02)

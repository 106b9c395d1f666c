"""Polygons of a map of classes, held against pixels that are counted."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Geod

from engine.errors import BadInput, StoreError
from engine.views.maps.class_polygons import class_polygons
from engine.views.maps.polygon_files import write_polygons
from engine.views.maps.probability_map import BANDS, hectares_above, hectares_by_step

NAMES = {1: "burnt", 2: "water"}


@pytest.fixture
def class_map(tmp_path: Path) -> Path:
    """30 m pixels: a square of 100 with a hole of 4, one pixel that touches it by a corner alone, and water."""
    pixels = np.zeros((40, 50), np.uint8)
    pixels[5:15, 5:15] = 1
    pixels[9:11, 9:11] = 0
    pixels[15, 15] = 1
    pixels[30:32, 30:40] = 2
    pixels[:, 45:] = 255
    path = tmp_path / "map.tif"
    steps = np.where(pixels == 255, 255, np.where(pixels == 0, 40, 159)).astype(np.uint8)
    with rasterio.open(path, "w", driver="GTiff", height=40, width=50, count=2, dtype="uint8", nodata=255,
                       crs="EPSG:32610", transform=Affine(30, 0, 500_000, 0, -30, 4_500_000)) as out:  # fmt: skip
        out.write(np.stack([pixels, steps]))
        out.descriptions = BANDS
    return path


def test_each_patch_of_a_class_is_a_polygon_with_its_hectares_largest_first(class_map: Path) -> None:
    found = class_polygons(class_map, NAMES, 0.5)
    assert found["name"].tolist() == ["burnt", "water", "burnt"]
    assert found["probability"].tolist() == pytest.approx([0.7975] * 3)
    # Pixels counted on the projected plane; on the central meridian UTM's scale is 0.9996, so areas are 0.08 % larger.
    assert found["hectares"].tolist() == pytest.approx([96 * 0.09, 20 * 0.09, 0.09], rel=2e-3)
    assert len(found.geometry[0].interiors) == 1


def test_only_the_wanted_classes_and_sizes_are_polygons(class_map: Path) -> None:
    assert class_polygons(class_map, {2: "water"}, 0.5)["class"].tolist() == [2]
    assert len(class_polygons(class_map, NAMES, 0.5, smallest_ha=0.5)) == 2
    assert class_polygons(class_map, {7: "nothing"}, 0.5).empty


def test_hectares_of_a_class_are_the_sum_of_its_polygons_and_none_is_zero(class_map: Path) -> None:
    sums = hectares_above(hectares_by_step(class_map), {**NAMES, 3: "snow"}, 0.5)
    assert sums["burnt"] == pytest.approx(97 * 0.09, rel=2e-3)
    assert sums["snow"] == 0


@pytest.mark.parametrize(
    ("ending", "crs"), [("geojson", "OGC:CRS84"), ("gpkg", "EPSG:32610"), ("parquet", "EPSG:32610")]
)
@pytest.mark.parametrize("names", [NAMES, {7: "nothing"}], ids=["some", "none"])
def test_a_written_file_opens_in_geopandas_with_the_same_polygons(
    class_map: Path, tmp_path: Path, ending: str, crs: str, names: dict[int, str]
) -> None:
    wanted = class_polygons(class_map, names, 0.5)
    path = write_polygons(tmp_path / f"burnt.{ending}", wanted)
    read = gpd.read_parquet(path) if ending == "parquet" else gpd.read_file(path)
    assert len(read) == len(wanted)
    if len(read):
        assert list(read.columns) == ["class", "name", "hectares", "probability", "geometry"]
        areas = [
            abs(Geod(ellps="WGS84").geometry_area_perimeter(one)[0]) / 1e4
            for one in read.to_crs(4326).geometry
        ]
        assert read.crs == crs or read.crs.to_epsg() == 4326
        assert areas == pytest.approx(wanted["hectares"].tolist(), rel=1e-3)
    assert [path.name for path in tmp_path.iterdir() if "writing" in path.name] == []


def test_another_ending_and_a_map_that_is_none_are_refused(class_map: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="geojson"):
        write_polygons(tmp_path / "burnt.shp", class_polygons(class_map, NAMES, 0.5))
    (tmp_path / "junk.tif").write_bytes(b"no map")
    with pytest.raises(StoreError, match="junk"):
        class_polygons(tmp_path / "junk.tif", NAMES, 0.5)

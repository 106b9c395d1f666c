"""Regions from vector files: any format and CRS, and words for those that are none."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import Point, Polygon, box

from engine.errors import RegionError
from engine.imagery.region_file import region_from_file

WITH_HOLE = Polygon(box(500_000, 4_500_000, 503_000, 4_503_000).exterior,
                    [box(501_000, 4_501_000, 502_000, 4_502_000).exterior])  # fmt: skip


def written(frame: gpd.GeoDataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".geojson":
        frame.to_crs(4326).to_file(path)
    else:
        frame.to_file(path)
    return path


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb", ".parquet", ".geojson"])
def test_the_same_polygon_with_its_hole_comes_out_of_every_format(tmp_path: Path, suffix: str) -> None:
    frame = gpd.GeoDataFrame(geometry=[WITH_HOLE], crs="EPSG:32610")
    region = region_from_file(written(frame, tmp_path / f"fire{suffix}"))
    assert region.area_km2 == pytest.approx(8.0, rel=2e-3)
    back = gpd.GeoSeries([region.polygon], crs=4326).to_crs(32610).iloc[0]
    assert back.symmetric_difference(WITH_HOLE).area < 20


@pytest.mark.parametrize(
    ("shapes", "crs", "words"),
    [
        ([WITH_HOLE, WITH_HOLE], "EPSG:32610", "holds 2 geometries"),
        ([Point(500_000, 4_500_000)], "EPSG:32610", "a Point; a region is a polygon"),
        ([WITH_HOLE], None, "states no CRS"),
    ],
)
def test_what_is_no_one_region_is_refused(
    tmp_path: Path, shapes: list[object], crs: str | None, words: str
) -> None:
    path = written(gpd.GeoDataFrame(geometry=shapes, crs=crs), tmp_path / "fire.gpkg")
    with pytest.raises(RegionError, match=words):
        region_from_file(path)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb", ".parquet"])
@pytest.mark.parametrize("content", [b"", b"<OGRVRTDataSource></OGRVRTDataSource>", b"\x00" * 64])
def test_another_file_under_the_name_of_a_format_is_refused(
    tmp_path: Path, suffix: str, content: bytes
) -> None:
    path = tmp_path / f"fire{suffix}"
    path.write_bytes(content)
    with pytest.raises(RegionError, match=r"no .* file by its content"):
        region_from_file(path)


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".fgb", ".parquet"])
def test_a_file_that_is_cut_short_is_refused_in_one_line(tmp_path: Path, suffix: str) -> None:
    path = written(gpd.GeoDataFrame(geometry=[WITH_HOLE], crs="EPSG:32610"), tmp_path / f"fire{suffix}")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(RegionError) as caught:
        region_from_file(path)
    assert "\n" not in str(caught.value)

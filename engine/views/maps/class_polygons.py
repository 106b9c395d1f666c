"""Polygons of a map of classes, each with its hectares, as GeoJSON or GeoPackage."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import BadInput, StoreError
from engine.files import write_atomic

if TYPE_CHECKING:
    import geopandas as gpd

FORMATS: Mapping[str, str] = {".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG"}
_LAYER = "classes"
_SQUARE_METRES_A_HECTARE = 10_000.0
# Digits of GeoJSON coordinates (RFC 7946, section 11.2): a seventh is a centimetre.
_DIGITS = 7


def require_format(path: Path) -> str:
    """GDAL's name of the format that a file's ending asks for.

    Raises:
        BadInput: none of ours.
    """
    if path.suffix.lower() not in FORMATS:
        raise BadInput(
            f"{path} has no ending of a vector file that is written here. Give one of {', '.join(FORMATS)}."
        )
    return FORMATS[path.suffix.lower()]


def class_polygons(path: Path, names: Mapping[int, str], smallest_ha: float = 0.0) -> gpd.GeoDataFrame:
    """The polygons of a map's classes, largest first, in the map's CRS.

    Pixels that touch by a side are one polygon. Hectares are those on the ellipsoid, whatever the map's projection.

    Args:
        path: a raster of classes in its first band.
        names: the classes that are wanted, and what they are called.
        smallest_ha: smaller polygons are left out.

    Returns:
        Columns `class`, `name`, `hectares` and the geometry; no rows where no class occurs.

    Raises:
        StoreError: the map is absent or damaged.
    """
    import geopandas as gpd
    import rasterio
    import rasterio.features
    from rasterio.errors import RasterioError
    from shapely.geometry import shape

    try:
        with rasterio.open(path) as dataset:
            found = [
                (int(value), shape(outline))
                for outline, value in rasterio.features.shapes(rasterio.band(dataset, 1), transform=dataset.transform)
                if int(value) in names
            ]  # fmt: skip
            crs = dataset.crs
    except RasterioError as err:
        raise StoreError(f"{path} cannot be read as a map ({err}). Make it again.") from err
    columns = {"class": [value for value, _ in found], "name": [names[value] for value, _ in found]}
    table = gpd.GeoDataFrame(columns, geometry=[outline for _, outline in found], crs=crs)
    table.insert(2, "hectares", _hectares(table))
    kept = table[table["hectares"] >= smallest_ha]
    return kept.sort_values("hectares", ascending=False, ignore_index=True)


def hectares_of(polygons: gpd.GeoDataFrame, names: Mapping[int, str]) -> dict[str, float]:
    """Hectares of each class by name, 0 for one that does not occur."""
    sums = polygons.groupby("class")["hectares"].sum()
    return {name: round(float(sums.get(value, 0.0)), 2) for value, name in names.items()}


def write_polygons(path: Path, polygons: gpd.GeoDataFrame) -> Path:
    """Write polygons: GeoJSON in lon/lat, as it has to be; GeoPackage in the map's own CRS.

    Raises:
        BadInput: an ending of another format.
        DiskFull: no room.
    """
    driver = require_format(path)
    if driver == "GeoJSON":
        lonlat = polygons.to_crs("OGC:CRS84")
        write_atomic(path, lambda temporary: _write_geojson(temporary, lonlat))
    else:
        write_atomic(path, lambda temporary: _write_geopackage(temporary, polygons))
    return path


def _hectares(polygons: gpd.GeoDataFrame) -> list[float]:
    """Area of each polygon on the WGS 84 ellipsoid, rounded to a square metre."""
    from pyproj import Geod

    ellipsoid = Geod(ellps="WGS84")
    areas = (abs(ellipsoid.geometry_area_perimeter(one)[0]) for one in polygons.to_crs("EPSG:4326").geometry)
    return [round(area / _SQUARE_METRES_A_HECTARE, 4) for area in areas]


def _write_geojson(path: Path, lonlat: gpd.GeoDataFrame) -> None:
    lonlat.to_file(path, driver="GeoJSON", engine="pyogrio", RFC7946="YES", COORDINATE_PRECISION=str(_DIGITS))


def _write_geopackage(path: Path, polygons: gpd.GeoDataFrame) -> None:
    with warnings.catch_warnings():
        # The temporary name ends in ".writing", which GDAL finds unusual.
        warnings.filterwarnings("ignore", "The filename extension should be", RuntimeWarning)
        polygons.to_file(path, driver="GPKG", engine="pyogrio", layer=_LAYER)

"""A region from a vector file (GeoJSON, GeoPackage, Shapefile, FlatGeobuf or GeoParquet, in any CRS of the Earth) or from text."""

from __future__ import annotations

import re
from pathlib import Path

import shapely
from pyproj.exceptions import CRSError, ProjError

from engine.errors import RegionError
from engine.imagery.region import Region

# What each format begins with: GDAL tells formats by their content, and some (VRT) name other files to open.
_SIGNATURES = {
    ".gpkg": b"SQLite format 3\0",  # OGC 12-128r18, section 1.1.1
    ".shp": b"\x00\x00\x27\x0a",  # ESRI Shapefile Technical Description, file code 9994
    ".fgb": b"fgb",
    ".parquet": b"PAR1",
    ".geoparquet": b"PAR1",
}


def region_from_file(path: Path, name: str = "") -> Region:
    """The one polygon (or multi-polygon) of a vector file; another CRS is brought to lon/lat.

    Args:
        name: what messages call the file; "": its path.

    Raises:
        RegionError: the file is absent, of another format, without a CRS, or does not hold one polygon.
    """
    suffix, named = path.suffix.lower(), name or str(path)
    if suffix not in _SIGNATURES:
        return Region.from_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as err:
        raise RegionError(f"{named} cannot be read ({err.strerror or err}). Check the path.") from err
    if not start.startswith(_SIGNATURES[suffix]):
        raise RegionError(f"{named} is no {suffix} file by its content. Export the region again.")
    return _from_table(path, suffix, named)


def region_from_text(text: str) -> Region:
    """The one polygon (or multi-polygon) of WKT or GeoJSON in lon/lat, as a person pastes it.

    Raises:
        RegionError: it is neither, in another CRS, or does not hold one polygon.
    """
    stated = re.match(r"\s*SRID=(\d+);", text, re.IGNORECASE)  # PostGIS' extended WKT
    if text.lstrip().startswith("{"):
        return Region.from_bytes(text.encode(), "The text")
    if stated is not None and stated[1] != "4326":
        raise RegionError(
            f"The text is in EPSG:{stated[1]}; a pasted region is in longitude and latitude. Reproject it to EPSG:4326."
        )
    try:
        found = shapely.from_wkt(text[stated.end() :] if stated else text.strip())
    except shapely.errors.ShapelyError as err:
        raise RegionError(
            f"The text is neither WKT nor GeoJSON ({' '.join(str(err).split())[:80]}). Paste a polygon, such as "
            f"POLYGON ((14 40, 15 40, 15 41, 14 40))."
        ) from err
    return Region.from_shape(found, "The text")


def _from_table(path: Path, suffix: str, named: str) -> Region:
    import geopandas as gpd  # with pandas, a quarter of a second: only where a table is read
    import pyogrio.errors

    try:
        frame = (
            gpd.read_parquet(path) if suffix.endswith("parquet") else gpd.read_file(path, engine="pyogrio")
        )
        if frame.crs is None:
            raise RegionError(
                f"{named} states no CRS, so nothing says where its polygon lies. Export it with its CRS."
            )
        shapes = [
            shape for shape in frame.geometry.to_crs("OGC:CRS84") if shape is not None and not shape.is_empty
        ]
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        CRSError,
        ProjError,
        ValueError,
        OSError,
        AttributeError,
        IndexError,
    ) as err:
        raise RegionError(
            f"{named} cannot be read ({' '.join(str(err).split())[:120]}). Export the region again."
        ) from err
    if len(shapes) != 1:
        raise RegionError(
            f"{named} holds {len(shapes)} geometries; a region is one polygon. Keep the one you mean."
        )
    return Region.from_shape(shapes[0], named)

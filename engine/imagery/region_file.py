"""A region from a vector file (GeoJSON, KML, GeoPackage, Shapefile, FlatGeobuf or GeoParquet, in any CRS of the Earth) or from text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import shapely

from engine.errors import RegionError
from engine.imagery.region import Region
from engine.imagery.vector.table import ENDINGS, read_table

if TYPE_CHECKING:
    import geopandas as gpd

# GeoJSON of one polygon is read without a table.
_TABLES = tuple(ending for ending in ENDINGS if "json" not in ending)


def region_from_file(path: Path, name: str = "") -> Region:
    """The one polygon (or multi-polygon) of a vector file; another CRS is brought to lon/lat.

    Args:
        name: what messages call the file; "": its path.

    Raises:
        RegionError: the file is absent, of another format, without a CRS, or does not hold one polygon.
    """
    named = name or str(path)
    if path.suffix.lower() in _TABLES:
        return _one(read_table(path, None, named), named)
    return Region.from_file(path)


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


def _one(frame: gpd.GeoDataFrame, named: str) -> Region:
    shapes = [shape for shape in frame.geometry if shape is not None and not shape.is_empty]
    if len(shapes) != 1:
        raise RegionError(
            f"{named} holds {len(shapes)} geometries; a region is one polygon. Keep the one you mean."
        )
    return Region.from_shape(shapes[0], named)

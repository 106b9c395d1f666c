"""Polygons as GeoJSON, GeoPackage and GeoParquet, with what has to be said of the map that they are outlines of."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import BadInput
from engine.files import write_atomic

if TYPE_CHECKING:
    import geopandas as gpd

FORMATS: Mapping[str, str] = {
    ".geojson": "GeoJSON", ".json": "GeoJSON", ".gpkg": "GPKG", ".parquet": "GeoParquet", ".geoparquet": "GeoParquet",
}  # fmt: skip
# Tags of a map that each polygon carries as a column: a table that was cut, joined or opened in a GIS still tells them.
COLUMNS: Mapping[str, str] = {
    "EMBERSCOPE_SOURCE": "source", "EMBERSCOPE_SIMULATED": "simulated",
    "EMBERSCOPE_DECODER_TAUGHT_ON": "taught_on", "EMBERSCOPE_DECODER_SIMULATED": "taught_on_simulated",
}  # fmt: skip
_LAYER = "classes"
# Digits of GeoJSON coordinates (RFC 7946, section 11.2): a seventh is a centimetre.
_DIGITS = 7


def require_format(path: Path) -> str:
    """Name of the format that a file's ending asks for.

    Raises:
        BadInput: none of ours.
    """
    if path.suffix.lower() not in FORMATS:
        raise BadInput(
            f"{path} has no ending of a vector file that is written here. Give one of {', '.join(FORMATS)}."
        )
    return FORMATS[path.suffix.lower()]


def write_polygons(path: Path, polygons: gpd.GeoDataFrame, tags: Mapping[str, str] | None = None) -> Path:
    """Write polygons: GeoJSON in lon/lat, as it has to be; GeoPackage and GeoParquet in the map's own CRS.

    Args:
        tags: what the map says of itself. All of it stands in the metadata of the file (in GeoJSON, which has none, in the
            member `emberscope`), and the tags of COLUMNS beside each polygon as well.

    Raises:
        BadInput: an ending of another format.
        DiskFull: no room.
    """
    told = dict(tags or {})
    table = polygons.assign(**{column: told[tag] for tag, column in COLUMNS.items() if tag in told})
    match require_format(path):
        case "GeoJSON":
            lonlat = table.to_crs("OGC:CRS84")
            write_atomic(path, lambda temporary: _write_geojson(temporary, lonlat, told))
        case "GPKG":
            write_atomic(path, lambda temporary: _write_geopackage(temporary, table, told))
        case _:
            write_atomic(path, lambda temporary: _write_geoparquet(temporary, table, told))
    return path


def _write_geojson(path: Path, lonlat: gpd.GeoDataFrame, told: Mapping[str, str]) -> None:
    members = json.dumps({"type": "FeatureCollection", **({"emberscope": told} if told else {})})
    lonlat.to_file(
        path, driver="GeoJSON", engine="pyogrio", RFC7946="YES", COORDINATE_PRECISION=str(_DIGITS), NATIVE_DATA=members,
        NATIVE_MEDIA_TYPE="application/vnd.geo+json",
    )  # fmt: skip


def _write_geopackage(path: Path, polygons: gpd.GeoDataFrame, told: Mapping[str, str]) -> None:
    with warnings.catch_warnings():
        # The temporary name ends in ".writing", which GDAL finds unusual.
        warnings.filterwarnings("ignore", "The filename extension should be", RuntimeWarning)
        polygons.to_file(path, driver="GPKG", engine="pyogrio", layer=_LAYER, layer_metadata=dict(told))


def _write_geoparquet(path: Path, polygons: gpd.GeoDataFrame, told: Mapping[str, str]) -> None:
    import pyarrow.parquet as pq

    polygons.to_parquet(path, schema_version="1.1.0")
    if told:
        table = pq.read_table(path)
        pq.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), **told}), path)

"""A region from uploaded files: written below names of our own into a folder that ends with the reading."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from engine.archives import Limits, entries
from engine.errors import BadInput, RegionError
from engine.imagery.region import Region
from engine.imagery.region_file import region_from_file

_GEOJSON = ("geojson", "json")
_TABLES = ("gpkg", "fgb", "parquet", "geoparquet", "shp", "kml")
_PACKED = ("zip", "kmz")
_SHAPEFILE_PARTS = ("shx", "dbf", "prj", "cpg")
ENDINGS = (*_GEOJSON, *_TABLES, *_SHAPEFILE_PARTS, *_PACKED)
# A zip of a few kilobytes can unpack to gigabytes; the outline of a region never does.
_LARGEST_UNPACKED = 50_000_000


def read(files: Sequence[tuple[str, bytes]]) -> Region:
    """The one polygon of an upload.

    Args:
        files: name and content of each; several where a Shapefile comes in parts. A name becomes no path.

    Raises:
        RegionError: of an unknown format, without a CRS, or not one polygon.
    """
    parts = [part for name, content in files for part in _unpacked(name, content)]
    main = [(name, content) for name, content in parts if _ending(name) in (*_GEOJSON, *_TABLES)]
    if len(main) != 1:
        named = ", ".join(name for name, _ in parts)
        raise RegionError(
            f"{named or 'The upload'} holds {len(main)} regions. Give one file, or one Shapefile with all of its files."
        )
    name, content = main[0]
    if _ending(name) in _GEOJSON:
        return Region.from_bytes(content, name)
    with tempfile.TemporaryDirectory(prefix="emberscope-region-") as folder:
        for part, held in parts:
            (Path(folder) / f"region.{_ending(part)}").write_bytes(held)
        return region_from_file(Path(folder) / f"region.{_ending(name)}", name)


def _ending(name: str) -> str:
    """The ending, one of ours; "" for any other."""
    ending = name.rpartition(".")[2].lower()
    return ending if ending in ENDINGS else ""


def _unpacked(name: str, content: bytes) -> list[tuple[str, bytes]]:
    """The file itself, or what a zip holds of ours.

    Raises:
        RegionError: a damaged zip, or one that unpacks to too much.
    """
    if _ending(name) not in _PACKED:
        return [(name, content)]
    limits = Limits(most_files=2_000, most_bytes=_LARGEST_UNPACKED)
    try:
        found = entries(io.BytesIO(content), name, limits)
        return [(one.name, one.read()) for one in found if _ending(one.name) not in ("", *_PACKED)]
    except BadInput as err:
        raise RegionError(str(err)) from err

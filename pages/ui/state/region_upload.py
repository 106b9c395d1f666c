"""A region from uploaded files: written below names of our own into a folder that ends with the reading."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from engine.errors import RegionError
from engine.imagery.region import Region
from engine.imagery.region_file import region_from_file

_GEOJSON = ("geojson", "json")
_TABLES = ("gpkg", "fgb", "parquet", "geoparquet", "shp")
_SHAPEFILE_PARTS = ("shx", "dbf", "prj", "cpg")
ENDINGS = (*_GEOJSON, *_TABLES, *_SHAPEFILE_PARTS, "zip")
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
    if _ending(name) != "zip":
        return [(name, content)]
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [info for info in archive.infolist() if _ending(info.filename) not in ("", "zip")]
            if sum(info.file_size for info in members) > _LARGEST_UNPACKED:
                raise RegionError(f"{name} unpacks to more than 50 MB. Upload the region's outline alone.")
            return [(info.filename, archive.read(info)) for info in members]
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as err:
        raise RegionError(f"{name} cannot be unpacked ({err}). Zip the Shapefile again.") from err

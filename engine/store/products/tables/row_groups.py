"""Which row groups of a GeoParquet file a region meets, by the statistics of its bbox covering."""

from __future__ import annotations

import json
from typing import Any

import pyarrow.parquet as pq
import shapely

from engine.imagery.region import Region

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def groups_that_meet(file: pq.ParquetFile, geometry: str, region: Region | None) -> list[int]:
    """Numbers of the row groups; all of them where there is no region, no covering or no statistics.

    A group whose boxes reach over the antimeridian (a west beyond its east) counts as meeting everything.
    """
    every = list(range(file.num_row_groups))
    columns = _covering(file, geometry)
    if region is None or columns is None:
        return every
    return [group for group in every if _meets(file, group, columns, region)]


def _covering(file: pq.ParquetFile, geometry: str) -> list[int] | None:
    """The leaf columns of xmin, ymin, xmax and ymax (GeoParquet 1.1, "covering"); None where they are not stated."""
    raw = (file.metadata.metadata or {}).get(b"geo") or (file.schema_arrow.metadata or {}).get(b"geo")
    try:
        tree: Any = json.loads(raw) if raw else {}
        box = tree["columns"][geometry]["covering"]["bbox"]
        paths = [".".join(box[side]) for side in _SIDES]
    except (ValueError, KeyError, TypeError):
        return None
    there = {file.schema.column(number).path: number for number in range(len(file.schema))}
    return [there[path] for path in paths] if all(path in there for path in paths) else None


def _meets(file: pq.ParquetFile, group: int, columns: list[int], region: Region) -> bool:
    found = [file.metadata.row_group(group).column(column).statistics for column in columns]
    if any(one is None or not one.has_min_max for one in found):
        return True
    west, south, east, north = found[0].min, found[1].min, found[2].max, found[3].max
    if found[0].max > found[2].max or found[2].min < found[0].min:
        return True
    return bool(region.polygon.intersects(shapely.box(west, south, east, north)))

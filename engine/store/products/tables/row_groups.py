"""Which row groups of a GeoParquet file a region meets, by the statistics of its bbox covering; and some rows of one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from engine.imagery.geobox import area_in_crs
from engine.imagery.region import Region

_BATCH_ROWS = 16_384
_SIDES = ("xmin", "ymin", "xmax", "ymax")


def groups_that_meet(file: pq.ParquetFile, geometry: str, region: Region | None, crs: str = "") -> list[int]:
    """Numbers of the row groups; all of them where there is no region, no covering or no statistics.

    A group whose boxes reach over the antimeridian (a west beyond its east) counts as meeting everything.

    Args:
        crs: of the geometries; empty for longitude and latitude.
    """
    every = list(range(file.num_row_groups))
    columns = _covering(file, geometry)
    if region is None or columns is None:
        return every
    area = area_in_crs(region.polygon, crs) if crs else region.polygon
    return [group for group in every if area.is_empty or _meets(file, group, columns, area)]


def rows_in(file: pq.ParquetFile, group: int, names: list[str], here: np.ndarray) -> pa.Table:
    """Some rows of a row group, which is read batch by batch: one group may hold a whole file.

    Args:
        here: numbers of the rows in the group, in order.
    """
    parts, first = [], 0
    for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=names):
        inside = here[(here >= first) & (here < first + len(batch))] - first
        if len(inside):
            parts.append(batch.take(pa.array(inside)))
        first += len(batch)
        if first > here[-1]:
            break
    return pa.Table.from_batches(parts)


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


def _meets(file: pq.ParquetFile, group: int, columns: list[int], area: shapely.Geometry) -> bool:
    found = [file.metadata.row_group(group).column(column).statistics for column in columns]
    if any(one is None or not one.has_min_max for one in found):
        return True
    west, south, east, north = found[0].min, found[1].min, found[2].max, found[3].max
    if found[0].max > found[2].max or found[2].min < found[0].min:
        return True
    return bool(shapely.intersects(area, shapely.box(west, south, east, north)))

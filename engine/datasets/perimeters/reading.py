"""Fires from a file of perimeters: which rows are polygons with a day, and which of them are one fire."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from engine.connected import connected, gathered
from engine.datasets.perimeters.choosing import chosen_fires
from engine.datasets.perimeters.columns import days_in, names_in, values_in
from engine.datasets.perimeters.fire import Fire, NotHad, Part
from engine.datasets.perimeters.publishers import publisher_of
from engine.errors import BadInput
from engine.imagery.vector.table import read_table
from engine.jobs.configuration.dataset import PerimetersConfig
from engine.paths import resolve_path

if TYPE_CHECKING:
    import geopandas as gpd

# Polygons of one day that lie nearer than this are one fire: unnamed ones (about 500 m), and those of one name (about 20 km).
_TOGETHER_DEG, _NAMESAKES_DEG = 0.005, 0.2
_MOST_ROWS = 200_000


@dataclass(frozen=True)
class Perimeters:
    """What a file of perimeters holds.

    Attributes:
        fires: dated ones, in the order of the file.
        asked: those of them that chips are made of; the others are ground that burnt all the same.
        undated: ground of polygons without a day, lon/lat: burnt at some time that nobody knows.
        not_had: rows that are no fire, with the reason.
        notes: what was guessed, in words for a person.
    """

    fires: tuple[Fire, ...]
    asked: tuple[Fire, ...]
    undated: tuple[BaseGeometry, ...]
    not_had: tuple[NotHad, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Row:
    number: int
    shape: BaseGeometry
    name: str
    start: dt.date | None
    end: dt.date | None
    value: Any


def read_perimeters(config: PerimetersConfig, value_column: str | None = None) -> Perimeters:
    """The fires of a file.

    Args:
        value_column: the attribute that classes come from; None: none.

    Raises:
        RegionError, BadInput: the file cannot be read, or holds no polygon.
        ConfigError: no date is known, or a column is not there or cannot be read.
    """
    frame = read_table(resolve_path(config.file), config.layer, config.file)
    if not len(frame) or len(frame) > _MOST_ROWS:
        raise BadInput(
            f"{config.file} holds {len(frame):,} rows; 1 to {_MOST_ROWS:,} are read. Keep the fires that you mean."
        )
    columns = [str(column) for column in frame.columns if column != frame.geometry.name]
    publisher = publisher_of(columns, config.publisher)
    starts, ends, notes = days_in(frame, columns, publisher, config)
    names, name_note = names_in(frame, columns, publisher, config)
    values = values_in(frame, columns, value_column)
    rows, not_had = _rows(frame, names, starts, ends, values)
    dated = [row for row in rows if row.start is not None]
    undated = [row for row in rows if row.start is None]
    not_had += [NotHad(_row_title(row.number, row.name), "", "it has no date in the file") for row in undated]
    if not dated:
        first = f" ({not_had[0].fire}: {not_had[0].reason})" if not_had else ""
        raise BadInput(f"{config.file} holds no polygon with a date{first}. Export the perimeters again.")
    fires = _fires(dated)
    asked, asked_note = chosen_fires(fires, config)
    return Perimeters(
        fires, asked, tuple(row.shape for row in undated), tuple(not_had), (*notes, *filter(None, (name_note, asked_note)))
    )  # fmt: skip


def _rows(
    frame: gpd.GeoDataFrame, names: list[str], starts: list[dt.date | None], ends: list[dt.date | None], values: list[Any]
) -> tuple[list[_Row], list[NotHad]]:  # fmt: skip
    """The rows that are polygons on the globe, and the others with the reason."""
    rows, not_had = list[_Row](), list[NotHad]()
    each = zip(frame.geometry, names, starts, ends, values, strict=True)
    for number, (shape, name, start, end, value) in enumerate(each, 1):
        mended, why = _polygon(shape)
        if mended is None:
            not_had.append(NotHad(_row_title(number, name), str(start or ""), why))
        else:
            rows.append(_Row(number, mended, name, start, end, value))
    return rows, not_had


def _row_title(number: int, name: str) -> str:
    return f"{name} (row {number})" if name else f"Row {number}"


def _polygon(shape: Any) -> tuple[BaseGeometry | None, str]:
    """A valid polygon in lon/lat, or why there is none."""
    if shape is None or shape.is_empty:
        return None, "it has no polygon"
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        return None, "it has a corner that is no pair of numbers"
    mended = shapely.make_valid(shapely.force_2d(shape))
    parts = [part for part in shapely.get_parts(shapely.get_parts(mended)) if isinstance(part, Polygon) and part.area > 0]  # fmt: skip
    if not parts:
        return None, f"it is a {shape.geom_type} without an area"
    west, south, east, north = mended.bounds
    if west < -180 or east > 180 or south < -90 or north > 90:
        return None, f"it reaches from {west:g}, {south:g} to {east:g}, {north:g}, which are no degrees of longitude and latitude"  # fmt: skip
    return (parts[0] if len(parts) == 1 else MultiPolygon(parts)), ""


def _fires(rows: Sequence[_Row]) -> tuple[Fire, ...]:
    """Rows of one name and day are one fire where they lie near; so are rows without a name that lie together."""
    groups: dict[tuple[str, dt.date | None], list[_Row]] = {}
    for row in rows:
        groups.setdefault((row.name, row.start), []).append(row)
    together = [
        found
        for (name, _), own in groups.items()
        for found in _lying_together(own, _NAMESAKES_DEG if name else _TOGETHER_DEG)
    ]
    together.sort(key=lambda own: own[0].number)
    return tuple(_fire(number, own) for number, own in enumerate(together, 1))


def _fire(number: int, rows: Sequence[_Row]) -> Fire:
    ends = [row.end for row in rows if row.end is not None]
    start = rows[0].start
    assert start is not None
    return Fire(
        number, rows[0].name, start, max(ends) if ends else None, shapely.union_all([row.shape for row in rows]),
        tuple(Part(row.shape, row.value) for row in rows),
    )  # fmt: skip


def _lying_together(rows: list[_Row], distance_deg: float) -> list[list[_Row]]:
    """Groups of rows that are near one another, or joined by others that are."""
    shapes = [row.shape for row in rows]
    pairs = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=distance_deg)
    return gathered(rows, connected(len(rows), pairs))

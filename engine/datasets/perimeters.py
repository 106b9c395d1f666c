"""Fires from a file of perimeters: which columns hold their days and names, and which rows are one fire."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from engine.datasets.days import Unreadable, days_of
from engine.datasets.fire import Fire, NotHad, Part
from engine.datasets.publishers import OTHER, Publisher, column_of, publisher_of
from engine.errors import BadInput, ConfigError
from engine.imagery.vector.table import read_table
from engine.jobs.configuration.dataset import PerimetersConfig, given_day
from engine.nearest import nearest
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
        undated: ground of polygons without a day, lon/lat: burnt at some time that nobody knows.
        not_had: rows that are no fire, with the reason.
        notes: what was guessed, in words for a person.
    """

    fires: tuple[Fire, ...]
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
    starts, ends, notes = _days(frame, columns, publisher, config)
    names, name_note = _names(frame, columns, publisher, config)
    values = _values(frame, columns, value_column)
    rows, not_had = _rows(frame, names, starts, ends, values)
    dated = [row for row in rows if row.start is not None]
    undated = [row for row in rows if row.start is None]
    not_had += [NotHad(_row_title(row.number, row.name), "", "it has no date in the file") for row in undated]
    if not dated:
        raise BadInput(f"{config.file} holds no polygon with a date. {not_had[0].reason if not_had else ''}")
    fires = _fires(dated)
    return Perimeters(
        fires, tuple(row.shape for row in undated), tuple(not_had), (*notes, *([name_note] if name_note else []))
    )  # fmt: skip


def _days(
    frame: gpd.GeoDataFrame, columns: Sequence[str], publisher: Publisher, config: PerimetersConfig
) -> tuple[list[dt.date | None], list[dt.date | None], list[str]]:
    """First and last day of each row, and what is to be said of them.

    Raises:
        ConfigError: there is no first day.
    """
    none: list[dt.date | None] = [None] * len(frame)
    ends, end_column = _asked(frame, columns, config.end, "perimeters.end", config)
    if ends is None:
        ends, end_column = _first_readable(frame, columns, publisher.ends, config)
    starts, column = _asked(frame, columns, config.date, "perimeters.date", config)
    if starts is None:
        starts, column = _first_readable(frame, columns, publisher.starts, config)
    if starts is None and ends is not None:
        starts, column = ends, end_column
    if starts is None:
        starts, column = _only_dated(frame, columns, config)
    notes = [_told(publisher, column, end_column if ends is not None and end_column != column else "")]
    ends = ends if ends is not None else none
    wrong = sum(1 for start, end in zip(starts, ends, strict=True) if start and end and end < start)
    if wrong:
        notes.append(
            f"{wrong} fire(s) end before they begin, as {end_column} states it; their end is left out."
        )
    kept = [
        end if end and not (start and end < start) else None for start, end in zip(starts, ends, strict=True)
    ]
    return starts, kept, [note for note in notes if note]


def _told(publisher: Publisher, column: str, end_column: str) -> str:
    if not column:
        return ""
    whose = f"The columns are those of {publisher.title}" if publisher is not OTHER else "No publisher is known by the columns"  # fmt: skip
    end = f", and end on that in {end_column}" if end_column else ""
    return f"{whose}: fires begin on the day in {column}{end}. Set perimeters.date or perimeters.end where this is wrong."


def _asked(
    frame: gpd.GeoDataFrame, columns: Sequence[str], asked: str | None, key: str, config: PerimetersConfig
) -> tuple[list[dt.date | None] | None, str]:
    """The days that a setting names: one for all, or those of a column; None where it names nothing."""
    if asked is None:
        return None, ""
    day = given_day(asked)
    if day is not None:
        return [day] * len(frame), ""
    column = _column(columns, asked, key, config.file)
    try:
        return days_of(frame[column].tolist(), config.day_before_month), column
    except Unreadable as err:
        raise ConfigError(f"{config.file}: the column {column} cannot be read as days: {err}.") from err


def _column(columns: Sequence[str], asked: str, key: str, file: str) -> str:
    found = column_of(columns, asked)
    if found is None:
        raise ConfigError(
            f"{key}: {file} has no column {asked!r}{nearest(asked, list(columns))}. It has {', '.join(columns) or 'none'}."
        )
    return found


def _first_readable(
    frame: gpd.GeoDataFrame, columns: Sequence[str], wanted: Sequence[str], config: PerimetersConfig
) -> tuple[list[dt.date | None] | None, str]:
    """The days of the first of some columns that is there and has any."""
    for name in wanted:
        column = column_of(columns, name)
        if column is None:
            continue
        try:
            days = days_of(frame[column].tolist(), config.day_before_month)
        except Unreadable as err:
            if "may mean" in str(err):
                raise ConfigError(f"{config.file}: the column {column} is not read: {err}.") from err
            continue
        if any(days):
            return days, column
    return None, ""


def _only_dated(
    frame: gpd.GeoDataFrame, columns: Sequence[str], config: PerimetersConfig
) -> tuple[list[dt.date | None], str]:
    """The one column that speaks of days in its name and holds some.

    Raises:
        ConfigError: there is none, or there are several.
    """
    speaking = [one for one in columns if any(word in one.lower() for word in ("date", "time", "day", "begin", "when"))]  # fmt: skip
    found = {one: days for one in speaking if (days := _first_readable(frame, columns, [one], config)[0])}
    if len(found) == 1:
        column, days = next(iter(found.items()))
        return days, column
    what = (
        f"{', '.join(found)} may all be it" if found else f"none of its columns ({', '.join(columns) or 'it has none'}) holds one"
    )  # fmt: skip
    raise ConfigError(
        f"{config.file} does not tell on which day its fires began: {what}. Set perimeters.date to a column, or to a day "
        f"such as 2021-08-14 that holds for all of them."
    )


def _names(
    frame: gpd.GeoDataFrame, columns: Sequence[str], publisher: Publisher, config: PerimetersConfig
) -> tuple[list[str], str]:
    if config.name is not None:
        column: str | None = _column(columns, config.name, "perimeters.name", config.file)
        note = ""
    else:
        column = next((found for one in publisher.names if (found := column_of(columns, one))), None)
        note = f"Fires are called as {column} says." if column else ""
    if column is None:
        return [""] * len(frame), ""
    return [
        " ".join(str(one).split())[:80] if one is not None and one == one else "" for one in frame[column]
    ], note  # fmt: skip


def _values(frame: gpd.GeoDataFrame, columns: Sequence[str], column: str | None) -> list[Any]:
    if column is None:
        return [None] * len(frame)
    return list(frame[_column(columns, column, "labels.classes.column", "the file")])


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
    mended = shapely.make_valid(shapely.force_2d(shape))
    parts = [part for part in shapely.get_parts(shapely.get_parts(mended)) if isinstance(part, Polygon) and part.area > 0]  # fmt: skip
    if not parts:
        return None, f"it is a {shape.geom_type}, and no polygon"
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
    tree = shapely.STRtree([row.shape for row in rows])
    group = list(range(len(rows)))

    def root(member: int) -> int:
        while group[member] != member:
            group[member] = group[group[member]]
            member = group[member]
        return member

    pairs = tree.query([row.shape for row in rows], predicate="dwithin", distance=distance_deg)
    for one, other in pairs.T.tolist():
        group[root(one)] = root(other)
    found: dict[int, list[_Row]] = {}
    for index, row in enumerate(rows):
        found.setdefault(root(index), []).append(row)
    return list(found.values())

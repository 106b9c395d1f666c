"""Which columns of a file of perimeters hold days and names: those that are asked for, the publisher's, or the only one that can."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.datasets.perimeters.days import Unreadable, days_of
from engine.datasets.perimeters.publishers import OTHER, Publisher, column_of
from engine.errors import ConfigError
from engine.jobs.configuration.dataset import PerimetersConfig, given_day
from engine.nearest import nearest

if TYPE_CHECKING:
    import geopandas as gpd


def days_in(
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


def names_in(
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


def values_in(frame: gpd.GeoDataFrame, columns: Sequence[str], column: str | None) -> list[Any]:
    if column is None:
        return [None] * len(frame)
    return list(frame[_column(columns, column, "labels.classes.column", "the file")])

"""Days in the forms in which publishers write them; a column that can be read in two ways is not read."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from engine.imagery.raster.dates import parse_time

_SLASHED = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:\D.*)?")
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?:\D.*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{4}|\d{6})?")
_FIRST, _LAST = dt.date(1972, 1, 1), dt.date(2100, 1, 1)
_MILLISECONDS = 1e11  # larger numbers are milliseconds since 1970, as ArcGIS writes them
_SECONDS = 1e8


class Unreadable(Exception):
    """A column that holds no days, or days that can be read in two ways; the message says which value."""


def days_of(values: Sequence[Any], day_before_month: bool | None = None) -> list[dt.date | None]:
    """The day of each value, None where there is none.

    Args:
        day_before_month: how 07/08/2021 is meant; None: as other values of the column tell.

    Raises:
        Unreadable: a value is no day, or both readings would do.
    """
    present = [value for value in values if not _is_absent(value)]
    slashed = [found for value in present if isinstance(value, str) and (found := _SLASHED.fullmatch(value.strip()))]  # fmt: skip
    order = day_before_month if day_before_month is not None else _order(slashed)
    return [None if _is_absent(value) else _day(value, order) for value in values]


def _order(slashed: Sequence[re.Match[str]]) -> bool | None:
    """Whether the day stands before the month, as numbers above twelve tell.

    Raises:
        Unreadable: nothing tells, and it would matter; or values contradict one another.
    """
    if not slashed:
        return None
    is_day_first = any(int(found[1]) > 12 for found in slashed)
    is_month_first = any(int(found[2]) > 12 for found in slashed)
    if is_day_first == is_month_first and any(found[1] != found[2] for found in slashed):
        raise Unreadable(
            f"{slashed[0][0]!r} may mean the day or the month first; set perimeters.day_before_month to true or false"
        )
    return is_day_first


def _is_absent(value: Any) -> bool:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    text = str(value).strip().lower()
    return text in ("", "nat", "nan", "none", "null", "<null>", "<na>")


def _day(value: Any, day_before_month: bool | None) -> dt.date:
    found = _read(value, day_before_month)
    if found is None or not _FIRST <= found < _LAST:
        raise Unreadable(f"{str(value)[:40]!r} is no day of a fire")
    return found


def _read(value: Any, day_before_month: bool | None) -> dt.date | None:
    if isinstance(value, dt.datetime):  # also pandas' own
        return value.date()
    if isinstance(value, dt.date):
        return value
    if hasattr(value, "item"):  # numpy's numbers
        value = value.item()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _of_number(float(value))
    return _of_text(str(value).strip(), day_before_month)


def _of_number(number: float) -> dt.date | None:
    """Milliseconds or seconds since 1970, or 20210713 as a number."""
    if 19_720_101 <= number <= 21_000_101 and number.is_integer():
        return _of_text(str(int(number)), None)
    seconds = number / 1000 if abs(number) > _MILLISECONDS else number
    if abs(seconds) < _SECONDS and number < _MILLISECONDS:
        return None
    try:
        return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)).date()
    except OverflowError:
        return None


def _of_text(text: str, day_before_month: bool | None) -> dt.date | None:
    try:
        if found := _SLASHED.fullmatch(text):
            day, month = (found[1], found[2]) if day_before_month else (found[2], found[1])
            return dt.date(int(found[3]), int(month), int(day))
        if (found := _YEAR_FIRST.fullmatch(text)) or (found := _COMPACT.fullmatch(text)):
            return dt.date(int(found[1]), int(found[2]), int(found[3]))
        if re.fullmatch(r"-?\d{10,13}(\.0)?", text):
            return _of_number(float(text))
        when = parse_time(text)
        return when.date() if when is not None else parsedate_to_datetime(text).date()
    except (ValueError, TypeError, IndexError):
        return None

"""Acquisition times as tags and metadata write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from engine.imagery.sensors.products import band_part, date_in, without_dates

# Names under which files state when they were taken: ours; HLS and Sentinel-2 products; Landsat's MTL; STAC; Planet.
_TIME_TAGS = (
    "emberscope_datetime", "sensing_time", "datatake_sensing_start", "datatake_1_datatake_sensing_start", "product_start_time",
    "datetime", "acquired", "acquisition_date", "acquisitiondate", "date_acquired", "system:time_start",
)  # fmt: skip
# The first satellite image of the Earth is of 1959.
_FIRST_YEAR, _LAST_YEAR = 1959, 2100
# A day in the form of ISO 8601, with or without its time.
_STAMP = re.compile(
    r"(?<!\d)\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?!\d)"
)


def tagged_time(tags: Mapping[str, str]) -> tuple[datetime | None, str]:
    """The acquisition time in a raster's tags, and a note on a tag that is no time.

    Args:
        tags: names in lower case.
    """
    note = ""
    for name in _TIME_TAGS:
        text = tags.get(name, "").strip()
        if not text:
            continue
        found = parse_time(text)
        if found is not None:
            return found, note
        note = note or f"the tag {name.upper()} is no time ({text[:40]!r}) and is left out"
    return None, note


def dated_band(text: str) -> tuple[datetime | None, str]:
    """The date that a band's description says, and the name of the band that is left of it.

    `2023-07-01 red`, `B04_20230701` and Earth Engine's `20230701T100501_20230701T100500_T33TWK_B4` are of one day.
    """
    stamp = _STAMP.search(text)
    when = parse_time(stamp[0].replace(" ", "T")) if stamp else date_in(text)
    left = without_dates(_STAMP.sub(" ", text))
    left = re.sub(r"\s+", "_", left.strip(" ._-:/()[]"))
    part = band_part(left)
    return when, part[1].text if part is not None else left


def parse_time(text: str) -> datetime | None:
    """A time in any form of ISO 8601 (of several or an interval, the first), as UTC; one without a zone is UTC. None: no time."""
    first = re.split(r"\s*[;,]\s*|\s+/\s+|/(?=\d{4}-)", text.strip())[0]
    first = re.sub(r"\s*(?:UTC|GMT)$", "", first)
    if re.fullmatch(r"[0-9]{12,13}", first):  # Earth Engine: milliseconds since 1970
        return _in_utc(datetime.fromtimestamp(int(first) / 1000, UTC))
    if re.fullmatch(r"\d{1,6}", first) or not re.match(r"\d{4}", first):
        return None
    try:
        return _in_utc(_moment(first))
    except (ValueError, OverflowError):
        return None


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC; one without a zone is UTC.

    Raises:
        OverflowError: it is beyond the years that there are.
    """
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_utc(moment: datetime) -> datetime | None:
    """The moment in UTC, None where no satellite can have taken an image."""
    found = in_utc(moment)
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def _moment(text: str) -> datetime:
    """One time; leap seconds and midnight as 24:00 count, which Python does not read.

    Raises:
        ValueError: it is none.
    """
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)  # nanoseconds
    text = re.sub(r"(T\d{2}:?\d{2}:?)60", r"\g<1>59", text)
    ordinal = re.match(r"(\d{4})-?(\d{3})(?=T|$)", text)
    if ordinal:
        day = datetime.strptime(ordinal[1] + ordinal[2], "%Y%j").replace(tzinfo=UTC)
        text = f"{day:%Y-%m-%d}{text[ordinal.end() :]}"
    midnight = re.sub(r"T24(:?00)?(:?00)?(\.0+)?(?=Z|[+-]|$)", "T00:00:00", text)
    return datetime.fromisoformat(midnight) + timedelta(days=midnight != text)

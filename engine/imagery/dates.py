"""Acquisition times as tags and metadata write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

# Names under which files state when they were taken: ours; HLS and Sentinel-2 products; Landsat's MTL; STAC; Planet.
_TIME_TAGS = (
    "emberscope_datetime", "sensing_time", "datatake_sensing_start", "datatake_1_datatake_sensing_start", "product_start_time",
    "datetime", "acquired", "acquisition_date", "acquisitiondate", "date_acquired", "system:time_start",
)  # fmt: skip


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


def parse_time(text: str) -> datetime | None:
    """A time in any form of ISO 8601 (of several, the first), as UTC; one without a zone is UTC. None: no time."""
    first = re.split(r"\s*[;,]\s*|\s+/\s+", text.strip())[0]
    if re.fullmatch(r"\d{12,13}", first):  # Earth Engine: milliseconds since 1970
        return datetime.fromtimestamp(int(first) / 1000, UTC)
    first = re.sub(r"(\.\d{6})\d+", r"\1", first)  # nanoseconds
    if re.fullmatch(r"\d{1,6}", first) or not re.match(r"\d{4}", first):
        return None
    try:
        moment = datetime.fromisoformat(first)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

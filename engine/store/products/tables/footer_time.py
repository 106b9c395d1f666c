"""The time that a footer `emb` states for all rows of a file: `datetime`, or `start_datetime` and `end_datetime`.

Each may be a year, a month, a day or a moment; `datetime` also two of them, as a list or as an interval of ISO 8601.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from engine.imagery.raster.dates import parse_time

_YEAR_OR_MONTH = re.compile(r"(\d{4})(?:-(\d{2}))?")
_OPEN_END = ("", "..")


def footer_time(told: Mapping[str, Any]) -> tuple[str | None, str]:
    """When all embeddings of a file are dated, ISO 8601 in UTC, and what is said of it.

    Args:
        told: the footer.

    Returns:
        None and an empty sentence where the footer states no time; None and a sentence where what it states is no time, or is
        a span of several years.
    """
    stated = _stated(told)
    if not stated:
        return None, ""
    words = " to ".join(stated)
    moments = [_moment(text) for text in stated]
    first, last = moments[0], moments[-1]
    if first is None or last is None:
        return (
            None,
            f"The footer `emb` states as time what is none ({words[:60]!r}): the embeddings have no date.",
        )
    # A span that ends with the first moment of a year ends before that year.
    before_end = max(first, last - timedelta(microseconds=1))
    if first.year != before_end.year:
        return (
            None,
            f"The footer `emb` states a span of several years ({words[:60]}): the embeddings have no date.",
        )
    return (
        first.isoformat(),
        f"No row states a time, and the footer `emb` states {words[:60]}. The embeddings are dated {_day(first)}.",
    )


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B} {moment.year}"


def _stated(told: Mapping[str, Any]) -> list[str]:
    """The begin and the end, or the one time; as they are written."""
    whole = told.get("datetime")
    parts = whole if isinstance(whole, list) else str(whole).split("/") if isinstance(whole, str) else [whole]
    found = _texts(parts)
    return found or _texts([told.get("start_datetime"), told.get("end_datetime")])


def _texts(parts: list[Any]) -> list[str]:
    texts = [
        str(part).strip() for part in parts if isinstance(part, str | int) and not isinstance(part, bool)
    ]
    return [text for text in texts if text not in _OPEN_END]


def _moment(text: str) -> datetime | None:
    """The first moment of a year, month or day; None for what is no time, or a time before satellites."""
    found = _YEAR_OR_MONTH.fullmatch(text)
    return parse_time(f"{found[1]}-{found[2] or '01'}-01") if found else parse_time(text)

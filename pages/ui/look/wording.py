"""Numbers, dates and foreign text as a page writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from pages.ui.look.field_words import spoken

NO_DATE = "date not stated by the source"


def area(km2: float) -> str:
    """An area with a sensible number of digits: "0.42 km2", "38.1 km2", "1,204 km2"."""
    digits = 2 if km2 < 10 else 1 if km2 < 100 else 0
    return f"{km2:,.{digits}f} km²"


def megabytes(value: float) -> str:
    """10^6 bytes, or 10^9 when many, or 10^3 when few: "1.4 GB", "38 MB", "0.2 MB", "4 kB", never "0.0 MB"."""
    if 0 < value < 0.1:
        return f"{max(1, round(value * 1000))} kB"
    if value >= 1000:
        return f"{value / 1000:,.1f} GB"
    return f"{value:,.0f} MB" if value >= 10 else f"{value:.1f} MB" if value else "0 MB"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours: "8 s", "3 min 20 s", "1 h 05 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s" if minutes < 10 else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def count(value: float, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 tile", "1,024 tiles"."""
    return f"{value:,.0f} {one if value == 1 else many or one + 's'}"


def in_a_row(words: Iterable[str]) -> str:
    """Words as a sentence names them: "red", "red and green", "red, green and blue"."""
    *first, last = list(words)
    return f"{', '.join(first)} and {last}" if first else last


def parameters(value: int) -> str:
    """Parameters of a model: "16.7 M", "1.1 B", "0"."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return str(value)


def date(moment: datetime | None) -> str:
    """An acquisition date, or that the source states none."""
    return f"{moment:%d %B %Y}".lstrip("0") if moment else NO_DATE


def when(unix_s: float) -> str:
    """A moment in local time, for people: "14:05", "3 Nov 14:05", "3 Nov 2025"."""
    moment, now = datetime.fromtimestamp(unix_s, UTC).astimezone(), datetime.now(UTC).astimezone()
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    return f"{moment.day} {moment:%b %H:%M}" if moment.year == now.year else f"{moment.day} {moment:%b %Y}"


def plain(text: str) -> str:
    """Text from elsewhere, so that Markdown shows it letter by letter."""
    return re.sub(r"([\\`*_{}\[\]()#+!|~$<>:])", r"\\\1", text)


def told(text: str) -> str:
    """What the engine says, letter by letter, with fields of the app where it names keys of a configuration."""
    return plain(spoken(text))


def credited(words: str, credit: str) -> str:
    """What a map says of a layer, with the attribution that its publisher asks for where there is one."""
    return f"{words} · {credit}" if credit else words

"""The dates of a store that are mapped apart: tiles of one ground would hide each other on one map."""

from __future__ import annotations

from collections.abc import Mapping

from engine.errors import StoreError
from engine.store.store import EmbeddingStore
from engine.views.comparing.dated_view import has_several_dates


def dates_of(store: EmbeddingStore) -> Mapping[str, frozenset[str] | None]:
    """Ids of the tiles of each date, the earliest first; one nameless date with all tiles (None) where no ground has two."""
    if not has_several_dates(store):
        return {"": None}
    found: dict[str, set[str]] = {}
    for tile in store.tiles:
        moment = (tile.datetimes[-1] if tile.datetimes else None) or ""
        found.setdefault(moment, set()).add(tile.id)
    days = [moment[:10] for moment in found]
    return {
        (moment if days.count(moment[:10]) > 1 else moment[:10]) or "date not stated": frozenset(
            found[moment]
        )
        for moment in sorted(found)
    }


def tiles_of(store: EmbeddingStore, date: str | None) -> tuple[str, frozenset[str] | None]:
    """The date that is mapped and the ids of its tiles.

    Args:
        date: first, last, or how a date begins (2021-03); None: the last.

    Raises:
        StoreError: the store has no such date.
    """
    dates = dates_of(store)
    names = list(dates)
    wanted = {None: names[-1], "last": names[-1], "first": names[0]}.get(date)
    chosen = (
        wanted if wanted is not None else next((one for one in names if date and one.startswith(date)), None)
    )
    if chosen is None:
        told = ", ".join(names) if names != [""] else "one date of each ground"
        raise StoreError(
            f"{store.folder} holds nothing of the date {date!r}; it holds {told}. Choose first, last or a day."
        )
    return chosen, dates[chosen]

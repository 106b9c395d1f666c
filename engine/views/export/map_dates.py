"""Which date a map of embeddings is of: in its name, where other maps show the same ground, and in its tag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from engine.store.schema import StoredTile
from engine.views.export.zarr_grids import moment_of

UNDATED = "undated"


def date_labels(tiles: Sequence[StoredTile]) -> list[str]:
    """What each tile's map is called by; empty for all where no ground has several tiles.

    The day (`2021-03-18`), with the time in UTC (`2021-03-18T101213`) on days on which some ground has several tiles; where
    it has several of one time, a number behind.
    """
    grounds = [(tile.crs, tile.transform, tile.height_px, tile.width_px) for tile in tiles]
    if len(set(grounds)) == len(tiles):
        return [""] * len(tiles)
    days = [_label(tile, "%Y-%m-%d") for tile in tiles]
    repeated = {day for (_, day), count in Counter(zip(grounds, days, strict=True)).items() if count > 1}
    labels = [
        _label(tile, "%Y-%m-%dT%H%M%S") if day in repeated else day
        for tile, day in zip(tiles, days, strict=True)
    ]
    count: Counter[tuple[object, str]] = Counter()
    for number, place in enumerate(zip(grounds, labels, strict=True)):
        count[place] += 1
        labels[number] += f"_{count[place]}" if count[place] > 1 else ""
    return labels


def stated_date(tiles: Iterable[StoredTile]) -> tuple[str | None, str]:
    """The date that a map of some tiles states, ISO 8601, and what is said where it can state none.

    The time that all share, or else the day that all share.
    """
    moments = [moment_of(tile) for tile in tiles]
    stated = sorted({_utc(moment) for moment in moments if moment})
    days = sorted({moment.date().isoformat() for moment in stated})
    if not days or (len(days) == 1 and None not in moments):
        return (None if not days else stated[0].isoformat() if len(stated) == 1 else days[0]), ""
    span = f"from {days[0]} to {days[-1]}" if len(days) > 1 else f"of {days[0]}"
    return None, (
        f"One map shows tiles {span}{' and of no date' if None in moments else ''}, and a GeoTIFF states one date: this one states none. "
        f"GeoParquet, Zarr and STAC keep the date of each tile."
    )


def _label(tile: StoredTile, form: str) -> str:
    moment = moment_of(tile)
    return _utc(moment).strftime(form) if moment else UNDATED


def _utc(moment: str) -> datetime:
    found = datetime.fromisoformat(moment)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)

"""One date of a view: of the tiles that lie on one ground, the one of the date that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.errors import StoreError
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from engine.views.layer_view import LayerView

FIRST, LAST = "first", "last"


@dataclass(frozen=True)
class DatedView:
    """A view of a layer on tiles that do not share ground.

    Attributes:
        chosen: the tiles, in the order of the store.
        date: as it was asked for; None where the store has one date of each ground.
    """

    view: LayerView
    chosen: tuple[StoredTile, ...]
    date: str | None = None

    @property
    def store(self) -> EmbeddingStore:
        """The store that is looked at."""
        return self.view.store

    @property
    def patch_m(self) -> float:
        """Side of a patch in metres, of most tiles' first."""
        return abs(self.chosen[0].patch_transform.a)

    @property
    def title(self) -> str:
        """Backbone, layer and day, for tables."""
        return f"{self.store.meta.backbone}, layer {self.view.layer}" + (
            f", {self.days}" if self.days else ""
        )

    @property
    def days(self) -> str:
        """The day of the tiles, or the first and the last; empty where the source states none."""
        days = sorted(day for tile in self.chosen if (day := _day(tile)))
        return "" if not days else days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"

    def tiles(self) -> Iterator[tuple[StoredTile, np.ndarray, np.ndarray]]:
        """As `LayerView.tiles`, of the chosen tiles."""
        if len(self.chosen) == len(self.store.tiles):
            yield from self.view.tiles()
            return
        yield from ((tile, *self.view.read_tile(tile)) for tile in self.chosen)

    @cached_property
    def first_rows(self) -> dict[str, int]:
        """Tile id -> number of its first row among those of the chosen tiles."""
        starts = np.cumsum([0, *(tile.rows for tile in self.chosen[:-1])])
        return {tile.id: int(start) for tile, start in zip(self.chosen, starts, strict=True)}


def dated(view: LayerView, date: str | None = None) -> DatedView:
    """A view on one date of its store.

    Args:
        date: `first` or `last` of each ground, or the beginning of a day (2021, 2021-03, 2021-03-18); of several that
            begin like this the last one counts. None where the store has one date of each ground.

    Raises:
        StoreError: no tile of that date, or several dates and none asked for.
    """
    tiles = view.store.tiles
    grounds: dict[tuple[object, ...], list[StoredTile]] = {}
    for tile in tiles:
        grounds.setdefault((tile.crs, tile.transform, tile.height_px, tile.width_px), []).append(tile)
    if date is None:
        if len(grounds) < len(tiles):
            raise StoreError(
                f"{view.store.folder} holds several dates of the same ground ({_dates_in_words(tiles)}). Choose one: "
                f"first, last, or a day (--date, of several stores --dates)."
            )
        return DatedView(view, tiles)
    wanted = {found.id for own in grounds.values() if (found := _of_date(own, date)) is not None}
    if not wanted:
        raise StoreError(
            f"{view.store.folder} holds nothing of the date {date!r}; it holds {_dates_in_words(tiles)}. Choose first, last, "
            f"or one of these."
        )
    return DatedView(view, tuple(tile for tile in tiles if tile.id in wanted), date)


def has_several_dates(store: EmbeddingStore) -> bool:
    """Whether some ground of a store has tiles of several dates."""
    grounds = {(tile.crs, tile.transform, tile.height_px, tile.width_px) for tile in store.tiles}
    return len(grounds) < len(store.tiles)


def days_of(store: EmbeddingStore) -> list[str]:
    """The days that some ground of a store has several of, the first one first; one empty word where each ground has one date."""
    if not has_several_dates(store):
        return [""]
    return sorted({_day(tile) or "" for tile in store.tiles})


def on_tiles(view: DatedView, tiles: tuple[StoredTile, ...]) -> DatedView:
    """The same on some of its tiles."""
    return replace(view, chosen=tiles)


def _of_date(tiles: list[StoredTile], date: str) -> StoredTile | None:
    """The tile of a date among those of one ground."""
    ordered = sorted(tiles, key=lambda tile: _day(tile) or "")
    if date in (FIRST, LAST):
        return ordered[0 if date == FIRST else -1]
    return next((tile for tile in reversed(ordered) if (_day(tile) or "").startswith(date)), None)


def _day(tile: StoredTile) -> str | None:
    """The last day that went into a tile."""
    last = tile.datetimes[-1] if tile.datetimes else None
    return last[:10] if last else None


def _dates_in_words(tiles: tuple[StoredTile, ...]) -> str:
    days = sorted({_day(tile) or "no date" for tile in tiles})
    return ", ".join(days) if len(days) <= 4 else f"{len(days)} dates from {days[0]} to {days[-1]}"

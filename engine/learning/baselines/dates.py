"""Which date of a place came before its last one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shapely import STRtree
from shapely.geometry import Polygon, box

from engine.store.schema import StoredTile

_BORDER_PX = 0.5  # tiles that only touch share no ground


def has_two_dates(tiles: Sequence[StoredTile]) -> bool:
    """Whether every place of a store's tiles has two dates or more, joined in a tile or as tiles of their own."""
    dates: dict[tuple[object, ...], set[str]] = {}
    for tile in tiles:
        ground = tile.crs, tile.transform, tile.height_px, tile.width_px
        dates.setdefault(ground, set()).update(date for date in tile.datetimes if date)
    return bool(dates) and all(len(own) > 1 for own in dates.values())


def date_before(raw: Sequence[StoredTile]) -> Callable[[StoredTile], str | None]:
    """A function that gives the last date on the ground of a tile that is earlier than the tile's own.

    Args:
        raw: tiles of one date each, whose dates are meant.
    """
    of_crs: dict[str, list[StoredTile]] = {}
    for tile in raw:
        of_crs.setdefault(tile.crs, []).append(tile)
    trees = {crs: (STRtree([outline(tile) for tile in own]), own) for crs, own in of_crs.items()}

    def before(tile: StoredTile) -> str | None:
        tree, own = trees.get(tile.crs, (STRtree([]), []))
        last = max((date for date in tile.datetimes if date), default="")
        inner = outline(tile).buffer(-_BORDER_PX * abs(tile.transform[0]))
        here = (date for at in tree.query(inner, predicate="intersects") for date in own[at].datetimes)
        return max((date for date in here if date and date < last), default=None)

    return before


def outline(tile: StoredTile) -> Polygon:
    """The ground of a tile in its CRS."""
    west, north = tile.pixel_transform @ (0, 0)
    east, south = tile.pixel_transform @ (tile.width_px, tile.height_px)
    return box(west, south, east, north)

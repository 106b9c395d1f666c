"""Which patches of a store a label lies on, and where a patch lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from engine.errors import LabelError
from engine.imagery.geobox import from_lonlat, to_lonlat
from engine.labels.clicked.geojson import moved
from engine.labels.clicked.label_set import LabelSet
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

# Patches of one label that are learnt from; evenly spread over a larger polygon.
MOST_PATCHES = 400


@dataclass(frozen=True)
class LabelledRows:
    """Rows of a store that labels lie on.

    Attributes:
        rows: (n,) numbers of rows, each once; the newest label of a patch counts.
        classes: (n,) numbers of classes of the set.
        labels: (n,) numbers of labels of the set.
        outside: labels that lie on no patch with data.
    """

    rows: np.ndarray
    classes: np.ndarray
    labels: np.ndarray
    outside: int

    @property
    def present(self) -> list[int]:
        """Numbers of the classes that have a patch."""
        return [int(one) for one in np.unique(self.classes)]


def rows_of(
    found: LabelSet, store: EmbeddingStore, tiles: Sequence[StoredTile] | None = None
) -> LabelledRows:
    """The patches with data below all labels.

    Args:
        tiles: of the store that are looked at, such as those of one date; None: all.
    """
    wanted = None if tiles is None else {tile.id for tile in tiles}
    firsts = np.cumsum([0, *(tile.rows for tile in store.tiles)])
    seen = [
        (tile, int(first))
        for tile, first in zip(store.tiles, firsts, strict=False)
        if wanted is None or tile.id in wanted
    ]
    has_data = store.read_valid_fraction() > 0
    newest: dict[int, int] = {}
    outside = 0
    for number, label in enumerate(found.labels):
        below = [row for row in _below(label.shape, seen) if has_data[row]]
        outside += not below
        for row in below[:: -(-len(below) // MOST_PATCHES)] if below else []:
            newest[row] = number
    rows = np.array(sorted(newest), np.int64)
    labels = np.array([newest[row] for row in rows.tolist()], np.int64)
    of_label = np.array([found.index_of(label.class_name) for label in found.labels], np.int64)
    return LabelledRows(rows, of_label[labels] if len(labels) else labels, labels, outside)


def require_rows(found: LabelSet, labelled: LabelledRows, words: str) -> None:
    """Check that there is something to learn.

    Raises:
        LabelError: no labels, labels beside the store, or of one class.
    """
    if not found.labels:
        raise LabelError(f"{words} has no labels. Label a patch of each of two classes first.")
    if not len(labelled.rows):
        raise LabelError(
            f"None of the {len(found.labels)} labels of {words} lies on a patch with data of the store. Check their place."
        )
    if len(labelled.present) < 2:
        only = found.classes[labelled.present[0]].name
        raise LabelError(f"The labels of {words} on the store have one class, {only}. Label a second class.")


def tile_of(tiles: Sequence[StoredTile], row: int) -> tuple[StoredTile, int, int]:
    """The tile of a row of a store, and the patch's row and column in it."""
    for tile in tiles:
        if row < tile.rows:
            return tile, *divmod(row, tile.w)
        row -= tile.rows
    raise LabelError("The patch is not in this store. Choose one on the map.")


def middle_of(tiles: Sequence[StoredTile], row: int) -> tuple[float, float]:
    """Longitude and latitude of the middle of a patch."""
    tile, down, across = tile_of(tiles, row)
    lon, lat = to_lonlat(tile.crs).transform(*(tile.patch_transform @ (across + 0.5, down + 0.5)))
    return float(lon), float(lat)


def _below(outline: BaseGeometry, tiles: Sequence[tuple[StoredTile, int]]) -> list[int]:
    """Rows whose middle lies in a polygon, or that a point lies on; of a polygon without a middle, the row in its midst."""
    found: list[int] = []
    points = [outline] if outline.geom_type == "Point" else list(getattr(outline, "geoms", []))
    is_points = bool(points) and all(one.geom_type == "Point" for one in points)
    projected: dict[str, BaseGeometry] = {}
    for tile, first in tiles:
        if tile.crs not in projected:
            projected[tile.crs] = moved(outline, from_lonlat(tile.crs))
        inside = _in_tile(projected[tile.crs], tile, is_points)
        found += [first + row for row in inside]
    if not found and not is_points:
        return _below(outline.representative_point(), tiles)
    return found


def _in_tile(outline: BaseGeometry, tile: StoredTile, is_points: bool) -> list[int]:
    """Rows of one tile, counted in it, of an outline in its CRS."""
    to_patches = ~tile.patch_transform
    own = shapely.transform(outline, lambda places: np.stack(to_patches @ tuple(places.T), axis=1))
    west, north, east, south = own.bounds
    if not (west < tile.w and east >= 0 and north < tile.h and south >= 0):
        return []
    if is_points:
        places = np.floor(shapely.get_coordinates(own)).astype(int)
        return [int(y * tile.w + x) for x, y in places if 0 <= x < tile.w and 0 <= y < tile.h]
    columns = np.arange(max(int(west), 0), min(int(east) + 1, tile.w))
    rows = np.arange(max(int(north), 0), min(int(south) + 1, tile.h))
    across, down = np.meshgrid(columns, rows)
    is_inside = shapely.contains_xy(own, across + 0.5, down + 0.5)
    return [int(one) for one in (down * tile.w + across)[is_inside]]

"""One division into training, validation and test for all stores of a leaderboard: the same places for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import shapely

from engine.errors import StoreError
from engine.jobs.configuration.config import SplitConfig
from engine.learning.dataset import labels_of_splits
from engine.learning.preparation import Prepared
from engine.learning.splits.neighbours import near
from engine.learning.splits.split import SPLITS, Split, leaks_of, touching_share
from engine.store.footprints import footprints
from engine.store.schema import StoredTile

# Places of two stores are one where their bounds overlap by this much (intersection over union): chips of other sensors and
# tiles of other sizes may end some pixels earlier.
_SAME = 0.5


def matched_places(reference: Prepared, other: Prepared, config: SplitConfig) -> np.ndarray:
    """(tiles,) number of the reference's place that each tile of another store belongs to.

    Raises:
        StoreError: the stores cover different ground.
    """
    theirs, own = _boxes(reference, config), _boxes(other, config)
    tree = shapely.STRtree(theirs[0])
    found = np.full(len(own[0]), -1)
    for here, there in tree.query(own[0], predicate="intersects").T:
        if own[1][here] == theirs[1][there] and _overlap(own[0][here], theirs[0][there]) >= _SAME:
            found[here] = there
    absent = int((found < 0).sum())
    unmet = len(theirs[0]) - len(set(found[found >= 0].tolist()))
    if absent or unmet or len(set(found.tolist())) < len(found):
        raise StoreError(
            f"{other.store.folder} covers other ground than {reference.store.folder}: {absent} of its {len(found)} places are "
            f"not there, and {unmet} of the other's {len(theirs[0])} are not here. A leaderboard compares on the same places: "
            f"extract the same scenes and region; where tiles differ in size, set training.split.by: block; or name the store "
            f"under travel_stores."
        )
    return found[other.split.places]


def aligned(prepared: Prepared, reference: Prepared, places: np.ndarray, config: SplitConfig) -> Prepared:
    """The same store divided as the reference is.

    Args:
        places: (tiles,) as `matched_places` gives them.
    """
    tiles = prepared.store.tiles
    found = {
        name: np.flatnonzero(np.isin(places, reference.split.places[reference.split.tiles[name]]))
        for name in SPLITS
    }
    if config.buffer_m:
        test = [tiles[index] for index in found["test"]]
        is_near = near([tiles[index] for index in found["train"]], test, config.buffer_m)
        found["train"] = found["train"][~is_near]
    touching = touching_share(tiles, found["test"], found["train"])
    split = Split(found, places, prepared.split.left_out, touching, leaks_of(tiles, found))
    by_split = labels_of_splits(prepared.store, prepared.truth, found)
    prepared.task.require_labels(by_split)
    return dataclasses.replace(prepared, split=split)


def places_with_labels(prepared: Prepared, config: SplitConfig) -> list[str]:
    """What each place is called: its middle in degrees, and the day where places are days."""
    boxes, keys = _boxes(prepared, config)
    return [
        f"{box.centroid.y:.4f} {box.centroid.x:.4f}{' ' + key if key else ''}"
        for box, key in zip(boxes, keys, strict=True)
    ]


def _boxes(prepared: Prepared, config: SplitConfig) -> tuple[np.ndarray, list[str]]:
    """The bounds of each place in lon/lat, and what else tells places apart."""
    tiles, places = prepared.store.tiles, prepared.split.places
    around = bounds_lonlat(tiles)
    count = int(places.max()) + 1
    boxes = np.array([shapely.box(*_around(around[places == place])) for place in range(count)])
    length = {"date": 10, "fire": 4}.get(config.by, 0)
    keys = [_time(tiles, np.flatnonzero(places == place), length) for place in range(count)]
    return boxes, keys


def bounds_lonlat(tiles: Sequence[StoredTile]) -> np.ndarray:
    """(tiles, 4) west, south, east, north in degrees; east beyond 180 over the antimeridian."""
    found = footprints([dataclasses.replace(tile, h=1, w=1) for tile in tiles]).bounds.copy()
    found[found[:, 0] > found[:, 2], 2] += 360
    return found


def _around(bounds: np.ndarray) -> tuple[float, float, float, float]:
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def _time(tiles: Sequence[StoredTile], own: np.ndarray, length: int) -> str:
    """Day or year of a place, as long as it is asked for."""
    return max((date[:length] for index in own for date in tiles[index].datetimes if date), default="")


def _overlap(one: shapely.Polygon, other: shapely.Polygon) -> float:
    """Intersection over union of two boxes."""
    shared = one.intersection(other).area
    return float(shared / (one.area + other.area - shared))

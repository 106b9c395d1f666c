"""One division into training, validation and test for all stores of a leaderboard: the same places for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import shapely

from engine.errors import ConfigError, StoreError
from engine.jobs.configuration.config import SplitConfig
from engine.learning.dataset import labels_of_splits
from engine.learning.preparation import Prepared
from engine.learning.splits.neighbours import near, overlapping
from engine.learning.splits.split import SPLITS, Split, leaks_of, touching_share
from engine.store.footprints import footprints
from engine.store.schema import StoredTile

# Places of two stores are one where their bounds overlap by this much (intersection over union): chips of other sensors and
# tiles of other sizes may end some pixels earlier.
_SAME = 0.5
# Stores that share fewer of their places than this cover different ground.
_LEAST_SHARED = 0.5


def matched_places(
    reference: Prepared, other: Prepared, config: SplitConfig, *, at_any_time: bool = False
) -> np.ndarray:
    """(tiles,) number of the reference's place that each tile of another store belongs to; -1: of none.

    Args:
        at_any_time: the same ground is one place also at another time.

    Raises:
        StoreError: the stores cover different ground.
    """
    theirs, own = (_boxes(one, config, not at_any_time) for one in (reference, other))
    tree = shapely.STRtree(theirs[0])
    pairs = [
        (_overlap(own[0][here], theirs[0][there]), int(here), int(there))
        for here, there in tree.query(own[0], predicate="intersects").T
        if own[1][here] == theirs[1][there]
    ]
    found = np.full(len(own[0]), -1)
    for overlap, here, there in sorted(pairs, key=lambda pair: (-pair[0], pair[1:])):
        if overlap >= _SAME and found[here] < 0 and there not in found:
            found[here] = there
    shared = int((found >= 0).sum())
    if shared < _LEAST_SHARED * max(len(found), len(theirs[0])):
        raise StoreError(
            f"{other.store.folder} covers other ground than {reference.store.folder}: {len(found) - shared} of its {len(found)} "
            f"places are not there, and {len(theirs[0]) - shared} of the other's {len(theirs[0])} are not here. A leaderboard "
            f"compares on the same places: extract the same scenes and region; where tiles differ in size, set "
            f"training.split.by: block; or name the store under travel_stores."
        )
    return found[other.split.places]


def shared_places(reference: Prepared, places: Sequence[np.ndarray]) -> np.ndarray:
    """Numbers of the reference's places that every store has.

    Args:
        places: of the other stores, as `matched_places` gives them.
    """
    found = np.unique(reference.split.places)
    for own in places:
        found = np.intersect1d(found, own)
    return found


def aligned(
    prepared: Prepared, reference: Prepared, places: np.ndarray, shared: np.ndarray, config: SplitConfig
) -> Prepared:
    """The same store divided as the reference is, on the places that all stores have.

    Args:
        places: (tiles,) number of the reference's place of each tile.
        shared: as `shared_places` gives them.

    Raises:
        ConfigError: a split would be empty.
        LabelError: a split lacks labels.
    """
    tiles, reference_split = prepared.store.tiles, reference.split
    found = {
        name: np.flatnonzero(
            np.isin(places, np.intersect1d(reference_split.places[reference_split.tiles[name]], shared))
        )
        for name in SPLITS
    }
    if config.buffer_m:
        test = [tiles[index] for index in found["test"]]
        is_near = near([tiles[index] for index in found["train"]], test, config.buffer_m)
        found["train"] = found["train"][~is_near]
    empty = [name for name in SPLITS if not len(found[name])]
    if empty:
        raise ConfigError(
            f"The places that all stores share leave none for {' and '.join(empty)}. Extract the same scenes and region."
        )
    touching = touching_share(tiles, found["test"], found["train"])
    split = Split(found, places, prepared.split.left_out, touching, leaks_of(tiles, found))
    prepared.task.require_labels(labels_of_splits(prepared.store, prepared.truth, found))
    return dataclasses.replace(prepared, split=split)


def apart_from(prepared: Prepared, others: Sequence[Prepared], config: SplitConfig) -> tuple[Prepared, int]:
    """A store of the matrix, divided so that no decoder is tested on ground that it learned from, and how many tiles that costs.

    Where it covers the ground of the first of the others it is divided as that one is, also at another time. Else it keeps
    its own division, without the tiles that share ground with another split of the others.

    Raises:
        ConfigError: nothing is left of a split.
        LabelError: a split lacks labels.
    """
    first = others[0]
    try:
        places = matched_places(first, prepared, config, at_any_time=True)
    except StoreError:
        return _without_shared_ground(prepared, others)
    return aligned(prepared, first, places, np.unique(first.split.places), config), int((places < 0).sum())


def _without_shared_ground(prepared: Prepared, others: Sequence[Prepared]) -> tuple[Prepared, int]:
    tiles, found = prepared.store.tiles, dict(prepared.split.tiles)
    for name, own in prepared.split.tiles.items():
        theirs = [
            one.store.tiles[index]
            for one in others
            for split, chosen in one.split.tiles.items()
            if split != name
            for index in chosen
        ]
        found[name] = own[~overlapping([tiles[index] for index in own], theirs)]
    empty = [name for name in SPLITS if not len(found[name])]
    if empty:
        raise ConfigError(
            f"{prepared.store.folder} lies on the ground of the other stores so that no tile is left for "
            f"{' and '.join(empty)}: each would be taught on ground that another is tested on. Extract the same region for "
            f"all, or regions that share nothing."
        )
    left_out = sum(len(own) - len(found[name]) for name, own in prepared.split.tiles.items())
    prepared.task.require_labels(labels_of_splits(prepared.store, prepared.truth, found))
    split = dataclasses.replace(prepared.split, tiles=found, leaks=leaks_of(tiles, found))
    return dataclasses.replace(prepared, split=split), left_out


def _boxes(prepared: Prepared, config: SplitConfig, has_time: bool) -> tuple[np.ndarray, list[str]]:
    """The bounds of each place in lon/lat, and what else tells places apart."""
    tiles, places = prepared.store.tiles, prepared.split.places
    around = bounds_lonlat(tiles)
    count = int(places.max()) + 1
    boxes = np.array([shapely.box(*_around(around[places == place])) for place in range(count)])
    length = {"date": 10, "fire": 4}.get(config.by, 0) if has_time else 0
    keys = [_time(tiles, np.flatnonzero(places == place), length) if length else "" for place in range(count)]
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

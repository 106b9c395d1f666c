"""Groups of ground between which decoders travel: parts of the ground, dates, sensors, levels or stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import ConfigError, LabelError
from engine.jobs.configuration.leaderboard import Travel
from engine.learning.dataset import labels_of_splits
from engine.learning.leaderboard.entries import Entry, are_read_alike
from engine.learning.leaderboard.same_ground import bounds_lonlat
from engine.learning.splits.split import SPLITS
from engine.store.schema import StoredTile
from engine.store.store import ENCODER

# A part of the ground needs places for three splits: fewer places are cut in two, more in four.
_FOR_FOUR = 24
_MOST_DATES = 6


@dataclass(frozen=True)
class Group:
    """Tiles of one store.

    Attributes:
        number: among all groups.
        by: what the groups of its matrix differ in.
        store: number of its store.
        tiles: indices into the store's tiles, by split.
        taught_as: number of the group whose decoders learn from these tiles: its own, or an earlier one's of the same tiles;
            None: those tiles are all of a store on the board, whose rows learn from them.
    """

    number: int
    by: Travel
    store: int
    title: str
    tiles: dict[str, np.ndarray]
    taught_as: int | None


def groups_of(entries: Sequence[Entry], travels: Sequence[Travel]) -> tuple[list[Group], list[str]]:
    """The groups of all stores, matrix after matrix, and what is to be said of those that were left out.

    Raises:
        ConfigError: there are not two groups between which a decoder could travel.
    """
    found: list[Group] = []
    notes: list[str] = []
    for travel in travels:
        _add_groups(entries, travel, found, notes)
    return found, notes


def _add_groups(entries: Sequence[Entry], travel: Travel, found: list[Group], notes: list[str]) -> None:
    """Add the groups of one matrix."""
    first, left_out = len(found), len(notes)
    for number, entry in enumerate(entries):
        titles = _titles(entry, travel)
        for title in sorted(set(titles)):
            own = np.flatnonzero(np.array([one == title for one in titles]))
            tiles = {
                name: chosen[np.isin(chosen, own)] for name, chosen in entry.prepared.split.tiles.items()
            }
            lacking = _lacking(entry, tiles)
            if lacking:
                notes.append(f"The {travel} {title} of {entry.title} is left out of the matrix: {lacking}")
            else:
                same = _taught_as(entry, number, tiles, found)
                found.append(Group(len(found), travel, number, title, tiles, same))
    made = found[first:]
    if not any(len(within_reach(entries, made, one.store, travel)) > 1 for one in made):
        raise ConfigError(
            f"travel: {travel} finds no two groups that a decoder could travel between: there "
            f"{'is' if len(made) == 1 else 'are'} {len(made)} group(s) of {len(entries)} store(s). Name more stores of the same "
            f"backbone under travel_stores, or choose another travel. {' '.join([*_drawn(entries), *notes[left_out:]])}".rstrip()
        )


def _drawn(entries: Sequence[Entry]) -> Iterator[str]:
    """What to do where stores of one backbone have weights of their own, drawn from their own scenes."""
    first = next((one.store for one in entries if (one.store.folder / ENCODER).is_file()), None)
    if first is not None and len(entries) > 1:
        yield (
            f"The weights of {first.meta.backbone} are drawn from the scenes, and decoders travel between stores of the same "
            f"weights: extract the others with backbone.weights: {first.folder / ENCODER}."
        )


def _taught_as(
    entry: Entry, store: int, tiles: Mapping[str, np.ndarray], groups: Sequence[Group]
) -> int | None:
    """Number of the group whose decoders learn from these tiles; None: the rows of the board do."""
    whole = entry.prepared.split.tiles
    if entry.is_on_board and all(len(tiles[name]) == len(whole[name]) for name in SPLITS):
        return None
    same = (
        one.number
        for one in groups
        if one.store == store and all(np.array_equal(one.tiles[name], tiles[name]) for name in SPLITS)
    )
    return next(same, len(groups))


def within_reach(
    entries: Sequence[Entry], groups: Sequence[Group], store: int, by: Travel | None = None
) -> list[Group]:
    """The groups on which decoders of a store can be tested: of the store itself, and of those that are read alike.

    Args:
        by: of this matrix alone; None: of all.
    """
    return [
        group
        for group in groups
        if by in (None, group.by)
        and (group.store == store or are_read_alike(entries[store], entries[group.store]))
    ]


def _titles(entry: Entry, travel: Travel) -> list[str]:
    """The group of each tile."""
    tiles, meta = entry.store.tiles, entry.store.meta
    match travel:
        case "sensor":
            return [meta.sensor or "sensor not stated"] * len(tiles)
        case "level":
            return [meta.level or "level not stated"] * len(tiles)
        case "date":
            return _dates(tiles)
        case "place":
            return _parts(tiles, entry.prepared.split.places)
        case _:
            return [entry.title] * len(tiles)


def _dates(tiles: Sequence[StoredTile]) -> list[str]:
    """Months of the tiles' last dates; quarters, then years, where there would be too many."""
    days = [max((date[:10] for date in tile.datetimes if date), default="") for tile in tiles]
    for word in (_month, _quarter):
        if len({word(day) for day in days}) <= _MOST_DATES:
            return [word(day) for day in days]
    return [day[:4] or "date not stated" for day in days]


def _month(day: str) -> str:
    return day[:7] or "date not stated"


def _quarter(day: str) -> str:
    return f"{day[:4]} quarter {(int(day[5:7]) + 2) // 3}" if day else "date not stated"


def _parts(tiles: Sequence[StoredTile], places: np.ndarray) -> list[str]:
    """North and south by the middle place, and each west and east by its own, where there are enough places."""
    bounds = bounds_lonlat(tiles)
    numbers = np.unique(places)
    centres = np.array(
        [(bounds[places == one, :2] + bounds[places == one, 2:]).mean(axis=0) / 2 for one in numbers]
    )
    is_north = _upper_half(centres[:, 1])
    titles = np.where(is_north, "north", "south").astype(object)
    if len(numbers) >= _FOR_FOUR:
        for half in (is_north, ~is_north):
            is_east = _upper_half(centres[half, 0])
            titles[half] = [
                f"{title}-{'east' if east else 'west'}"
                for title, east in zip(titles[half], is_east, strict=True)
            ]
    of_place = dict(zip(numbers.tolist(), titles.tolist(), strict=True))
    return [of_place[place] for place in places.tolist()]


def _upper_half(values: np.ndarray) -> np.ndarray:
    """(N,) bool: the larger half, ties in the order that they come in."""
    order = np.argsort(values, kind="stable")
    found = np.zeros(len(values), bool)
    found[order[len(values) // 2 :]] = True
    return found


def _lacking(entry: Entry, tiles: dict[str, np.ndarray]) -> str:
    """Why a group cannot be learned from or tested on; empty where it can."""
    empty = [name for name in SPLITS if not len(tiles[name])]
    if empty:
        return f"it has no place for {' and '.join(empty)}."
    prepared = entry.prepared
    try:
        prepared.task.require_labels(labels_of_splits(prepared.store, prepared.truth, tiles))
    except LabelError as err:
        return str(err).partition(". ")[0].lower() + "."
    return ""

"""One division into training, validation and test of the labelled ground that several stores share, pixel by pixel.

The pixels of the first store are the pixels that all are judged on: those with a label there and an embedding in every store.
A pixel of another store learns from the label that the first store has at its middle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from engine.errors import ConfigError
from engine.jobs.configuration.config import LossConfig, SplitConfig
from engine.labels.patches import to_patches, to_pixels
from engine.learning.dataset import labels_of_splits, spans_of
from engine.learning.preparation import Prepared
from engine.learning.splits.neighbours import near, overlapping
from engine.learning.splits.split import SPLITS, Split, leaks_of, split_tiles, touching_share
from engine.store.pixels_at import Found, TilesByCrs

Pixels = Mapping[int, np.ndarray]
"""By the number of a tile, what each of its pixels has, row-major."""


@dataclass(frozen=True)
class Judged:
    """The pixels of one test tile that are judged.

    Attributes:
        pixels: (n,) numbers of the tile's pixels, row-major; one may stand several times.
        truth: (n,) labels there, those of the first store.
    """

    pixels: np.ndarray
    truth: np.ndarray


@dataclass(frozen=True)
class Divided:
    """A store on the shared ground.

    Attributes:
        judged: by the number of a test tile; None: all labels of its own pixels, as of the first store.
    """

    prepared: Prepared
    judged: Mapping[int, Judged] | None


def divided(stores: Sequence[Prepared], config: SplitConfig, loss: LossConfig) -> list[Divided]:
    """The stores with one division of the ground that they share, and with the labels of the first.

    Raises:
        ConfigError: they share no labelled ground, or too few places of it.
        LabelError: a split lacks labels.
    """
    first, others = stores[0], stores[1:]
    truth = _pixels_of(first, _of_last_dates(first))
    found = [_matched(first, one, truth) for one in others]
    valid = [_valid_pixels(one) for one in others]
    shared = {tile: _shared(tile, own, first, found, valid) for tile, own in truth.items()}
    there = [tile for tile, own in shared.items() if own.any()]
    if not there:
        raise ConfigError(
            f"{first.store.folder} has no label on ground that all stores have. Choose stores and labels of the same ground."
        )
    split = _divide(first, there, config)
    places = [_places_of(one, split.places, match, shared) for one, match in zip(others, found, strict=True)]
    for match, own in zip(found, places, strict=True):
        for tile in there:
            shared[tile] &= own[match[tile].tiles] == split.places[tile]
    kept = [tile for tile in there if shared[tile].any()]
    split = _of_tiles(split, kept)
    labels = {tile: np.where(shared[tile], truth[tile], _missing(first)) for tile in kept}
    return [
        Divided(_with(first, split, _rows(first, labels), loss), None),
        *(
            _other(one, own, match, split, first, labels, config, loss)
            for one, own, match in zip(others, places, found, strict=True)
        ),
    ]


def earlier_dates(first: Prepared) -> int:
    """How many tiles of the first store have a later date on their ground, and are left out."""
    return len(first.store.tiles) - len(_of_last_dates(first))


def _of_last_dates(first: Prepared) -> list[int]:
    """Numbers of the tiles of a store without those whose ground a later date has: labels tell of one state of the ground."""
    tiles = first.store.tiles
    dates = [max((date for date in tile.datetimes if date), default="") for tile in tiles]
    order = sorted(range(len(tiles)), key=lambda number: dates[number])
    later: dict[str, list[int]] = {}
    for number in order:
        later.setdefault(dates[number], []).append(number)
    kept = list[int]()
    for date in sorted(later, reverse=True):
        own = later[date]
        covered = overlapping([tiles[number] for number in own], [tiles[number] for number in kept])
        kept += [number for number, is_covered in zip(own, covered, strict=True) if not is_covered]
    return sorted(kept)


def _pixels_of(first: Prepared, tiles: Sequence[int]) -> dict[int, np.ndarray]:
    """Labels of the pixels of some tiles."""
    spans = spans_of(first.store)
    return {tile: to_pixels(first.truth[spans[tile].rows], spans[tile].tile).ravel() for tile in tiles}


def _matched(first: Prepared, other: Prepared, truth: Pixels) -> dict[int, Found]:
    """For the pixels of each tile of the first store, what another store has there.

    Raises:
        ConfigError: the other store has several dates of one ground.
    """
    tiles = other.store.tiles
    _require_one_date(other)
    by_crs = TilesByCrs(tiles, range(len(tiles)))
    return {tile: by_crs.at(first.store.tiles[tile]) for tile in truth}


def _require_one_date(other: Prepared) -> None:
    tiles = other.store.tiles
    days = sorted({max((date[:10] for date in tile.datetimes if date), default="") for tile in tiles})
    by_day = [
        [tile for tile in tiles if max((date[:10] for date in tile.datetimes if date), default="") == day]
        for day in days
    ]
    for number, own in enumerate(by_day):
        if overlapping(own, [tile for theirs in by_day[:number] for tile in theirs]).any():
            raise ConfigError(
                f"{other.store.folder} has {len(days)} dates of the same ground, and nothing tells which of them the labels are "
                f"of. Bring one year of a product (import --year), extract one date, or name this store first."
            )


def _valid_pixels(one: Prepared) -> list[np.ndarray]:
    """For each tile, (pixels,) bool: where the patch has an embedding."""
    valid, side = one.store.read_valid_fraction() > 0, one.store.meta.patch_px
    return [
        to_pixels(np.repeat(valid[span.rows, None], side * side, axis=1), span.tile).ravel()
        for span in spans_of(one.store)
    ]


def _shared(
    tile: int, truth: np.ndarray, first: Prepared, found: Sequence[Mapping[int, Found]], valid: Sequence[Sequence[np.ndarray]]
) -> np.ndarray:  # fmt: skip
    """(pixels,) bool: which pixels of a tile have a label, and an embedding in every store."""
    is_shared = first.task.is_known(torch.from_numpy(truth)).numpy()
    for match, own in zip(found, valid, strict=True):
        at = match[tile]
        is_shared &= at.tiles >= 0
        for number in np.unique(at.tiles[is_shared]).tolist():
            here = np.flatnonzero(at.tiles == number)
            is_shared[here] &= own[number][at.pixels[here]]
    return is_shared


def _divide(first: Prepared, there: Sequence[int], config: SplitConfig) -> Split:
    """A division of some tiles of a store; the others belong to no place (-1)."""
    try:
        own = split_tiles([first.store.tiles[tile] for tile in there], config, config.seed or 0)
    except ConfigError as err:
        raise ConfigError(
            f"The stores share labelled ground on {len(there)} of the {len(first.store.tiles)} tiles of {first.store.folder}, which are too "
            f"few to learn from some, choose by others and test on others. Bring stores that share more ground, or divide by smaller places "
            f"(training.split.by: block, block_m)."
        ) from err
    numbers, places = np.array(there), np.full(len(first.store.tiles), -1)
    places[numbers] = own.places
    tiles = {name: numbers[chosen] for name, chosen in own.tiles.items()}
    return replace(own, tiles=tiles, places=places)


def _places_of(other: Prepared, places: np.ndarray, match: Mapping[int, Found], shared: Pixels) -> np.ndarray:
    """(tiles,) place of each tile of another store: the one that most of its shared pixels belong to; -1 of none."""
    votes = np.zeros((len(other.store.tiles), int(places.max()) + 1), np.int64)
    for tile, is_shared in shared.items():
        if places[tile] >= 0:
            votes[:, places[tile]] += np.bincount(match[tile].tiles[is_shared], minlength=len(votes))
    return np.where(votes.any(axis=1), votes.argmax(axis=1), -1)


def _of_tiles(split: Split, kept: Sequence[int]) -> Split:
    """A division without some tiles.

    Raises:
        ConfigError: a split would be empty.
    """
    tiles = {name: own[np.isin(own, kept)] for name, own in split.tiles.items()}
    _require_all(tiles)
    return replace(split, tiles=tiles)


def _require_all(tiles: Mapping[str, np.ndarray]) -> None:
    empty = [name for name in SPLITS if not len(tiles[name])]
    if empty:
        raise ConfigError(
            f"The ground that all stores share leaves no place for {' and '.join(empty)}. Choose stores that share more ground, "
            f"or smaller places (training.split.by: block, block_m)."
        )


def _other(
    other: Prepared, places: np.ndarray, match: Mapping[int, Found], split: Split, first: Prepared, labels: Pixels,
    config: SplitConfig, loss: LossConfig,
) -> Divided:  # fmt: skip
    """Another store with the places and the labels of the first."""
    tiles = other.store.tiles
    found = {name: np.flatnonzero(np.isin(places, split.places[own])) for name, own in split.tiles.items()}
    if config.buffer_m:
        test = [tiles[index] for index in found["test"]]
        found["train"] = found["train"][
            ~near([tiles[index] for index in found["train"]], test, config.buffer_m)
        ]
    _require_all(found)
    back, own = TilesByCrs(first.store.tiles, list(labels)), dict[int, np.ndarray]()
    for index in np.concatenate(list(found.values())).tolist():
        at = back.at(tiles[index])
        own[index] = _looked_up(at, labels, split.places == places[index], _missing(first))
    touching = touching_share(tiles, found["test"], found["train"])
    own_split = Split(found, places, split.left_out, touching, leaks_of(tiles, found))
    judged = _judged(match, labels, split, found["test"], first)
    return Divided(_with(other, own_split, _rows(other, own), loss), judged)


def _looked_up(at: Found, labels: Pixels, is_of_place: np.ndarray, missing: float) -> np.ndarray:
    """Labels of the pixels of a tile, from the pixels of the first store; missing where these are of another place."""
    some = next(iter(labels.values()))
    found = np.full(len(at.tiles), missing, some.dtype)
    for number in np.unique(at.tiles[at.tiles >= 0]).tolist():
        if is_of_place[number]:
            here = at.tiles == number
            found[here] = labels[number][at.pixels[here]]
    return found


def _judged(
    match: Mapping[int, Found], labels: Pixels, split: Split, test: np.ndarray, first: Prepared
) -> dict[int, Judged]:  # fmt: skip
    """The pixels of the first store's test tiles, by the tile of another store that they lie in."""
    parts: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {int(index): [] for index in test}
    for tile in split.tiles["test"].tolist():
        at = match[tile]
        is_known = first.task.is_known(torch.from_numpy(labels[tile])).numpy()
        for number in np.unique(at.tiles[is_known]).tolist():
            here = is_known & (at.tiles == number)
            parts[number].append((at.pixels[here], labels[tile][here]))
    return {
        index: Judged(*(np.concatenate(part) for part in zip(*own, strict=True)))
        for index, own in parts.items()
        if own
    }


def _rows(one: Prepared, pixels: Pixels) -> np.ndarray:
    """(rows, L) labels in the order of a store; missing on tiles that are not named."""
    side, spans = one.store.meta.patch_px, spans_of(one.store)
    some = next(iter(pixels.values()))
    rows = np.full((one.store.rows, side * side), _missing(one), some.dtype)
    for tile, own in pixels.items():
        span = spans[tile]
        rows[span.rows] = to_patches(own.reshape(span.tile.height_px, span.tile.width_px), side)
    return rows


def _with(one: Prepared, split: Split, truth: np.ndarray, loss: LossConfig) -> Prepared:
    by_split = labels_of_splits(one.store, truth, split.tiles)
    one.task.require_labels(by_split)
    counts = {name: one.task.label_reading.counts_of(own) for name, own in by_split.items()}
    return replace(
        one, split=split, truth=truth, task=one.task.fitted(by_split["train"], loss), class_counts=counts
    )


def _missing(one: Prepared) -> float:
    return one.task.label_reading.missing_label

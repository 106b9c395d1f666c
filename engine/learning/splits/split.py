"""Train, validation and test split by place: whole places, never single patches.

A place is a group of chips that share ground, or a block of neighbouring tiles of a larger scene; chips, fires, squares
and dates may be asked for instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import ConfigError
from engine.jobs.configuration.config import SplitConfig
from engine.learning.splits.neighbours import near, overlapping
from engine.learning.splits.places import grouped, is_chip
from engine.store.schema import StoredTile

SPLITS = ("train", "validation", "test")
_STORED_NAMES = {"train": "train", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class Split:
    """Tiles by what they are used for.

    Attributes:
        tiles: indices into `store.tiles` for "train", "validation" and "test", ascending.
        places: (tiles,) number of the place that each tile of the store belongs to.
        left_out: training tiles that the buffer around the test tiles has taken out.
        touching: share of the test tiles that touch a training tile, 0 to 1.
        leaks: what the splits share that they should not, in words.
    """

    tiles: Mapping[str, np.ndarray]
    places: np.ndarray
    left_out: int
    touching: float
    leaks: tuple[str, ...] = ()

    def places_of(self, name: str) -> int:
        """Number of places of a split."""
        return len(np.unique(self.places[self.tiles[name]]))


def split_tiles(tiles: Sequence[StoredTile], config: SplitConfig, seed: int) -> Split:
    """Divide the tiles of a store into training, validation and test.

    By files: the split that each scene came with; tiles without one are left out. By place: chips that share
    ground stay together, tiles of a large scene are joined to blocks, and places are drawn at random. By date: the latest
    dates test, those before validate. Otherwise groups as `places.grouped` makes them are drawn at random.

    Args:
        seed: of the draw where `config.seed` is null.

    Raises:
        ConfigError: a split would be empty.
    """
    places = grouped(tiles, config)
    has_files = any(tile.split for tile in tiles)
    if config.by == "files" or (config.by == "auto" and has_files):
        stored = [_STORED_NAMES.get(tile.split or "") for tile in tiles]
        found = {name: np.array([i for i, own in enumerate(stored) if own == name], int) for name in SPLITS}
        step = "Complete splits/train.txt, val.txt and test.txt beside the chips, or set split.by: place."
    else:
        chance = np.random.default_rng(seed if config.seed is None else config.seed)
        count = int(places.max(initial=-1)) + 1
        order = np.arange(count)[::-1] if config.by == "date" else chance.permutation(count)
        found = _draw(places, config, order)
        step = "Extract a larger region, smaller tiles (tiles.size_px) or more scenes, so that there are three places or more."
    before = len(found["train"])
    if config.buffer_m:
        found["train"] = _beyond(tiles, found["train"], found["test"], config.buffer_m)
        step = f"{step} Or choose a smaller split.buffer_m." if before > len(found["train"]) else step
    empty = [name for name in SPLITS if not len(found[name])]
    if empty:
        raise ConfigError(
            f"The {len(tiles)} tile(s) leave none for {' and '.join(empty)}. Training, validation and test need one "
            f"place each. {step}"
        )
    touching = touching_share(tiles, found["test"], found["train"])
    return Split(found, places, before - len(found["train"]), touching, leaks_of(tiles, found))


def leaks_of(tiles: Sequence[StoredTile], split: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """What validation and test share with training: ground, or a scene that is cut into tiles."""
    found = []
    for name in ("validation", "test"):
        own = [tiles[index] for index in split[name]]
        train = [tiles[index] for index in split["train"]]
        on_one_ground = int(overlapping(own, train).sum())
        if on_one_ground:
            found.append(
                f"{on_one_ground} of the {len(own)} {name} tiles share ground with a training tile: their scores tell how "
                f"well it was remembered. Divide by place."
            )
        scenes = {scene for tile in train if is_chip(tile) for scene in tile.scene_ids}
        shared = sum(1 for tile in own if is_chip(tile) and scenes & set(tile.scene_ids))
        if shared and not on_one_ground:
            found.append(
                f"{shared} of the {len(own)} {name} tiles are of a chip that also trains. Divide by place or chip."
            )
    return tuple(found)


def touching_share(tiles: Sequence[StoredTile], test: Iterable[int], train: Iterable[int]) -> float:
    """Share of the test tiles that touch or overlap a training tile, 0 to 1."""
    touches = near([tiles[index] for index in test], [tiles[index] for index in train], 0.0)
    return float(touches.mean()) if len(touches) else 0.0


def _beyond(
    tiles: Sequence[StoredTile], train: np.ndarray, test: np.ndarray, distance_m: float
) -> np.ndarray:
    """Training tiles that lie farther than a distance from every test tile."""
    return train[~near([tiles[index] for index in train], [tiles[index] for index in test], distance_m)]


def _draw(places: np.ndarray, config: SplitConfig, order: np.ndarray) -> dict[str, np.ndarray]:
    """Tile indices of each split.

    Args:
        order: the places: the first ones test, the next ones validate, the others train.
    """
    count = len(order)
    n_test = max(1, round(config.test * count))
    n_validation = max(1, round(config.validation * count))
    drawn = {
        "test": order[:n_test],
        "validation": order[n_test : n_test + n_validation],
        "train": order[n_test + n_validation :],
    }
    return {name: np.flatnonzero(np.isin(places, chosen)) for name, chosen in drawn.items()}

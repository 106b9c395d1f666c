"""The places of a simulated season: which split each is in, and a few of them out of a season that holds more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from engine.imagery.season_version import version_note
from engine.imagery.simulation.land.landscape_kinds import landscape_kind_of
from engine.imagery.simulation.location import MOST_CHIPS

SHARE_OF_TEST = SHARE_OF_VAL = 9 / 48
_ENDING = "_merged.tif"


def split_places(seed: int, chips: int) -> dict[str, list[int]]:
    """Chip numbers of train, val and test: every chip in one split, each kind of landscape in all of them."""
    rng = np.random.default_rng([seed, MOST_CHIPS])
    shuffled = rng.permutation(chips)
    turn: dict[str, int] = {}
    ranked: list[tuple[int, str, int]] = []
    for index in shuffled.tolist():
        landscape_kind = landscape_kind_of(index)
        ranked.append((turn.setdefault(landscape_kind, 0), landscape_kind, index))
        turn[landscape_kind] += 1
    order = [index for _, _, index in sorted(ranked)]
    test = max(1, round(chips * SHARE_OF_TEST))
    val = max(1, round(chips * SHARE_OF_VAL))
    return {
        "train": sorted(order[test + val :]),
        "val": sorted(order[test : test + val]),
        "test": sorted(order[:test]),
    }


def splits_of_first(folder: Path, seed: int, chips: int) -> Mapping[str, str] | None:
    """Stem -> split of the first places of a season, split as if they were all that was made.

    A chip depends on its seed and its number alone, so the first places of a larger season are those of a smaller one.

    Returns:
        None where the folder lacks one of them, or was simulated by another version.
    """
    stems = {int(stem[-3:]): stem for stem in _stems(folder / "data") if stem[-3:].isdecimal()}
    if not set(range(chips)) <= stems.keys() or version_note(folder):
        return None
    return {stems[index]: name for name, indexes in split_places(seed, chips).items() for index in indexes}


def _stems(folder: Path) -> list[str]:
    return [path.name.removesuffix(_ENDING) for path in folder.glob(f"*{_ENDING}")]

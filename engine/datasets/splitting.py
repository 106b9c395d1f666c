"""Train, validation and test: fires are drawn as wholes, so that no ground and no fire is in two of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from engine.connected import connected, gathered
from engine.datasets.records import ChipRecord, FireRecord
from engine.jobs.configuration.dataset import DatasetSplitsConfig

SPLITS = ("train", "val", "test")


def divided(records: Sequence[FireRecord], config: DatasetSplitsConfig) -> tuple[dict[str, list[str]], str]:
    """Stems of each split, and what is to be said of the division; "" where there is nothing.

    Of fewer than three fires chips are divided by place, from west to east, as neighbours then share a border only.
    """
    groups = _groups([list(record.chips) for record in records if record.chips])
    note = ""
    wanted = sum(1 for share in (config.validation, config.test) if share > 0) + 1
    if len(groups) < wanted:
        chips = sorted(
            (chip for group in groups for chip in group), key=lambda one: (one.bounds_lonlat[0], one.stem)
        )
        groups = [[chip] for chip in chips]
        note = (
            f"{wanted} splits cannot be filled with whole fires, so chips are divided from west to east: "
            f"training and test are of the same fires, and scores on them are better than elsewhere."
        )  # fmt: skip
        order = list(range(len(groups)))
    else:
        order = np.random.default_rng(config.seed).permutation(len(groups)).tolist()
    found = _filled([groups[index] for index in order], config)
    if len(groups) < wanted:
        note = f"{len(groups)} chip(s) fill {sum(map(bool, found.values()))} of {wanted} splits. Use more fires, or give split files."
    return found, note


def _groups(fires: Sequence[list[ChipRecord]]) -> list[list[ChipRecord]]:
    """Chips that are never divided: those of a fire, and of fires whose chips share ground."""
    own = [number for number, chips in enumerate(fires) for _ in chips]
    boxes = [shapely.box(*chip.bounds_lonlat) for chips in fires for chip in chips]
    pairs = shapely.STRtree(boxes).query(boxes, predicate="intersects")
    groups = gathered(fires, connected(len(fires), np.array(own, int)[pairs]))
    return [[chip for chips in group for chip in chips] for group in groups]


def _filled(groups: Sequence[list[ChipRecord]], config: DatasetSplitsConfig) -> dict[str, list[str]]:
    """Groups given to test and validation until each has its share, then to training; each gets one at least."""
    total = sum(map(len, groups))
    found: dict[str, list[str]] = {name: [] for name in SPLITS}
    left = list(groups)
    for name, share in (("test", config.test), ("val", config.validation)):
        while share > 0 and len(left) > 1 and len(found[name]) < max(1, round(share * total)):
            fits = [one for one in left if len(found[name]) + len(one) <= max(1, round(1.5 * share * total))]
            taken = fits[0] if fits else min(left, key=len)
            if found[name] and not fits:
                break
            left.remove(taken)
            found[name] += [chip.stem for chip in taken]
    found["train"] = [chip.stem for group in left for chip in group]
    return {name: sorted(stems) for name, stems in found.items()}

"""Test tiles put together where they lie, so that scars and distances do not end at the border of a tile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.learning.truth import LabelledTile

# A canvas is not made larger than this: tiles of one place that lie far apart are looked at one by one.
_MOST_PIXELS = 64_000_000
_ALIGNED = 1e-3  # of a pixel


def canvases(
    tiles: Sequence[LabelledTile], maps: Mapping[str, Mapping[str, np.ndarray]], missing: int
) -> list[dict[str, np.ndarray]]:
    """Truth and maps of tiles that lie on one pixel grid, pasted together.

    Args:
        tiles: of one place.
        maps: what else is wanted, each by tile id, (height_px, width_px).
        missing: value of ground that no tile covers.

    Returns:
        Canvases (H, W) by name, "truth" among them; one for each date and grid.
    """
    groups: dict[tuple[object, ...], list[LabelledTile]] = {}
    for one in tiles:
        a, b, c, d, e, f = one.tile.transform
        own = (c / a % 1, f / e % 1)
        key = (
            one.tile.crs,
            one.tile.datetimes,
            a,
            b,
            d,
            e,
            *(round(value / _ALIGNED) % round(1 / _ALIGNED) for value in own),
        )
        groups.setdefault(key, []).append(one)
    return [canvas for group in groups.values() for canvas in _pasted(group, maps, missing)]


def _pasted(
    group: Sequence[LabelledTile], maps: Mapping[str, Mapping[str, np.ndarray]], missing: int
) -> list[dict[str, np.ndarray]]:
    a, _, _, _, e, _ = group[0].tile.transform
    lefts = [round(one.tile.transform[2] / a) for one in group]
    tops = [round(one.tile.transform[5] / e) for one in group]
    width = max(left + one.tile.width_px for left, one in zip(lefts, group, strict=True)) - min(lefts)
    height = max(top + one.tile.height_px for top, one in zip(tops, group, strict=True)) - min(tops)
    if len(group) > 1 and width * height > _MOST_PIXELS:
        return [canvas for one in group for canvas in _pasted([one], maps, missing)]
    made = {name: np.full((height, width), missing, np.int16) for name in ("truth", *maps)}
    for left, top, one in zip(lefts, tops, group, strict=True):
        rows = slice(top - min(tops), top - min(tops) + one.tile.height_px)
        columns = slice(left - min(lefts), left - min(lefts) + one.tile.width_px)
        made["truth"][rows, columns] = one.pixels
        for name, own in maps.items():
            made[name][rows, columns] = own[one.tile.id]
    return [made]

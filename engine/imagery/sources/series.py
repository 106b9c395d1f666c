"""What scenes of one place on several dates need: dates that differ, one grid, and words for gaps in time."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median_low

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from engine.errors import SceneError
from engine.imagery.geobox import bounds_of, transform_bounds
from engine.imagery.scene import Scene

MOST_DATES = 64
# An interval this many times the usual one is told as a gap.
_GAP = 1.5
# Pixels of two grids lie on each other within this share of a pixel.
_SAME_PX = 1e-3
# A rectangle around all dates that is larger than theirs together by this factor is of several places.
_APART = 4.0


def is_series(scenes: Sequence[Scene]) -> bool:
    """Whether scenes, which do not fill one another, are dates of one place on one grid."""
    if any(scene.is_chip for scene in scenes):
        return False
    return len({scene.datetime for scene in scenes}) > 1 and len({scene.grid for scene in scenes}) == 1


def within(when: dt.datetime, dates: tuple[dt.date, dt.date] | None) -> bool:
    """Whether a time lies in the days that are asked for, both counted."""
    return dates is None or dates[0] <= when.date() <= dates[1]


def require_few(where: str, times: Sequence[dt.datetime], found: int) -> None:
    """Refuse a series without a date, or with more than are read at once.

    Args:
        times: all that there are, the first one first.
        found: how many of them are asked for.

    Raises:
        SceneError: none, or too many.
    """
    span = f"{times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}"
    if not found:
        raise SceneError(f"{where} has no date in scene.dates; it holds {span}. Choose other days.")
    if found > MOST_DATES:
        raise SceneError(
            f"{where} has {found} dates ({span}), and at most {MOST_DATES} are read at once. "
            f"Set scene.dates to the first and the last day."
        )


def by_date(scenes: Sequence[Scene]) -> list[Scene]:
    """Scenes of one place, the first date first.

    Raises:
        SceneError: one without a date, or two of one time.
    """
    for scene in scenes:
        if scene.datetime is None:
            raise SceneError(
                f"{scene.paths[0].name} has no date in its name or its tags, and a series is told apart by dates. "
                f"Name it like {scene.paths[0].stem}_2023-07-01{scene.paths[0].suffix}."
            )
    ordered = sorted(scenes, key=lambda one: (one.datetime or dt.datetime.min, one.id))
    for first, second in pairwise(ordered):
        if first.datetime == second.datetime:
            raise SceneError(
                f"{first.paths[0].name} and {second.paths[0].name} are both of {first.datetime:%Y-%m-%d %H:%M}, and a series has "
                f"one image a date. Leave one out, or set scene.source: files to let them fill one another."
            )
    return ordered


def on_one_grid(scenes: Sequence[Scene]) -> tuple[list[Scene], tuple[str, ...]]:
    """The same scenes on the pixels of the finest of them (of several, the first), around the ground of all; and what changed.

    Raises:
        SceneError: they lie apart, and are no series of one place.
    """
    if all(scene.grid == scenes[0].grid for scene in scenes):
        return list(scenes), ()
    reference = min(scenes, key=lambda one: round(one.gsd_m, 6)).grid
    others = [scene for scene in scenes if not _same_pixels(reference, scene.grid)]
    inner = None if others else _without_frame(reference, [scene.grid for scene in scenes])
    if inner is not None:
        note = "Some dates lack an outermost line of pixels that others have: it is left out of all."
        return [replace(scene, grid=inner) for scene in scenes], (note,)
    whole = _around(reference, [scene.grid for scene in scenes])
    ground = sum(scene.area_km2 for scene in scenes)
    if abs(whole.transform.a * whole.transform.e) * math.prod(whole.shape) / 1e6 > _APART * ground:
        raise SceneError(
            f"{scenes[0].title} has dates that lie apart, and a series is of one place. Choose those of one place, or set "
            f"scene.source: files."
        )
    notes = []
    if others:
        named = ", ".join(f"{one.datetime:%Y-%m-%d}" for one in others[:4] if one.datetime)
        more = f" and {len(others) - 4} more" if len(others) > 4 else ""
        notes.append(
            f"The dates lie on different grids: {named}{more} resampled to the pixels of {abs(reference.transform.a):g} m of the others."
        )
    if any(bounds_of(scene.grid) != bounds_of(scenes[0].grid) for scene in scenes):
        notes.append(
            "The dates cover different ground: what one of them does not show is a gap on that date."
        )
    return [replace(scene, grid=whole) for scene in scenes], tuple(notes)


def _same_pixels(grid: GeoBox, other: GeoBox) -> bool:
    if grid.crs != other.crs:
        return False
    here, there = grid.transform, other.transform
    columns, rows = ~here @ (there.c, there.f)
    most = max(*grid.shape, *other.shape)
    off = max(abs(columns - round(columns)), abs(rows - round(rows)))
    stretch = max(abs(here.a - there.a), abs(here.e - there.e)) * most / abs(here.a)
    return off < _SAME_PX and stretch < _SAME_PX


def _without_frame(reference: GeoBox, grids: Sequence[GeoBox]) -> GeoBox | None:
    """The pixels that all grids have, where they differ by no more than an outermost line on each side; else None.

    A line that was left out of one date, such as one that was averaged with nothing, would come back with the ground of all.
    """
    boxes = []
    for grid in grids:
        left, top = (round(at) for at in ~reference.transform @ (grid.transform.c, grid.transform.f))
        boxes.append((left, top, left + grid.shape[1], top + grid.shape[0]))
    sides = np.array(boxes)
    if (sides.max(axis=0) - sides.min(axis=0)).max() > 1:
        return None
    left, top = sides[:, :2].max(axis=0).tolist()
    right, bottom = sides[:, 2:].min(axis=0).tolist()
    return GeoBox(
        (bottom - top, right - left), reference.transform @ Affine.translation(left, top), reference.crs
    )


def _around(reference: GeoBox, grids: Sequence[GeoBox]) -> GeoBox:
    """The pixels of a grid continued over the ground of all."""
    corners = []
    for grid in grids:
        bounds = bounds_of(grid) if grid.crs == reference.crs else transform_bounds(grid, str(reference.crs))
        corners += [
            ~reference.transform @ (bounds[0], bounds[3]),
            ~reference.transform @ (bounds[2], bounds[1]),
        ]
    left, top = (math.floor(min(corner[axis] for corner in corners) + _SAME_PX) for axis in (0, 1))
    right, bottom = (math.ceil(max(corner[axis] for corner in corners) - _SAME_PX) for axis in (0, 1))
    return GeoBox(
        (bottom - top, right - left), reference.transform @ Affine.translation(left, top), reference.crs
    )


def gaps_told(where: str, times: Sequence[dt.datetime | None]) -> Iterator[str]:
    """Intervals of a series that are much longer than usual, in words.

    Args:
        times: the first one first.
    """
    known = [when for when in times if when is not None]
    days = [(later - earlier).total_seconds() / 86_400 for earlier, later in pairwise(known)]
    if len(days) < 2:
        return
    usual = median_low(days)
    long = [
        f"{earlier:%Y-%m-%d} and {later:%Y-%m-%d}"
        for (earlier, later), interval in zip(pairwise(known), days, strict=True)
        if interval > _GAP * usual
    ]
    if long:
        yield f"{where}: dates are about {usual:.3g} days apart, and there is none between {'; '.join(long[:5])}."

"""How many tiles a plan may have, and how many pixels a tile: refused before the tiles are listed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import shapely
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from engine.errors import ConfigError
from engine.imagery.geobox import area_in_crs
from engine.imagery.region import Region
from engine.imagery.scene import Scene
from engine.imagery.tiles.windows import Tiling

# A list of so many takes minutes and about 2 GB; a Sentinel-2 scene in tiles of 16 px has half of it.
MOST_TILES = 1_000_000
# Pixels of a tile along a side: six bands of float32 take 6 GB.
MOST_SIDE_PX = 16_384


def require_tiles_within_limits(
    scenes: Sequence[Scene], region: Region | None, tiling: Tiling, overlaps: bool
) -> None:
    """Refuse a ground sampling distance that leaves no pixel of a chip, and more or larger tiles than can be planned.

    Args:
        overlaps: scenes of one CRS are cut together, over the rectangle around all of them.

    Raises:
        ConfigError: with the numbers.
    """
    for scene in scenes:
        if scene.is_chip:
            _require_pixels(scene, tiling)
    if tiling.size_px is None:
        return
    count = sum(_tile_counts(scenes, region, tiling, tiling.size_px, overlaps))
    if count > MOST_TILES:
        told = "" if tiling.gsd_m is None else f" at tiles.gsd_m {tiling.gsd_m:g}"
        raise ConfigError(
            f"These scenes would be cut into about {count:,} tiles{told}; at most {MOST_TILES:,} are planned. Choose "
            f"a coarser tiles.gsd_m, a larger tiles.size_px or a smaller region."
        )


def _require_pixels(chip: Scene, tiling: Tiling) -> None:
    """Refuse a chip of no pixels, or of more than a tile may have."""
    gsd_m = tiling.gsd_m or chip.gsd_m
    height, width = (round(side * chip.gsd_m / gsd_m) for side in (chip.height, chip.width))
    if min(height, width) == 0:
        raise ConfigError(
            f"tiles.gsd_m {gsd_m:g} leaves no pixel of {chip.id}, which has {chip.height} x {chip.width} px of "
            f"{chip.gsd_m:g} m. Choose {min(chip.height, chip.width) * chip.gsd_m:g} or less."
        )
    if tiling.size_px is None and max(height, width) > MOST_SIDE_PX:
        raise ConfigError(
            f"{chip.id} would be one tile of {height:,} x {width:,} px at {gsd_m:g} m; a side has at most "
            f"{MOST_SIDE_PX:,} px. Set tiles.size_px, or a coarser tiles.gsd_m."
        )


def _tile_counts(
    scenes: Sequence[Scene], region: Region | None, tiling: Tiling, size_px: int, overlaps: bool
) -> Iterator[int]:
    """Tiles of each ground, or a few more."""
    for crs, gsd_m, ground in _grounds(scenes, overlaps):
        area = ground
        if region is not None:
            area = area.intersection(box(*area_in_crs(region.polygon, crs).bounds))
        if area.is_empty:
            continue
        west, south, east, north = area.bounds
        side_m = tiling.kept_px(size_px) * (tiling.gsd_m or gsd_m)
        yield math.ceil((east - west) / side_m) * math.ceil((north - south) / side_m)


def _grounds(scenes: Sequence[Scene], overlaps: bool) -> Iterator[tuple[str, float, BaseGeometry]]:
    """CRS, ground sampling distance and rectangle of each scene, or of all scenes of a CRS together."""
    if not overlaps:
        yield from ((scene.crs, scene.gsd_m, box(*scene.bounds_m)) for scene in scenes)
        return
    for crs in dict.fromkeys(scene.crs for scene in scenes):
        own = [scene for scene in scenes if scene.crs == crs]
        together = shapely.union_all([box(*scene.bounds_m) for scene in own]).envelope
        yield crs, min(scene.gsd_m for scene in own), together

"""How the ground is cut into tiles for one backbone: the side of a row's ground, windows of whole patches, dates."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from engine.backbones.core.spec import BackboneSpec
from engine.errors import ConfigError, SceneError
from engine.extraction.neighbours import windows_that_see
from engine.imagery.region import Region
from engine.imagery.scene import Scene
from engine.imagery.tiles.tile_plan import cut, cut_best, in_rows
from engine.imagery.tiles.windows import PlannedTile, Tiling
from engine.jobs.configuration.config import ExtractConfig, TilesConfig

# Of latitude, at its smallest (at the equator, WGS 84), and the least share of it that a degree of longitude counts
# for: beyond 87 degrees a few tiles too many are looked at.
_METRES_A_DEGREE, _LEAST_COSINE = 110_574.0, 0.05


def cell_side_px(tiles: TilesConfig, spec: BackboneSpec, patch_px: int) -> int:
    """Side of a row's ground in pixels.

    Raises:
        ConfigError: a stride that does not divide the patch.
    """
    stride = tiles.stride_px or patch_px
    if stride > patch_px or patch_px % stride:
        fitting = ", ".join(str(side) for side in range(1, patch_px + 1) if patch_px % side == 0)
        raise ConfigError(
            f"tiles.stride_px {stride} does not divide the patch of {spec.name} ({patch_px} px). "
            f"Choose one of {fitting}."
        )
    return stride


def tiling_of(
    tiles: TilesConfig, spec: BackboneSpec, scenes: Sequence[Scene], patch_px: int, cell_px: int
) -> Tiling:
    """How the ground is cut, in whole patches of the encoder's coarsest stage.

    Raises:
        ConfigError: an overlap that leaves nothing of a tile.
    """
    size_px = tiles.size_px or (
        None if all(_is_seen_whole(scene, spec) for scene in scenes) else spec.chip_px
    )
    tiling = Tiling(
        size_px,
        patch_px=max(patch_px, max(spec.layer_strides, default=0)),
        overlap_px=tiles.overlap_px,
        reach_px=patch_px - cell_px,
        gsd_m=tiles.gsd_m,
        row_px=patch_px,
    )
    if size_px is not None and tiling.kept_px(size_px) <= 0:
        largest = tiling.whole(size_px) // 2 // tiling.patch_px * tiling.patch_px
        raise ConfigError(
            f"tiles.overlap_px {tiles.overlap_px} leaves no whole patch ({tiling.patch_px} px) of a tile of "
            f"{size_px} px. Choose {largest} or less."
        )
    return tiling


def _is_seen_whole(scene: Scene, spec: BackboneSpec) -> bool:
    """Whether a scene is a chip that the encoder may be shown at once."""
    return scene.is_chip and max(scene.height, scene.width) <= (spec.largest_window_px or math.inf)


def cut_tiles(
    config: ExtractConfig, scenes: Sequence[Scene], region: Region | None, tiling: Tiling
) -> list[PlannedTile]:
    """The tiles of an extraction, each with all its dates.

    Raises:
        RegionError: the region meets no scene.
        SceneError: the scenes hold no tile.
    """
    tiles = (cut_best if config.scene.overlaps else cut)(scenes, region, tiling)
    if not tiles:
        raise SceneError("These scenes hold no tile. Check their size and tiles.size_px.")
    return tiles


def in_order(tiles: Sequence[PlannedTile], is_blended: bool) -> list[PlannedTile]:
    """In the order in which tiles are encoded and stored; those that may share a batch stay together."""
    return sorted(in_rows(tiles) if is_blended else tiles, key=batch_key)


def batch_key(item: PlannedTile) -> tuple[int, int, int, float, str]:
    """What tiles of one batch share, for an encoder is told it once a batch: window, dates, metres a pixel, sensor."""
    window = item.window
    return window.height, window.width, len(item.scenes), round(window.gsd_m, 6), item.scenes[0].sensor.name


def one_date_each(tiles: Sequence[PlannedTile]) -> list[PlannedTile]:
    """Tiles of several dates as one tile a date."""
    return [alone for item in tiles for alone in _each_date(item)]


def tiles_around(
    tiles: Sequence[PlannedTile],
    config: ExtractConfig,
    scenes: Sequence[Scene],
    region: Region,
    tiling: Tiling,
    cell_px: int,
) -> list[PlannedTile]:
    """Tiles outside a region whose windows see ground of its tiles: blended rows need them along the region's edge."""
    reach_m = (tiling.whole(tiling.overlap_px) + tiling.reach_px) * max(item.tile.gsd_m for item in tiles)
    _, south, _, north = region.polygon.bounds
    shrink = max(math.cos(math.radians(max(abs(south), abs(north)))), _LEAST_COSINE)
    grown = Region(region.polygon.buffer(reach_m / _METRES_A_DEGREE / shrink, join_style="mitre"))
    inside = {item.tile.id for item in tiles}
    others = [item for item in cut_tiles(config, scenes, grown, tiling) if item.tile.id not in inside]
    seeing = {number for number, _ in windows_that_see(others, tiles, cell_px)}
    return [dataclasses.replace(others[number], area=None) for number in sorted(seeing)]


def _each_date(planned: PlannedTile) -> list[PlannedTile]:
    """A tile of several dates as one tile a date."""
    if len(planned.scenes) == 1:
        return [planned]
    return [
        dataclasses.replace(
            planned,
            tile=dataclasses.replace(planned.tile, id=f"{planned.tile.id}_date{number}"),
            scenes=(scene,),
        )
        for number, scene in enumerate(planned.scenes, start=1)
    ]

"""How the ground is cut into tiles for one backbone: the side of a row's ground, windows of whole patches, dates."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from engine.backbones.core.spec import BackboneSpec
from engine.errors import ConfigError, SceneError
from engine.imagery.region import Region
from engine.imagery.scene import Scene
from engine.imagery.tiles.tile_plan import cut, cut_best, in_rows
from engine.imagery.tiles.windows import PlannedTile, Tiling
from engine.jobs.config import ExtractConfig, TilesConfig


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
    size_px = tiles.size_px or (None if all(scene.is_chip for scene in scenes) else spec.chip_px)
    tiling = Tiling(
        size_px,
        patch_px=max(patch_px, max(spec.layer_strides, default=0)),
        overlap_px=tiles.overlap_px,
        reach_px=patch_px - cell_px,
        gsd_m=tiles.gsd_m,
    )
    if size_px is not None and tiling.kept_px(size_px) <= 0:
        largest = tiling.whole(size_px) // 2 // tiling.patch_px * tiling.patch_px
        raise ConfigError(
            f"tiles.overlap_px {tiles.overlap_px} leaves no whole patch ({tiling.patch_px} px) of a tile of "
            f"{size_px} px. Choose {largest} or less."
        )
    return tiling


def cut_tiles(
    config: ExtractConfig,
    spec: BackboneSpec,
    scenes: Sequence[Scene],
    region: Region | None,
    tiling: Tiling,
) -> list[PlannedTile]:
    """The tiles of an extraction, in the order in which they are encoded and stored.

    Raises:
        RegionError: the region meets no scene.
        SceneError: the scenes hold no tile.
    """
    tiles = (cut_best if config.scene.overlaps else cut)(scenes, region, tiling)
    if not tiles:
        raise SceneError("These scenes hold no tile. Check their size and tiles.size_px.")
    if config.backbone.temporal == "keep" and spec.max_frames == 1:
        tiles = [alone for item in tiles for alone in _each_date(item)]
    return in_rows(tiles) if config.tiles.merge == "blend" else tiles


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

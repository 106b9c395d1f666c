"""What an extraction will do, known before the first pixel: scenes, tiles, patch grid, layers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.backbones import cards
from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError, ConfigError, MissingBand, SceneError
from engine.imagery.region import Region
from engine.imagery.scene import Scene
from engine.imagery.sensor import HLS_BANDS
from engine.imagery.tiles.tile_plan import cut, cut_best, in_rows
from engine.imagery.tiles.windows import PlannedTile, Tiling
from engine.jobs.config import ExtractConfig, RegionConfig, TilesConfig
from engine.paths import resolve_path


@dataclass(frozen=True)
class Plan:
    """An extraction, ready to run.

    Attributes:
        spec: the card with settings and bands settled.
        layers: as asked, counted from 0.
        patch_px: side of an encoder's patch in pixels: the coarsest stride of the layers asked for.
        cell_px: side of a row's ground in pixels: the patch, or less with shifted passes.
        bands: what is read from the scenes, in order.
        notes: what differs from what was asked, in words.
    """

    spec: BackboneSpec
    layers: tuple[int, ...]
    patch_px: int
    cell_px: int
    bands: tuple[str, ...]
    scenes: tuple[Scene, ...]
    tiles: tuple[PlannedTile, ...]
    notes: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """Dates that go into one row."""
        return len(self.tiles[0].scenes)

    @property
    def shifts(self) -> int:
        """Shifted passes along a side."""
        return self.patch_px // self.cell_px

    @property
    def reach_px(self) -> int:
        """Pixels by which the last shifted pass lies after the first; 0: one pass."""
        return self.patch_px - self.cell_px

    def window_grid(self, item: PlannedTile) -> tuple[int, int]:
        """Rows and columns of all that a tile's window gives: shifted passes end before it does."""
        height, width = item.window.height - self.reach_px, item.window.width - self.reach_px
        return height // self.cell_px, width // self.cell_px

    @property
    def patches(self) -> int:
        """Rows of all tiles, one a patch (or one a cell, with shifted passes)."""
        return sum(item.tile.height * item.tile.width for item in self.tiles) // self.cell_px**2

    @property
    def area_km2(self) -> float:
        """Ground that the scenes and the region share, tiles counted whole."""
        return sum(item.tile.height * item.tile.width * item.tile.gsd_m**2 for item in self.tiles) / 1e6

    @property
    def seen_megapixels(self) -> float:
        """Pixels that the encoder sees: overlaps, shifted passes and dates counted."""
        cells = sum(math.prod(self.window_grid(item)) * len(item.scenes) for item in self.tiles)
        return cells * self.patch_px**2 / 1e6


def make_plan(config: ExtractConfig, root: Path) -> Plan:
    """Plan an extraction.

    Raises:
        BackboneError: an unknown backbone, layer or setting.
        ConfigError: an overlap or a stride that the backbone's patches do not allow.
        MissingBand: a scene lacks a band; the backbones that fit are named.
        RegionError: a region that is invalid or meets no scene.
        SceneError: scenes that are absent or cannot be read.
    """
    card = cards.card(config.backbone.name)
    scenes = config.scene.find(root)
    available = common_bands(scenes)
    spec = cards.resolve(card, config.backbone.settings, available)
    bands = available if spec.any_bands else spec.bands
    _require_bands(spec, scenes, available)
    if config.clouds == "mask":
        for scene in scenes:
            scene.require(HLS_BANDS, "The cloud mask")
    layers = resolve_layers(spec, config.backbone.layers)
    patch_px = max(spec.stride_px(layer) for layer in layers)
    cell_px = _cell_px(config.tiles, spec, patch_px)
    tiling = _tiling(config.tiles, spec, scenes, patch_px, cell_px)
    way = cut_best if config.scene.overlaps else cut
    tiles = way(scenes, region_of(config.region), tiling)
    if not tiles:
        raise SceneError(
            "tiles were wanted, found none on these scenes. Check the scenes' size and the tile size."
        )
    if config.backbone.temporal == "keep" and spec.max_frames == 1:
        tiles = [alone for item in tiles for alone in _each_date(item)]
    if config.tiles.merge == "blend":
        tiles = in_rows(tiles)
    _require_frames(spec, tiles)
    notes = tuple(_notes(config.tiles, tiling, tiles))
    return Plan(spec, layers, patch_px, cell_px, bands, scenes, tuple(tiles), notes)


def region_of(region: RegionConfig | None) -> Region | None:
    """The region that a configuration names, or None for everything.

    Raises:
        RegionError: it is not a valid region.
    """
    match region:
        case None:
            return None
        case RegionConfig(bounds_lonlat=(west, south, east, north)):
            return Region.from_bounds(west, south, east, north)
        case RegionConfig(polygon_lonlat=corners) if corners is not None:
            return Region.from_polygon(corners)
        case _:
            return Region.from_file(resolve_path(region.file or ""))


def resolve_layers(spec: BackboneSpec, layers: Sequence[int] | None) -> tuple[int, ...]:
    """Layers counted from 0, in the order asked; None: the card's.

    Raises:
        BackboneError: a layer that the backbone does not have, or one named twice.
    """
    asked = spec.default_layers if layers is None else tuple(layers)
    try:
        found = tuple(spec.layer_index(layer) for layer in asked)
    except IndexError as err:
        raise BackboneError(
            f"layers of {spec.name} were wanted (0 to {spec.depth - 1}, or -1 for the last), found {list(asked)}. "
            f"Mend backbone.layers."
        ) from err
    if not found or len(set(found)) < len(found):
        raise BackboneError(
            f"one or more different layers were wanted, found {list(asked)}. Mend backbone.layers."
        )
    return found


def common_bands(scenes: Sequence[Scene]) -> tuple[str, ...]:
    """Bands that every scene has, in the sensor's order."""
    first = scenes[0]
    return tuple(band for band in first.sensor.bands if all(band in scene.bands for scene in scenes))


def _cell_px(tiles: TilesConfig, spec: BackboneSpec, patch_px: int) -> int:
    """Side of a row's ground in pixels."""
    stride = tiles.stride_px or patch_px
    if stride > patch_px or patch_px % stride:
        fitting = ", ".join(str(side) for side in range(1, patch_px + 1) if patch_px % side == 0)
        raise ConfigError(
            f"a tiles.stride_px that divides the patch of {spec.name} ({patch_px} px) was wanted, found {stride}. "
            f"Choose one of {fitting}."
        )
    return stride


def _tiling(
    tiles: TilesConfig, spec: BackboneSpec, scenes: Sequence[Scene], patch_px: int, cell_px: int
) -> Tiling:
    """How the ground is cut, in whole patches of the encoder's coarsest stage."""
    size_px = tiles.size_px or (None if all(scene.is_chip for scene in scenes) else spec.chip_px)
    tiling = Tiling(
        size_px,
        patch_px=max(patch_px, max(spec.layer_strides, default=0)),
        overlap_px=tiles.overlap_px,
        reach_px=patch_px - cell_px,
        gsd_m=tiles.gsd_m,
    )
    if size_px is not None and tiling.kept_px(size_px) <= 0:
        raise ConfigError(
            f"a tiles.overlap_px that leaves a patch of {tiling.patch_px} px of each tile of {size_px} px was wanted, "
            f"found {tiles.overlap_px}. Choose {tiling.whole(size_px) // 2 // tiling.patch_px * tiling.patch_px} or less."
        )
    return tiling


def _notes(asked: TilesConfig, tiling: Tiling, tiles: Sequence[PlannedTile]) -> Iterator[str]:
    """Where tiles are not what was asked for, because patches stay whole."""
    patch = tiling.patch_px
    for key, found in (("size_px", asked.size_px or 0), ("overlap_px", asked.overlap_px)):
        if found != tiling.whole(found):
            yield f"tiles.{key} is {tiling.whole(found)} px, not {found}: whole patches of {patch} px."
    chips = [scene for item in tiles for scene in item.scenes if scene.is_chip]
    if any(scene.height % patch or scene.width % patch for scene in chips) and tiling.size_px is None:
        yield f"Chips are rounded up to whole patches of {patch} px; pixels beyond a chip count as missing."
    if asked.overlap_px and tiling.size_px is None:
        yield "tiles.overlap_px has no effect: each chip is seen whole. Set tiles.size_px to cut the chips."


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


def _require_frames(spec: BackboneSpec, tiles: Sequence[PlannedTile]) -> None:
    counts = sorted({len(item.scenes) for item in tiles})
    if len(counts) > 1:
        raise SceneError(
            f"the same number of dates on every tile was wanted, found {counts}. Choose scenes that cover the same "
            f"ground, or set backbone.temporal: keep."
        )
    if 1 < spec.max_frames < counts[0]:
        raise BackboneError(
            f"{spec.name} takes up to {spec.max_frames} dates at once; found {counts[0]}. Choose fewer dates."
        )


def _require_bands(spec: BackboneSpec, scenes: Sequence[Scene], available: tuple[str, ...]) -> None:
    missing = cards.missing_bands(spec, available)
    if missing:
        fitting = [name for name, other in cards.CARDS.items() if not cards.missing_bands(other, available)]
        raise MissingBand(
            f"{spec.name} needs band {', '.join(map(repr, missing))}; {scenes[0].id} has {', '.join(available)}. "
            f"Backbones that fit it: {', '.join(fitting[:6])}."
        )

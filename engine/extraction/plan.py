"""What an extraction will do, known before the first pixel: scenes, tiles, patch grid, layers and all settings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.backbones import cards
from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError
from engine.extraction import plan_checks as checks
from engine.extraction.tile_cut import (
    cell_side_px,
    cut_tiles,
    in_order,
    one_date_each,
    tiles_around,
    tiling_of,
)
from engine.extraction.tile_limits import require_tiles_within_limits
from engine.imagery.scene import Scene
from engine.imagery.tiles.windows import PlannedTile
from engine.jobs.configuration.config import ExtractConfig, config_hash
from engine.jobs.configuration.region import region_of


@dataclass(frozen=True)
class Plan:
    """An extraction, ready to run: whoever reads, encodes or writes needs this and no configuration.

    Attributes:
        spec: the card with settings and bands settled.
        settings: conventions of the backbone, as asked.
        weights: "pretrained", "random" or a checkpoint's path.
        seed: of random weights.
        compile: compile the encoder first.
        layers: as asked, counted from 0.
        patch_px: side of an encoder's patch in pixels: the coarsest stride of the layers asked for.
        cell_px: side of a row's ground in pixels: the patch, or less with shifted passes.
        bands: what is read from the scenes, in order.
        granularity: "patch" or "tile": what one row stands for.
        pooling: how a tile's patches become one row; None with one row a patch.
        temporal: how dates are joined by a backbone that takes one date at a time.
        is_blended: each row is the weighted mean of all windows that see its ground.
        masks_clouds: clouds and their shadows become gaps.
        skips_unreadable: a tile that cannot be read is left out instead of ending the run.
        dtype: of stored embeddings, as numpy names it.
        device: as asked: auto, cpu, mps, cuda or cuda:N.
        engine: "local" or "ray".
        batch_size: tiles of a batch, as asked; None: as many as the device likes.
        config, config_hash: the configuration as the store keeps it.
        tiles: those that are stored, in their order.
        windows: all that are encoded, in their order: the tiles, and with blending those around the region.
        notes: what differs from what was asked, in words.
    """

    spec: BackboneSpec
    settings: Mapping[str, str]
    weights: str
    seed: int
    compile: bool
    layers: tuple[int, ...]
    patch_px: int
    cell_px: int
    bands: tuple[str, ...]
    granularity: str
    pooling: str | None
    temporal: str
    is_blended: bool
    masks_clouds: bool
    skips_unreadable: bool
    dtype: str
    device: str
    engine: str
    batch_size: int | None
    config: Mapping[str, Any]
    config_hash: str
    scenes: tuple[Scene, ...]
    tiles: tuple[PlannedTile, ...]
    windows: tuple[PlannedTile, ...]
    notes: tuple[str, ...] = ()

    @property
    def scenes_used(self) -> tuple[Scene, ...]:
        """The scenes that a tile takes pixels from, each once."""
        return tuple(
            {scene.id: scene for item in self.tiles for scene in (*item.scenes, *item.fills)}.values()
        )

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

    @property
    def has_row_a_tile(self) -> bool:
        """Whether a tile is one row."""
        return self.granularity == "tile"

    @property
    def cells(self) -> tuple[int, ...]:
        """Cells of each layer along a side of a row; empty where each has one, or where shifted passes lie between rows."""
        cells = tuple(self.patch_px // self.spec.stride_px(layer) for layer in self.layers)
        return () if self.has_row_a_tile or self.shifts > 1 or max(cells) == 1 else cells

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
        cells = sum(math.prod(self.window_grid(item)) * len(item.scenes) for item in self.windows)
        return cells * self.patch_px**2 / 1e6


def make_plan(config: ExtractConfig, root: Path) -> Plan:
    """Plan an extraction.

    Args:
        root: where the simulated season is kept.

    Raises:
        BackboneError: an unknown backbone, layer, setting or pooling.
        ConfigError: an overlap or a stride that the backbone's patches do not allow, a ground sampling distance that
            leaves no pixel or makes too many tiles, a difference of other than two dates.
        MissingBand: a scene lacks a band; the backbones that fit are named.
        RegionError: a region that is invalid or meets no scene.
        SceneError: scenes that are absent or cannot be read.
    """
    card = cards.card(config.backbone.name)
    scenes, left_out = scenes_of(config, root)
    available = common_bands(scenes)
    spec = cards.resolve(card, config.backbone.settings, available)
    checks.require_bands(spec, scenes, available, masks_clouds=config.clouds == "mask")
    checks.require_pooling(spec, config.pooling)
    layers = resolve_layers(spec, config.backbone.layers)
    patch_px = max(spec.stride_px(layer) for layer in layers)
    cell_px = cell_side_px(config.tiles, spec, patch_px)
    tiling = tiling_of(config.tiles, spec, scenes, patch_px, cell_px)
    region, is_blended = region_of(config.region), config.tiles.merge == "blend"
    require_tiles_within_limits(scenes, region, tiling, config.scene.overlaps)
    tiles = cut_tiles(config, scenes, region, tiling)
    around = tiles_around(tiles, config, scenes, region, tiling, cell_px) if is_blended and region else []
    checks.require_dates(spec, config.backbone.temporal, tiles)
    notes = [
        *left_out,
        *checks.scene_notes(spec, scenes),
        *checks.notes(config.tiles, tiling, tiles),
        *checks.window_notes(spec, tiles),
        *checks.layer_notes(spec, layers if config.backbone.layers else (), patch_px, cell_px),
        *checks.date_notes(spec, config.backbone.temporal, tiles),
    ]
    if config.backbone.temporal == "keep" and spec.max_frames == 1:
        tiles, around = one_date_each(tiles), one_date_each(around)
    return Plan(
        spec=spec,
        settings=dict(config.backbone.settings),
        weights=config.backbone.weights,
        seed=config.seed,
        compile=config.compile,
        layers=layers,
        patch_px=patch_px,
        cell_px=cell_px,
        bands=spec.bands_read(available),
        granularity=config.granularity,
        pooling=config.pooling,
        temporal=config.backbone.temporal,
        is_blended=is_blended,
        masks_clouds=config.clouds == "mask",
        skips_unreadable=config.tiles.unreadable == "skip",
        dtype=config.output.dtype,
        device=config.device,
        engine=config.engine,
        batch_size=config.batch_size,
        config=config.model_dump(mode="json"),
        config_hash=config_hash(config),
        scenes=scenes,
        tiles=tuple(in_order(tiles, is_blended)),
        windows=tuple(in_order([*tiles, *around], is_blended)),
        notes=tuple(notes),
    )


def scenes_of(config: ExtractConfig, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
    """The scenes of an extraction, and in words each damaged one that `tiles.unreadable: skip` leaves out.

    Raises:
        SceneError: scenes that are absent or cannot be read.
    """
    if config.tiles.unreadable == "skip":
        return config.scene.find_readable(root)
    return config.scene.find(root), ()


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
            f"backbone.layers {list(asked)} names a layer that {spec.name} does not have. "
            f"It has layers 0 to {spec.depth - 1}; -1 is the last one."
        ) from err
    if not found or len(set(found)) < len(found):
        raise BackboneError(
            f"backbone.layers {list(asked)} is empty or names a layer twice. Name each layer once, and at least one."
        )
    return found


def common_bands(scenes: Sequence[Scene]) -> tuple[str, ...]:
    """Bands that every scene has, in the sensor's order."""
    first = scenes[0]
    return tuple(band for band in first.bands if all(band in scene.bands for scene in scenes))

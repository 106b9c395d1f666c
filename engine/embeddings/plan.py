"""What an extraction will do, known before the first pixel: scenes, tiles, patch grid, layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.backbones import cards
from engine.backbones.spec import BackboneSpec
from engine.embeddings.schema import SCHEMA_VERSION, StoredTile, StoreMeta, column_names
from engine.errors import BackboneError, MissingBand, SceneError
from engine.imagery.places import Declared, chip_scenes, file_scene, folder_scenes
from engine.imagery.region import Region
from engine.imagery.scene import Scene, fingerprint
from engine.imagery.tiling import PlannedTile, plan_tiles
from engine.jobs.config import (
    ChipsScene,
    ExtractConfig,
    FileScene,
    RegionConfig,
    SceneConfig,
    SimulatedScene,
    config_hash,
)  # fmt: skip
from engine.jobs.folder import PROJECT


@dataclass(frozen=True)
class Plan:
    """An extraction, ready to run.

    Attributes:
        spec: the card with settings and bands settled.
        layers: as asked, counted from 0.
        patch_px: side of a row's patch in pixels: the coarsest stride of the layers asked for.
        bands: what is read from the scenes, in order.
    """

    spec: BackboneSpec
    layers: tuple[int, ...]
    patch_px: int
    bands: tuple[str, ...]
    scenes: tuple[Scene, ...]
    region: Region | None
    tiles: tuple[PlannedTile, ...]

    @property
    def frames(self) -> int:
        """Dates that go into one row."""
        return len(self.tiles[0].scenes)

    @property
    def patches(self) -> int:
        """Patches of all tiles."""
        return sum(item.tile.height * item.tile.width for item in self.tiles) // self.patch_px**2

    @property
    def area_km2(self) -> float:
        """Ground that the scenes and the region share, tiles counted whole."""
        return sum(item.tile.height * item.tile.width * item.tile.gsd_m**2 for item in self.tiles) / 1e6


def make_plan(config: ExtractConfig, root: Path) -> Plan:
    """Plan an extraction.

    Raises:
        BackboneError: an unknown backbone, layer or setting.
        MissingBand: a scene lacks a band; the backbones that fit are named.
        RegionError: a region that is invalid or meets no scene.
        SceneError: scenes that are absent or cannot be read.
    """
    card = cards.card(config.backbone.name)
    scenes = find_scenes(config.scene, root)
    available = common_bands(scenes)
    spec = cards.resolve(card, config.backbone.settings, available)
    bands = available if spec.any_bands else spec.bands
    _require_bands(spec, scenes, available)
    layers = resolve_layers(spec, config.backbone.layers)
    patch_px = max(spec.stride_px(layer) for layer in layers)
    region = region_of(config.region)
    whole = max(patch_px, max(spec.layer_strides, default=spec.patch_px)) if spec.layer_strides else patch_px
    size_px = config.tiles.size_px or (None if all(scene.is_chip for scene in scenes) else spec.chip_px)
    tiles = plan_tiles(scenes, region, size_px, whole, config.tiles.gsd_m)
    if not tiles:
        raise SceneError(
            "tiles were wanted, found none on these scenes. Check the scenes' size and the tile size."
        )
    if config.backbone.temporal == "keep" and spec.max_frames == 1:
        tiles = [alone for item in tiles for alone in _each_date(item)]
    _require_frames(spec, tiles)
    return Plan(spec, layers, patch_px, bands, scenes, region, tuple(tiles))


def find_scenes(scene: SceneConfig, root: Path) -> tuple[Scene, ...]:
    """The scenes that a configuration names; the simulated season is made when it is not there yet.

    Raises:
        SceneError: absent or unreadable.
    """
    match scene:
        case FileScene():
            return (file_scene(resolve_path(scene.path), scene.sensor),)
        case ChipsScene(images=None):
            return chip_scenes(resolve_path(scene.path), declared=Declared(scene.bands, scene.scale))
        case ChipsScene():
            return folder_scenes(
                resolve_path(scene.path), scene.images or "*", Declared(scene.bands, scene.scale)
            )
        case SimulatedScene():
            folder = season_folder(scene.seed, root)
            if not folder.is_dir():
                from engine.imagery.simulation.season import simulate_season  # scipy: not for every page

                simulate_season(folder, scene.seed)
            dates = ("pre", "post") if scene.date == "both" else (scene.date,)
            return tuple(found for date in dates for found in chip_scenes(folder, date))


def season_folder(seed: int, root: Path) -> Path:
    """Where the simulated season of a seed is kept."""
    return root / "data" / f"simulated-{seed}"


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


def resolve_path(path: str) -> Path:
    """A path as given, or from the project's folder when it is not there."""
    given = Path(path).expanduser()
    return given if given.is_absolute() or given.exists() else PROJECT / given


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


def folded_dim(spec: BackboneSpec, layer: int, patch_px: int) -> int:
    """Width of a layer's column: a finer layer's cells in a patch follow one another in it."""
    return spec.layer_dim(layer) * (patch_px // spec.stride_px(layer)) ** 2


def common_bands(scenes: Sequence[Scene]) -> tuple[str, ...]:
    """Bands that every scene has, in the sensor's order."""
    first = scenes[0]
    return tuple(band for band in first.sensor.bands if all(band in scene.bands for scene in scenes))


def store_meta(config: ExtractConfig, plan: Plan, weights_sha256: str, dims: tuple[int, ...]) -> StoreMeta:
    """The meta of the store that a plan fills."""
    is_tile = config.granularity == "tile"
    sources = sorted({scene.source for scene in plan.scenes if scene.source})
    return StoreMeta(
        schema_version=SCHEMA_VERSION,
        backbone=plan.spec.name,
        weights_sha256=weights_sha256,
        layers=plan.layers,
        dims=dims,
        columns=column_names(plan.layers),
        granularity=config.granularity,
        pooling=config.pooling,
        patch_px=plan.tiles[0].tile.height if is_tile else plan.patch_px,
        gsd_m=plan.tiles[0].tile.gsd_m,
        dtype=config.output.dtype,
        bands=plan.bands,
        is_simulated=any(scene.is_simulated for scene in plan.scenes),
        source="; ".join(sources),
        config_hash=config_hash(config),
        config=config.model_dump(mode="json"),
        scene_fingerprints=tuple(fingerprint(scene) for scene in plan.scenes),
    )


def stored_tile(planned: PlannedTile, patch_px: int, is_whole: bool) -> StoredTile:
    """The store's record of a planned tile; `is_whole`: one row for the tile."""
    tile = planned.tile
    return StoredTile(
        id=tile.id,
        crs=tile.crs,
        transform=tuple(float(v) for v in tile.transform[:6]),
        h=1 if is_whole else tile.height // patch_px,
        w=1 if is_whole else tile.width // patch_px,
        height_px=tile.height,
        width_px=tile.width,
        datetimes=tuple(scene.datetime.isoformat() if scene.datetime else None for scene in planned.scenes),
        scene_ids=tuple(scene.id for scene in planned.scenes),
        split=planned.scenes[-1].split,
    )


def _each_date(planned: PlannedTile) -> list[PlannedTile]:
    """A tile of several dates as one tile a date."""
    if len(planned.scenes) == 1:
        return [planned]
    return [
        PlannedTile(dataclasses.replace(planned.tile, id=f"{planned.tile.id}_date{number}"), (scene,))
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
    missing = cards.fits(spec, available)
    if missing:
        fitting = [name for name, other in cards.CARDS.items() if not cards.fits(other, available)]
        raise MissingBand(
            f"{spec.name} needs band {', '.join(map(repr, missing))}; {scenes[0].id} has {', '.join(available)}. "
            f"Backbones that fit it: {', '.join(fitting[:6])}."
        )

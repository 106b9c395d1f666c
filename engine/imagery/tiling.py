"""Which tiles an extraction visits, and from which scenes each takes its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from affine import Affine
from shapely.geometry import box

from engine.errors import RegionError
from engine.imagery.grid import Tile, TileGrid, area_in_crs, phase_of
from engine.imagery.region import Region
from engine.imagery.scene import Scene


@dataclass(frozen=True)
class PlannedTile:
    """A tile and the scenes of its dates, oldest first (a scene without a date comes first)."""

    tile: Tile
    scenes: tuple[Scene, ...]


def plan_tiles(
    scenes: Sequence[Scene],
    region: Region | None,
    size_px: int | None,
    patch_px: int,
    gsd_m: float | None = None,
) -> list[PlannedTile]:
    """Tiles of the ground that scenes and region share, each once, in a stable order.

    A chip is one tile of its own size (cut on its own pixels when `size_px` is smaller), rounded up to whole
    patches; what lies beyond the chip is not valid. Other scenes hang on the fixed grid.

    Args:
        size_px: side of a tile; None only where every scene is a chip.
        patch_px: tiles are whole multiples of it.
        gsd_m: ground sampling distance to resample to; None keeps each scene's own.

    Raises:
        RegionError: the region meets no scene.
    """
    planned: dict[str, PlannedTile] = {}
    for scene in scenes:
        for tile in _tiles_of(scene, region, size_px, patch_px, gsd_m):
            dates = planned[tile.id].scenes if tile.id in planned else ()
            planned[tile.id] = PlannedTile(tile, _by_date((*dates, scene)))
    if not planned and region is not None:
        raise _outside(region, scenes)
    return list(planned.values())


def _tiles_of(
    scene: Scene, region: Region | None, size_px: int | None, patch_px: int, gsd_m: float | None
) -> list[Tile]:
    ground = box(*scene.bounds_m)
    area = ground if region is None else area_in_crs(region.polygon, scene.crs).intersection(ground)
    if area.is_empty or area.area == 0:
        return []
    shapely.prepare(area)
    gsd = gsd_m or scene.gsd_m
    if scene.is_chip:
        return [
            tile
            for tile in _chip_tiles(scene, size_px, patch_px, gsd)
            if area.intersects(box(*tile.bounds_m))
        ]
    size = _whole_patches(size_px or max(scene.height, scene.width), patch_px)
    grid = TileGrid(
        scene.crs, gsd, size, phase_of(scene.transform, gsd) if gsd == scene.gsd_m else (0.0, 0.0)
    )
    return list(grid.tiles(area))


def _chip_tiles(scene: Scene, size_px: int | None, patch_px: int, gsd: float) -> list[Tile]:
    height, width = (round(n * scene.gsd_m / gsd) for n in (scene.height, scene.width))
    origin = Affine(gsd, 0, scene.transform.c, 0, -gsd, scene.transform.f)
    if size_px is None or size_px >= max(height, width):
        return [
            Tile(
                scene.id, scene.crs, origin, _whole_patches(height, patch_px), _whole_patches(width, patch_px)
            )
        ]
    size = _whole_patches(size_px, patch_px)
    return [
        Tile(f"{scene.id}_r{row}_c{column}", scene.crs, origin * Affine.translation(column, row), size, size)
        for row in range(0, height, size)
        for column in range(0, width, size)
    ]


def _whole_patches(pixels: int, patch_px: int) -> int:
    return -(-pixels // patch_px) * patch_px


def _by_date(scenes: tuple[Scene, ...]) -> tuple[Scene, ...]:
    return tuple(
        sorted(scenes, key=lambda scene: (scene.datetime.timestamp() if scene.datetime else 0.0, scene.id))
    )


def _outside(region: Region, scenes: Sequence[Scene]) -> RegionError:
    west, south, east, north = (f"{v:.4f}" for v in region.bounds_lonlat)
    ground = shapely.union_all([scene.footprint for scene in scenes]).bounds
    there = ", ".join(f"{v:.4f}" for v in ground)
    return RegionError(
        f"a region on the scenes was wanted, found {west}, {south}, {east}, {north} (west, south, east, north), "
        f"which meets none of them. They lie within {there}: draw there, or choose other scenes."
    )

"""Which tiles an extraction visits, what each sees around itself, and which scenes each takes its pixels from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from affine import Affine
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from engine.errors import RegionError, SceneError
from engine.imagery.grid import Tile, TileGrid, area_in_crs, outline_lonlat, phase_of
from engine.imagery.region import Region
from engine.imagery.scene import Scene
from engine.imagery.spatial_order import hilbert_order

# A scene that covers less than this share of a tile only touches it.
_TOUCH = 1e-6
# Ground that ends within this share of a patch of its border ends there.
_ON_GRID = 1e-6


@dataclass(frozen=True)
class PlannedTile:
    """A tile, the window that is read for it, and its scenes.

    Attributes:
        tile: what the store keeps; tiles of one plan share no ground.
        scenes: one a date, oldest first (a scene without a date comes first).
        window: the pixels to read; the tile itself, or the tile with ground around it.
        area: part of the tile that was asked for, in its CRS; None: all of it.
        fills: scenes from which gaps of the only date are filled, the first one first.
    """

    tile: Tile
    scenes: tuple[Scene, ...]
    window: Tile
    area: BaseGeometry | None = None
    fills: tuple[Scene, ...] = ()

    @property
    def margin_px(self) -> tuple[int, int]:
        """Pixels of the window north and west of the tile."""
        column, row = ~self.window.transform @ (self.tile.transform.c, self.tile.transform.f)
        return round(row), round(column)


@dataclass(frozen=True)
class Tiling:
    """How ground is cut.

    With overlap an encoder sees windows of `size_px` that share `overlap_px`; what is kept of each is the
    middle, where its patches lie deeper than in any other window. The middles are the tiles.

    Attributes:
        size_px: side of a window that an encoder sees; None: a chip's own size.
        patch_px: windows and what is kept of them are whole multiples of it.
        overlap_px: shared by neighbouring windows.
        reach_px: pixels by which an encoder's last shifted pass lies after its first; 0: one pass.
        gsd_m: ground sampling distance to resample to; None keeps each scene's own.
    """

    size_px: int | None
    patch_px: int
    overlap_px: int = 0
    reach_px: int = 0
    gsd_m: float | None = None

    def whole(self, pixels: int) -> int:
        """Pixels rounded up to whole patches."""
        return -(-pixels // self.patch_px) * self.patch_px

    def kept_px(self, size_px: int) -> int:
        """Side of a tile, given the side of a window."""
        return self.whole(size_px) - self.whole(self.overlap_px)

    def window_of(self, tile: Tile, ground_m: tuple[float, float, float, float]) -> Tile:
        """What an encoder sees for a tile: half the overlap on each side, and what shifted passes reach.

        Of an odd number of patches more lie to the south and east. Where the ground ends, the window moves back
        onto it as far as the tile stays inside: an encoder that sees gaps instead tells of them in every patch.
        Shifted passes begin north-west, so that the ground of a row lies amid the patch that it comes from.

        Args:
            ground_m: west, south, east, north of the pixels that there are, in the tile's CRS.
        """
        overlap = self.whole(self.overlap_px)
        if not overlap + self.reach_px:
            return tile
        west, south, east, north = ground_m
        left, top = ~tile.transform @ (west, north)
        right, bottom = ~tile.transform @ (east, south)
        column = self._start(overlap, tile.width, left, right) - self.reach_px // 2
        row = self._start(overlap, tile.height, top, bottom) - self.reach_px // 2
        grown = overlap + self.reach_px
        transform = tile.transform @ Affine.translation(column, row)
        return Tile(tile.id, tile.crs, transform, tile.height + grown, tile.width + grown)

    def _start(self, overlap: int, side: int, first: float, end: float) -> int:
        """Where a window begins, in pixels from its tile's first; the ground lies from `first` to `end`."""
        patch = self.patch_px
        start = -(overlap // patch // 2) * patch
        start = max(start, math.ceil(first / patch - _ON_GRID) * patch)
        start = min(start, math.floor((end - side - overlap) / patch + _ON_GRID) * patch)
        return min(max(start, -overlap), 0)


def plan_tiles(
    scenes: Sequence[Scene],
    region: Region | None,
    size_px: int | None,
    patch_px: int,
    gsd_m: float | None = None,
) -> list[PlannedTile]:
    """`cut` without overlap: tiles of the ground that scenes and region share."""
    return cut(scenes, region, Tiling(size_px, patch_px, gsd_m=gsd_m))


def cut(scenes: Sequence[Scene], region: Region | None, tiling: Tiling) -> list[PlannedTile]:
    """Tiles of the ground that scenes and region share, each once, in a stable spatial order.

    A chip is one tile of its own size (cut on its own pixels when the tile size is smaller), rounded up to
    whole patches; what lies beyond the chip is not valid. Other scenes hang on the fixed grid. Scenes that
    meet on a tile are its dates.

    Raises:
        RegionError: the region meets no scene.
    """
    planned: dict[str, PlannedTile] = {}
    for scene in scenes:
        for item in _tiles_of(scene, region, tiling):
            dates = planned[item.tile.id].scenes if item.tile.id in planned else ()
            planned[item.tile.id] = replace(item, scenes=_by_date((*dates, scene)))
    if not planned and region is not None:
        raise _outside(region, scenes)
    return _along_the_curve(planned.values())


def cut_best(scenes: Sequence[Scene], region: Region | None, tiling: Tiling) -> list[PlannedTile]:
    """Tiles over scenes that overlap, cross UTM zones and differ in date; each patch of ground once.

    Each CRS of the scenes has its own fixed grid. Ground that scenes of several CRSs cover belongs to the CRS
    of the scene that comes first. A tile takes its pixels from the first scene that meets it; where that has
    gaps or ends, from the next.

    Args:
        scenes: best first.

    Raises:
        RegionError: the region meets no scene.
        SceneError: scenes of several ground sampling distances and none asked for.
    """
    _require_one_gsd(scenes, tiling)
    zones = list(dict.fromkeys(scene.crs for scene in scenes))
    taken: BaseGeometry = Polygon()
    planned: list[PlannedTile] = []
    for crs in zones:
        own = [scene for scene in scenes if scene.crs == crs]
        ground = shapely.union_all([box(*scene.bounds_m) for scene in own])
        asked = None if region is None else area_in_crs(region.polygon, crs)
        area = ground if asked is None else ground.intersection(asked)
        if len(zones) > 1:  # pixels beyond this zone's ground belong to another
            area = asked = area.difference(area_in_crs(taken, crs)) if not taken.is_empty else area
            area = area.buffer(-own[0].gsd_m)  # outlines that were projected leave slivers
        planned += _with_scenes(_hung(own[0], area, asked, ground.bounds, tiling), scenes)
        taken = taken.union(shapely.union_all([scene.footprint for scene in own]))
    if not planned and region is not None:
        raise _outside(region, scenes)
    return _along_the_curve(planned)


def _along_the_curve(items: Iterable[PlannedTile]) -> list[PlannedTile]:
    """In the spatial order that the store keeps; tiles of one shape stay together, to fill whole batches."""
    found = list(items)
    order = hilbert_order(np.array([item.tile.centre_lonlat for item in found]).reshape(-1, 2))
    return sorted(
        (found[index] for index in order),
        key=lambda item: (item.window.height, item.window.width, len(item.scenes)),
    )


def in_rows(items: Iterable[PlannedTile]) -> list[PlannedTile]:
    """From north to south and west to east; a CRS, a chip and tiles of one shape stay together.

    A window's neighbours are then not far behind or ahead of it: a row of tiles and one.
    """

    def place(item: PlannedTile) -> tuple[int | float | str, ...]:
        shape = (item.window.height, item.window.width, len(item.scenes))
        chip = item.scenes[0].id if item.scenes[0].is_chip else ""
        return *shape, item.tile.crs, chip, -item.tile.transform.f, item.tile.transform.c

    return sorted(items, key=place)


def _with_scenes(items: Iterable[PlannedTile], scenes: Sequence[Scene]) -> Iterator[PlannedTile]:
    """Tiles with the scenes that meet them or their windows, in the order of the scenes."""
    tree = shapely.STRtree([scene.footprint for scene in scenes])
    for item in items:
        seen = outline_lonlat(item.window.bounds_m, item.window.crs)
        met = [scenes[index] for index in sorted(tree.query(seen, predicate="intersects"))]
        kept = outline_lonlat(item.tile.bounds_m, item.tile.crs)
        least = _TOUCH * kept.area
        first = next((scene for scene in met if scene.footprint.intersection(kept).area > least), None)
        if first is not None:
            rest = tuple(scene for scene in met if scene is not first)
            yield replace(item, scenes=(first,), fills=rest)


def _tiles_of(scene: Scene, region: Region | None, tiling: Tiling) -> Iterator[PlannedTile]:
    ground = box(*scene.bounds_m)
    asked = None if region is None else area_in_crs(region.polygon, scene.crs)
    area = ground if asked is None else asked.intersection(ground)
    if area.is_empty or area.area == 0:
        return
    if not scene.is_chip:
        yield from _hung(scene, area, asked, scene.bounds_m, tiling)
        return
    shapely.prepare(area)
    for tile, window in _chip_tiles(scene, tiling):
        if area.intersects(box(*tile.bounds_m)):
            yield PlannedTile(tile, (scene,), window, _part(asked, tile))


def _hung(
    scene: Scene,
    area: BaseGeometry,
    asked: BaseGeometry | None,
    ground_m: tuple[float, float, float, float],
    tiling: Tiling,
) -> Iterator[PlannedTile]:
    """Tiles of the fixed grid that share ground with an area, at a scene's pixels."""
    if area.is_empty or area.area == 0:
        return
    gsd = tiling.gsd_m or scene.gsd_m
    size = tiling.kept_px(tiling.size_px or max(scene.height, scene.width))
    phase = phase_of(scene.transform, gsd) if gsd == scene.gsd_m else (0.0, 0.0)
    if asked is not None:
        shapely.prepare(asked)
    for tile in TileGrid(scene.crs, gsd, size, phase).tiles(area):
        yield PlannedTile(tile, (scene,), tiling.window_of(tile, ground_m), _part(asked, tile))


def _part(asked: BaseGeometry | None, tile: Tile) -> BaseGeometry | None:
    """What was asked for of a tile, None for all of it."""
    if asked is None:
        return None
    square = box(*tile.bounds_m)
    return None if asked.contains(square) else asked.intersection(square)


def _chip_tiles(scene: Scene, tiling: Tiling) -> Iterator[tuple[Tile, Tile]]:
    """Tiles of a chip and their windows."""
    gsd = tiling.gsd_m or scene.gsd_m
    height, width = (round(n * scene.gsd_m / gsd) for n in (scene.height, scene.width))
    origin = Affine(gsd, 0, scene.transform.c, 0, -gsd, scene.transform.f)
    if tiling.size_px is None or tiling.size_px >= max(height, width):
        alone = Tile(scene.id, scene.crs, origin, tiling.whole(height), tiling.whole(width))
        yield alone, replace(tiling, overlap_px=0).window_of(alone, alone.bounds_m)
        return
    side = tiling.kept_px(tiling.size_px)
    for row in range(0, height, side):
        for column in range(0, width, side):
            corner = origin @ Affine.translation(column, row)
            tile = Tile(f"{scene.id}_r{row}_c{column}", scene.crs, corner, side, side)
            yield tile, tiling.window_of(tile, scene.bounds_m)


def _require_one_gsd(scenes: Sequence[Scene], tiling: Tiling) -> None:
    sizes = sorted({scene.gsd_m for scene in scenes})
    if tiling.gsd_m is None and len(sizes) > 1:
        raise SceneError(
            f"scenes of one ground sampling distance were wanted, found {', '.join(f'{size:g}' for size in sizes)} m. "
            f"Set tiles.gsd_m, to which they are resampled."
        )


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

"""Which tiles an extraction visits, in which order, and which scenes each takes its pixels from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import shapely
from affine import Affine
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from engine.errors import RegionError, SceneError
from engine.imagery.geobox import area_in_crs
from engine.imagery.grid import Tile, TileGrid, phase_of
from engine.imagery.region import Region
from engine.imagery.scene import Scene
from engine.imagery.tiles.hilbert import hilbert_order
from engine.imagery.tiles.windows import PlannedTile, Tiling

# A scene that covers less than this share of a tile only touches it.
_TOUCH = 1e-6


def cut(scenes: Sequence[Scene], region: Region | None, tiling: Tiling) -> list[PlannedTile]:
    """Tiles of the ground that scenes and region share, each once, in a stable spatial order.

    A chip is one tile of its own size (cut on its own pixels when the tile size is smaller), rounded up to
    whole patches; what lies beyond the chip is not valid. Other scenes hang on the fixed grid, whose tiles end with
    the patch in which the scene ends. Scenes that meet on a tile are its dates.

    Raises:
        RegionError: the region meets no scene.
    """
    planned: dict[str, PlannedTile] = {}
    for scene in scenes:
        for item in _tiles_of(scene, region, tiling):
            before = planned.get(item.tile.id)
            if before is not None and before.tile != item.tile:
                raise SceneError(
                    f"Two chips are called {item.tile.id} and lie on different ground. Rename one of their files."
                )
            dates = before.scenes if before is not None else ()
            planned[item.tile.id] = replace(item, scenes=_by_date((*dates, scene)))
    if not planned and region is not None:
        raise _outside(region, scenes)
    return _along_the_curve(_placed(item, item.scenes, tiling) for item in planned.values())


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
        hung = (
            _placed(item, _that_meet(own, item.tile), tiling) for item in _hung(own[0], area, asked, tiling)
        )
        planned += _with_scenes(hung, scenes)
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
        seen = item.window.footprint
        met = [scenes[index] for index in sorted(tree.query(seen, predicate="intersects"))]
        kept = item.tile.footprint
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
        yield from _hung(scene, area, asked, tiling)
        return
    shapely.prepare(area)
    for tile in _chip_tiles(scene, tiling):
        if area.intersects(box(*tile.bounds_m)):
            yield PlannedTile(tile, (scene,), tile, _part(asked, tile))


def _that_meet(scenes: Sequence[Scene], tile: Tile) -> list[Scene]:
    """The scenes that share ground with a tile of their CRS."""
    square = box(*tile.bounds_m)
    return [scene for scene in scenes if box(*scene.bounds_m).intersection(square).area > 0]


def _placed(item: PlannedTile, scenes: Sequence[Scene], tiling: Tiling) -> PlannedTile:
    """A tile as far as there are pixels for it, and its window moved onto the ground of some scenes."""
    ground = shapely.union_all([box(*scene.bounds_m) for scene in scenes])
    is_whole_chip = item.tile.id == item.scenes[0].id
    own = replace(tiling, overlap_px=0) if is_whole_chip else tiling
    tile, window = own.placed(item.tile, ground)
    return replace(item, tile=tile, window=window)


def _hung(
    scene: Scene, area: BaseGeometry, asked: BaseGeometry | None, tiling: Tiling
) -> Iterator[PlannedTile]:
    """Tiles of the fixed grid that share ground with an area, at a scene's pixels; windows are theirs."""
    if area.is_empty or area.area == 0:
        return
    gsd = tiling.gsd_m or scene.gsd_m
    size = tiling.kept_px(tiling.size_px or max(scene.height, scene.width))
    phase = phase_of(scene.transform, gsd) if gsd == scene.gsd_m else (0.0, 0.0)
    if asked is not None:
        shapely.prepare(asked)
    for tile in TileGrid(scene.crs, gsd, size, phase).tiles(area):
        yield PlannedTile(tile, (scene,), tile, _part(asked, tile))


def _part(asked: BaseGeometry | None, tile: Tile) -> BaseGeometry | None:
    """What was asked for of a tile, None for all of it."""
    if asked is None:
        return None
    square = box(*tile.bounds_m)
    return None if asked.contains(square) else asked.intersection(square)


def _chip_tiles(scene: Scene, tiling: Tiling) -> Iterator[Tile]:
    """Tiles of a chip, on its own pixels."""
    gsd = tiling.gsd_m or scene.gsd_m
    height, width = (round(n * scene.gsd_m / gsd) for n in (scene.height, scene.width))
    origin = Affine(gsd, 0, scene.transform.c, 0, -gsd, scene.transform.f)
    if tiling.size_px is None or tiling.size_px >= max(height, width):
        yield Tile.of(scene.id, scene.crs, origin, tiling.whole(height), tiling.whole(width))
        return
    side = tiling.kept_px(tiling.size_px)
    for row in range(0, height, side):
        for column in range(0, width, side):
            corner = origin @ Affine.translation(column, row)
            yield Tile.of(f"{scene.id}_r{row}_c{column}", scene.crs, corner, side, side)


def _require_one_gsd(scenes: Sequence[Scene], tiling: Tiling) -> None:
    sizes = sorted({round(scene.gsd_m, 6) for scene in scenes})
    if tiling.gsd_m is None and len(sizes) > 1:
        raise SceneError(
            f"The scenes have several ground sampling distances ({', '.join(f'{size:g}' for size in sizes)} m). "
            f"Set tiles.gsd_m, to which all are resampled."
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
        f"The region {west}, {south}, {east}, {north} (west, south, east, north) meets none of the scenes. "
        f"They lie within {there}: draw there, or choose other scenes."
    )

"""Where the chips of a fire lie: squares of the scene's own pixels, which show the fire and its surroundings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from engine.datasets.images import Images
from engine.datasets.perimeters.fire import Fire
from engine.errors import SceneError
from engine.imagery.geobox import area_in_crs
from engine.imagery.grid import Tile
from engine.imagery.scene import Scene
from engine.jobs.configuration.dataset import ChipsConfig

_SLIVER = 1e-6


@dataclass(frozen=True)
class Cuts:
    """The chips of a fire.

    Attributes:
        tiles: those that show most of the fire first.
        left: how many there are beside them, which `most_per_fire` leaves out.
    """

    tiles: tuple[Tile, ...]
    left: int


def size_px(config: ChipsConfig, scenes: Sequence[Scene]) -> int:
    """Side of a chip: as configured, or that of the scenes where all of them are smaller."""
    if not scenes:
        return config.size_px
    largest = max(
        math.floor(min(scene.height, scene.width) * scene.gsd_m / (config.gsd_m or scene.gsd_m) + 1e-6)
        for scene in scenes
    )
    return min(config.size_px, largest)


def cuts_of(fire: Fire, images: Images, config: ChipsConfig, side_px: int) -> Cuts:
    """The chips of a fire on the pixels of the scene that shows most of it.

    Raises:
        SceneError: the fire has no place in the scene's CRS, or the scenes show none of it.
    """
    scene = images.scenes[0]
    burnt = area_in_crs(fire.shape, scene.crs)
    seen = shapely.union_all([_outline(one, scene.crs) for one in images.scenes])
    area = _around(burnt, config.surroundings_m).intersection(seen)
    if area.is_empty or burnt.intersection(seen).area <= 0:
        raise SceneError(f"The scenes of {images.day} show nothing of the fire.")
    gsd = config.gsd_m or scene.gsd_m
    found = _squares(area, scene, gsd, side_px)
    shown = [(burnt.intersection(shapely.box(*tile.bounds_m)).area, tile) for tile in found]
    if config.surroundings_m == 0:
        shown = [(share, tile) for share, tile in shown if share > 0]
    shown.sort(key=lambda one: (-one[0], one[1].id))
    kept = [
        Tile(f"{fire.key}_{images.day:%Y%m%d}_{number:03d}", tile.grid)
        for number, (_, tile) in enumerate(shown[: config.most_per_fire], 1)
    ]
    return Cuts(tuple(kept), max(0, len(shown) - len(kept)))


def _around(burnt: BaseGeometry, distance_m: float) -> BaseGeometry:
    """A fire with its surroundings; perimeters traced along pixels have so many corners that they are thinned first."""
    if distance_m == 0:
        return burnt
    return burnt.simplify(distance_m / 20).buffer(distance_m, quad_segs=4)


def _outline(scene: Scene, crs: str) -> BaseGeometry:
    return shapely.box(*scene.bounds_m) if scene.crs == crs else area_in_crs(scene.footprint, crs)


def _squares(area: BaseGeometry, scene: Scene, gsd: float, side_px: int) -> list[Tile]:
    """Squares side by side over an area, centred on it, and inside the scene where it is large enough."""
    west, south, east, north = area.bounds
    left, bottom, right, top = scene.bounds_m
    columns, first = _placed(west, east, left, right, gsd, side_px)
    rows, last = _placed(-north, -south, -top, -bottom, gsd, side_px)
    side, found = gsd * side_px, []
    shapely.prepare(area)
    for row in range(rows):
        for column in range(columns):
            x, y = first + column * side, -last - row * side
            square = shapely.box(x, y - side, x + side, y)
            if area.intersects(square) and area.intersection(square).area > _SLIVER * side * side:
                grid = Affine(gsd, 0, x, 0, -gsd, y)
                found.append(Tile.of(f"r{row:04d}c{column:04d}", scene.crs, grid, side_px, side_px))
    return found


def _placed(
    low: float, high: float, least: float, most: float, gsd: float, side_px: int
) -> tuple[int, float]:
    """How many squares cover a range along one axis, and where the first begins, on the scene's pixels."""
    side = gsd * side_px
    number = max(1, math.ceil((high - low) / side - _SLIVER))
    start = (low + high) / 2 - number * side / 2
    if number * side <= most - least + _SLIVER * side:
        start = min(max(start, least), most - number * side)
    return number, least + round((start - least) / gsd) * gsd

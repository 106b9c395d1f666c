"""What the pixels of a chip have been when its image was taken: burnt, unburnt, or neither to be trusted."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio.features
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from engine.datasets.perimeters.fire import Fire
from engine.datasets.perimeters.reading import Perimeters
from engine.errors import ConfigError
from engine.imagery.geobox import area_in_crs
from engine.imagery.grid import Tile
from engine.jobs.configuration.dataset import ClassesConfig, DatasetConfig

BURNT, UNBURNT, MISSING = 1, 0, -1


class Ground:
    """All perimeters of a file, found by place.

    Which fires count for an image follows from its day: those that are over and recent are burnt; older ones, those that
    still burn, and those of an unknown day are neither burnt nor unburnt; those that begin later have not happened.
    """

    def __init__(self, perimeters: Perimeters, config: DatasetConfig) -> None:
        self._fires, self._undated, self._config = perimeters.fires, perimeters.undated, config
        self._tree = shapely.STRtree([fire.shape for fire in self._fires])
        self._undated_tree = shapely.STRtree(list(self._undated))
        self._moved: dict[tuple[int, str], BaseGeometry] = {}

    def mask(self, tile: Tile, day: dt.date) -> np.ndarray:
        """(H, W) int16: 1 burnt, 0 not, -1 neither; pixels count by their centres."""
        burnt, doubtful = self._near(tile, day)
        rim = math.ceil(self._config.labels.buffer_m / tile.gsd_m)
        corner = tile.transform @ Affine.translation(-rim, -rim)
        wide = Tile.of("wide", tile.crs, corner, tile.height + 2 * rim, tile.width + 2 * rim)
        is_burnt = _drawn([(self._in(tile.crs, one.shape), 1) for one in burnt], wide, 0) == 1
        is_touched = is_burnt | (_drawn([(self._in(tile.crs, one), 1) for one in doubtful], wide, 0) == 1)
        near = _within(is_touched, self._config.labels.buffer_m / tile.gsd_m)
        found = np.where(is_burnt, BURNT, np.where(near, MISSING, UNBURNT)).astype(np.int16)
        return found[rim : rim + tile.height, rim : rim + tile.width]

    def classes(self, tile: Tile, day: dt.date, mask: np.ndarray, numbers: Mapping[Any, int]) -> np.ndarray:
        """(H, W) int16: the class of burnt pixels by the attribute of their polygon, -1 where it has none; else the mask."""
        burnt, _ = self._near(tile, day)
        parts = [
            (self._in(tile.crs, part.shape), numbers.get(part.value, MISSING)) for fire in burnt for part in fire.parts
        ]  # fmt: skip
        return np.where(mask == BURNT, _drawn(parts, tile, MISSING), mask).astype(np.int16)

    def _in(self, crs: str, shape: BaseGeometry) -> BaseGeometry:
        """A shape in a CRS; kept, for all chips of a fire ask for it."""
        key = (id(shape), crs)  # the shapes live as long as this does
        if key not in self._moved:
            self._moved[key] = area_in_crs(shape, crs)
        return self._moved[key]

    def _near(self, tile: Tile, day: dt.date) -> tuple[list[Fire], list[BaseGeometry]]:
        """Fires that are burnt ground in an image of a day, and ground that is neither; both near a tile."""
        around = shapely.box(*tile.footprint.bounds).buffer(0.01 + self._config.labels.buffer_m / 50_000)
        near = [self._fires[index] for index in sorted(self._tree.query(around).tolist())]
        recent = dt.timedelta(days=self._config.burning_days + self._config.days_after)
        burnt, doubtful = list[Fire](), list[BaseGeometry]()
        for fire in near:
            over = fire.over(self._config.burning_days)
            if over < day <= over + recent:
                burnt.append(fire)
            elif fire.start <= day:
                doubtful.append(fire.shape)
        undated = [self._undated[index] for index in sorted(self._undated_tree.query(around).tolist())]
        return burnt, [*doubtful, *undated]


def _within(ground: np.ndarray, distance_px: float) -> np.ndarray:
    """Pixels whose centre lies within a distance of the centre of one that is set, (H, W) bool."""
    if distance_px == 0 or not ground.any():
        return ground
    from scipy.ndimage import distance_transform_edt

    found: np.ndarray = distance_transform_edt(~ground) <= distance_px
    return found


def _drawn(shapes: Sequence[tuple[BaseGeometry, int]], tile: Tile, fill: int) -> np.ndarray:
    """Shapes of the tile's CRS as pixels, later ones over earlier ones."""
    clipped = [(shapely.clip_by_rect(shape, *tile.bounds_m), value) for shape, value in shapes]
    there = [(shape, value) for shape, value in clipped if not shape.is_empty]
    if not there:
        return np.full((tile.height, tile.width), fill, np.int16)
    found: np.ndarray = rasterio.features.rasterize(
        there, (tile.height, tile.width), fill=fill, transform=tile.transform, dtype=np.int16
    )
    return found


@dataclass(frozen=True)
class Numbers:
    """Which class each value of an attribute is, and what is to be said of it."""

    of: Mapping[Any, int]
    note: str


def class_numbers(config: ClassesConfig, fires: Iterable[Fire]) -> Numbers:
    """The classes of an attribute's values.

    Raises:
        ConfigError: a value that the configuration does not name, or numbers that are no classes.
    """
    values = {part.value for fire in fires for part in fire.parts if _is_there(part.value)}
    if config.values is not None:
        named = {value: config.values.get(_word(value)) for value in values}
        strange = sorted(_word(value) for value, number in named.items() if number is None)
        if strange:
            raise ConfigError(
                f"labels.classes.values names no class of {', '.join(strange[:8])}, which {config.column} holds. Name all values."
            )
        return Numbers({value: number for value, number in named.items() if number is not None}, "")
    words = sorted({_word(value) for value in values})
    if words and all(word.isdigit() and 1 <= int(word) <= 254 for word in words):
        return Numbers(
            {value: int(_word(value)) for value in values}, f"Classes are the numbers in {config.column}."
        )
    if not 1 <= len(words) <= 40:
        raise ConfigError(
            f"{config.column} holds {len(words)} different values, and classes are 1 to 40 words or whole numbers from 1 to 254. "
            f"Set labels.classes.values, or choose another column."
        )
    number = {word: index for index, word in enumerate(words, 1)}
    told = ", ".join(f"{index} {word}" for word, index in number.items())
    return Numbers(
        {value: number[_word(value)] for value in values},
        f"Classes of {config.column}, by the alphabet: {told}. Set labels.classes.values for others.",
    )


def _is_there(value: Any) -> bool:
    return value is not None and value == value and str(value).strip() != ""


def _word(value: Any) -> str:
    """A value as settings write it: 3.0 is 3."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()

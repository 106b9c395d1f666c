"""A film of imagery: the days of a series in the same bands and the same stretch, with their dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import shapely
from affine import Affine
from odc.geo.geobox import GeoBox
from PIL import Image
from rasterio.crs import CRS

from engine.errors import RegionError, SceneError
from engine.imagery.geobox import area_in_crs, bounds_of
from engine.imagery.region import Region
from engine.imagery.scene import Scene
from engine.imagery.sources.series import by_date, on_one_grid
from engine.views.films.film_file import LONGEST_SIDE_PX, require_dates, write_film
from engine.views.maps.picture import Caption, captioned, enlarged
from engine.views.maps.picture_ground import COMPOSITES, band_on_grid, stretched


@dataclass(frozen=True)
class ImageryFilm:
    """What was written.

    Attributes:
        days: of its pictures.
        bands: as red, green and blue; one: in grey.
        notes: of the series.
    """

    path: Path
    days: tuple[str, ...]
    bands: tuple[str, ...]
    notes: tuple[str, ...]


def write_imagery_film(
    scenes: Sequence[Scene], out: Path, seconds: float, bands: Sequence[str] | None = None, region: Region | None = None
) -> ImageryFilm:  # fmt: skip
    """Write the days of some scenes as a film; scenes of one day fill one another.

    Args:
        bands: three or one; None: those that show fresh scars, or the true colours, else the first band.
        region: what is shown; None: all that the scenes cover.

    Raises:
        SceneError: one date, dates of several places, or a band that is not there.
        RegionError: the region meets no scene.
        BadInput, DiskFull: as `write_film`.
    """
    chosen = _bands(scenes, bands)
    if any(scene.datetime is None for scene in scenes):
        by_date(scenes)  # says which has none
    ordered, notes = on_one_grid(sorted(scenes, key=lambda one: str(one.datetime)))
    days = [(day, list(own)) for day, own in groupby(ordered, lambda one: f"{one.datetime:%Y-%m-%d}")]
    require_dates(scenes[0].title, [day for day, _ in days])
    grid = thinned(_shown(ordered[0], region))
    frames = [_frame(own, chosen, grid) for _, own in days]
    every = np.concatenate([frame.reshape(len(chosen), -1) for frame in frames], axis=1)
    if np.isnan(every).all():
        raise SceneError(f"{scenes[0].title} has no pixel there on any of its dates. Choose another region.")
    lines = [
        f"{', '.join(chosen)}; all dates between the same percentiles, grey where there is nothing",
        f"{'SIMULATED, no satellite has seen it. ' if scenes[0].is_simulated else ''}Source: {scenes[0].source or 'not stated'}",
    ]
    titles = [f"{day}  ({number} of {len(days)})" for number, (day, _) in enumerate(days, 1)]
    pictures = (
        captioned(*enlarged(_picture(frame, every), abs(grid.transform.a)), Caption(title, (), lines))
        for frame, title in zip(frames, titles, strict=True)
    )
    write_film(out, pictures, seconds)
    return ImageryFilm(out, tuple(day for day, _ in days), chosen, notes)


def thinned(grid: GeoBox) -> GeoBox:
    """The same ground in pixels so large that a picture of it can be watched."""
    larger = max(1.0, max(grid.shape) / LONGEST_SIDE_PX)
    shape = tuple(max(1, round(side / larger)) for side in grid.shape)
    return GeoBox(
        (shape[0], shape[1]),
        grid.transform @ Affine.scale(grid.shape[1] / shape[1], grid.shape[0] / shape[0]),
        grid.crs,
    )


def _bands(scenes: Sequence[Scene], asked: Sequence[str] | None) -> tuple[str, ...]:
    if asked is not None:
        if len(asked) not in (1, 3):
            raise SceneError(
                f"A film shows one band or three, and {len(asked)} were named. Name one, or red, green and blue."
            )
        for scene in scenes:
            scene.require(asked, "The film")
        return tuple(asked)
    shared = [band for band in scenes[0].bands if all(band in one.bands for one in scenes)]
    return next((names for names in COMPOSITES if set(names) <= set(shared)), tuple(shared[:1]))


def _shown(scene: Scene, region: Region | None) -> GeoBox:
    """The pixels of a scene's grid around a region."""
    if region is None:
        return scene.grid
    area = area_in_crs(region.polygon, scene.crs).intersection(shapely.box(*bounds_of(scene.grid)))
    if area.is_empty or area.area == 0:
        raise RegionError("The region meets none of the scenes. Draw it where they lie.")
    west, south, east, north = area.bounds
    left, top = ~scene.transform @ (west, north)
    right, bottom = ~scene.transform @ (east, south)
    rows = slice(max(0, int(top)), min(scene.height, int(np.ceil(bottom))))
    columns = slice(max(0, int(left)), min(scene.width, int(np.ceil(right))))
    return scene.grid[rows, columns]


def _frame(scenes: Sequence[Scene], bands: Sequence[str], grid: GeoBox) -> np.ndarray:
    """(C, H, W) float32 measured values of a day, NaN where no scene has one."""
    canvas = np.full((len(bands), *grid.shape), np.nan, np.float32)
    crs = CRS.from_user_input(str(grid.crs))
    for scene in scenes:
        for index, band in enumerate(bands):
            found = band_on_grid(scene, band, crs, grid.transform, *grid.shape)
            canvas[index] = np.where(np.isnan(canvas[index]), found, canvas[index])
    return canvas


def _picture(frame: np.ndarray, every: np.ndarray) -> Image.Image:
    """A day between the percentiles of all days; one band is grey.

    Args:
        every: (C, N) values of all days.
    """
    if len(frame) == 1:
        frame, every = np.repeat(frame, 3, axis=0), np.repeat(every, 3, axis=0)
    return Image.fromarray(np.moveaxis(stretched(frame, every), 0, -1).astype(np.uint8))

"""A cube (netCDF, Zarr) as a source: each of its dates is a scene, read by window."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field

from engine.errors import SceneError
from engine.imagery.cubes.cube import Cube
from engine.imagery.cubes.opening import changed_ns, cube_of
from engine.imagery.raster.facts import Overrides
from engine.imagery.scene import Scene
from engine.imagery.sources.dated_bands import DatedBands, DatedImage, dated_scenes
from engine.imagery.sources.series import require_few, within
from engine.imagery.sources.source import OfDates
from engine.paths import resolve_path


class _CubeScene(OfDates):
    """A cube in the CF conventions, with one date or several."""

    overlaps: ClassVar[bool] = False

    path: str

    @property
    def title(self) -> str:
        """The file's or folder's name in words."""
        return Path(self.path).stem.replace("_", " ")

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The dates, the first one first.

        Raises:
            SceneError: absent, unreadable, not understood, or too many dates.
        """
        del root
        return cube_scenes(resolve_path(self.path), self.overrides, self.dates)

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """All dates: they lie in one file."""
        return self.find(root), ()

    def stamp(self, root: Path) -> float:
        """When the cube changed last."""
        del root
        return changed_ns(resolve_path(self.path)) / 1e9

    def last_date(self) -> Self:
        """Only the last of its dates."""
        try:
            days = [when.date() for _, when in chosen(cube_of(resolve_path(self.path)), self.dates) if when]
        except SceneError:  # told where the scenes are found
            return self
        return self.model_copy(update={"dates": (days[-1], days[-1])}) if len(days) > 1 else self


class NetcdfScene(_CubeScene):
    """A netCDF file in the CF conventions, with one date or several."""

    source: Literal["netcdf"]
    path: str = Field(
        description="netCDF 4 or classic netCDF; bands are variables, or one variable with a dimension of bands."
    )


class ZarrScene(_CubeScene):
    """A Zarr store in the CF conventions, with one date or several."""

    source: Literal["zarr"]
    path: str = Field(
        description="Folder of a Zarr store (format 2 or 3), or of a group in it; bands as in netCDF."
    )


def cube_scenes(path: Path, overrides: Overrides, dates: tuple[dt.date, dt.date] | None) -> tuple[Scene, ...]:
    """The scenes of a cube, by date.

    Raises:
        SceneError: absent, unreadable, not understood, or too many dates.
    """
    cube = cube_of(path)
    count = len(cube.bands)
    images = tuple(
        DatedImage(tuple(range(1 + index * count, 1 + (index + 1) * count)), when)
        for index, when in chosen(cube, dates)
    )
    held = DatedBands(
        tuple(band.name for band in cube.bands), images, cube.dtype.name, {key.lower(): value for key, value in cube.tags},
        tuple(band.nodata for band in cube.bands), cube.notes,
    )  # fmt: skip
    return dated_scenes(path, held, overrides)


def chosen(cube: Cube, dates: tuple[dt.date, dt.date] | None) -> list[tuple[int, dt.datetime | None]]:
    """Images of a cube, from 0, with their times, the first one first.

    Raises:
        SceneError: none, or too many.
    """
    if not cube.dates:
        return [(0, None)]
    own = sorted(enumerate(cube.dates), key=lambda one: one[1])
    found = [one for one in own if within(one[1], dates)]
    require_few(cube.path.name, [when for _, when in own], len(found))
    return [*found]

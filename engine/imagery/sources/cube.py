"""A cube (netCDF, Zarr) as a source: each of its dates is a scene, read by window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import median_low
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from rasterio.io import DatasetReader

from engine.errors import SceneError
from engine.imagery.cubes.cube import Cube
from engine.imagery.cubes.opening import changed_ns, cube_of
from engine.imagery.projection import metric_grid
from engine.imagery.raster.edges import without_dark_edges
from engine.imagery.raster.facts import Overrides, acquired, assets_of, level_of, main_sensor
from engine.imagery.raster.radar_unit import with_radar_unit
from engine.imagery.raster.rasters import open_raster
from engine.imagery.scene import Asset, Scene, in_order, scene_id
from engine.imagery.sensors.identify import Named, identify
from engine.imagery.sensors.products import ProductName, read_name
from engine.imagery.sources.source import Declared
from engine.paths import resolve_path

MOST_DATES = 64
# An interval this many times the usual one is told as a gap.
_GAP = 1.5


class _CubeScene(Declared):
    """A cube in the CF conventions, with one date or several."""

    overlaps: ClassVar[bool] = False

    path: str
    dates: tuple[dt.date, dt.date] | None = Field(
        None, description="First and last day that are read, both counted; null: all."
    )

    @model_validator(mode="after")
    def _dates_make_sense(self) -> Self:
        if self.dates is not None and self.dates[0] > self.dates[1]:
            raise ValueError("dates is the first and the last day, in this order")
        return self

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
    images = chosen(cube, dates)
    if len(images) > 1 and overrides.datetime is not None:
        raise SceneError(f"{path.name} has {len(images)} dates of its own. Leave out scene.datetime.")
    tags = {key.lower(): value for key, value in cube.tags}
    product = read_name(path.stem, path.parent.name)
    with open_raster(path) as dataset:
        metric = metric_grid(dataset, path.name)
        named = identify(
            path.name, [band.name for band in cube.bands], cube.dtype.name, product, overrides.sensor, overrides.bands,
            tags.get("emberscope_sensor"),
        )  # fmt: skip
        stated, note = acquired(tags, product, overrides.datetime)
        found = [
            (
                index,
                when or stated,
                *_assets(dataset, cube, named, product, (index, when or stated), overrides),
            )
            for index, when in images
        ]
    first, radar = with_radar_unit(found[0][2], named.open_radar)
    units = {band: asset.sensor for band, asset in first.items()}
    grid, dark = without_dark_edges(metric.grid, first)
    own = [f"{path.name}: {item}." for item in (note, *dict.fromkeys(one[3] for one in found), radar) if item]
    said = tuple(
        item
        for item in (*cube.notes, *named.notes, *own, metric.note, dark, *gaps_told(path, images))
        if item
    )
    main = main_sensor(named, first)
    level = level_of(path.name, main, overrides)
    return tuple(
        Scene(
            id=scene_id(f"{path.stem}_{when:%Y%m%dT%H%M%S}" if len(images) > 1 and when else path.stem),
            title=path.stem.replace("_", " "),  # its date is told beside it
            sensor=main,
            assets=in_order({band: replace(one, sensor=units[band]) for band, one in assets.items()}, main),
            datetime=when,
            grid=grid,
            level=level,
            source=tags.get("emberscope_source", tags.get("source", "")),
            licence=tags.get("emberscope_licence", tags.get("license", "")),
            is_simulated=tags.get("emberscope_simulated") == "yes",
            notes=said if position == 0 else (),
        )
        for position, (_, when, assets, _) in enumerate(found)
    )


def chosen(cube: Cube, dates: tuple[dt.date, dt.date] | None) -> list[tuple[int, dt.datetime | None]]:
    """Images of a cube, from 0, with their times, the first one first.

    Raises:
        SceneError: none, or too many.
    """
    if not cube.dates:
        return [(0, None)]
    own = sorted(enumerate(cube.dates), key=lambda one: one[1])
    found = [one for one in own if dates is None or dates[0] <= one[1].date() <= dates[1]]
    span = f"{own[0][1]:%Y-%m-%d} to {own[-1][1]:%Y-%m-%d}"
    if not found:
        raise SceneError(f"{cube.path.name} has no date in scene.dates; it holds {span}. Choose other days.")
    if len(found) > MOST_DATES:
        raise SceneError(
            f"{cube.path.name} has {len(found)} dates ({span}), and at most {MOST_DATES} are read at once. "
            f"Set scene.dates to the first and the last day."
        )
    return [*found]


def _assets(
    dataset: DatasetReader, cube: Cube, named: Named, product: ProductName, image: tuple[int, dt.datetime | None],
    overrides: Overrides,
) -> tuple[dict[str, Asset], str]:  # fmt: skip
    """The assets of one image, and what was assumed of their scale."""
    index, when = image
    assets, note = assets_of(dataset, cube.path, named, product, when, overrides)
    own = {}
    for band, asset in assets.items():
        fills = cube.bands[asset.index - 1].nodata if overrides.nodata is None else ()
        nodata = tuple(dict.fromkeys((*asset.nodata, *fills)))
        own[band] = replace(asset, index=asset.index + index * len(cube.bands), nodata=nodata)
    return own, note


def gaps_told(path: Path, images: Sequence[tuple[int, dt.datetime | None]]) -> Iterator[str]:
    """Intervals of a series that are much longer than usual, in words."""
    times = [when for _, when in images if when is not None]
    days = [(later - earlier).total_seconds() / 86_400 for earlier, later in pairwise(times)]
    if len(days) < 2:
        return
    usual = median_low(days)
    long = [
        f"{earlier:%Y-%m-%d} and {later:%Y-%m-%d}"
        for (earlier, later), interval in zip(pairwise(times), days, strict=True)
        if interval > _GAP * usual
    ]
    if long:
        yield f"{path.name}: dates are about {usual:.3g} days apart, and there is none between {'; '.join(long[:5])}."

"""A stack of dates in GeoTIFF or JPEG 2000 as a source: a file or product a date, or one file with the dates as bands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field
from rasterio.enums import ColorInterp

from engine.errors import SceneError
from engine.imagery.raster.dates import dated_band, tagged_time
from engine.imagery.raster.facts import Overrides
from engine.imagery.raster.rasters import open_raster
from engine.imagery.scene import Scene
from engine.imagery.sources.dated_bands import DatedBands, DatedImage, dated_scenes
from engine.imagery.sources.product_files import product_place, rasters_in
from engine.imagery.sources.scene_stack import every_scene
from engine.imagery.sources.series import by_date, gaps_told, on_one_grid, require_few, within
from engine.imagery.sources.source import OfDates
from engine.paths import modified, resolve_path


class StackScene(OfDates):
    """Several dates of one place as a series: rasters or products of a date each, or one raster with the dates as bands."""

    overlaps: ClassVar[bool] = False

    source: Literal["stack"]
    paths: tuple[str, ...] = Field(
        min_length=1,
        description="Rasters with dates in their names or tags, or folders of them (also with a file a band); or one raster whose "
        "bands say their dates.",
    )

    @property
    def title(self) -> str:
        """The first path's name in words."""
        return Path(self.paths[0]).stem.replace("_", " ")

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The dates, the first one first.

        Raises:
            SceneError: absent, unreadable, not understood, of several places, without dates or with too many.
        """
        del root
        files = self._files()
        held = bands_of_dates(files[0]) if len(files) == 1 else None
        if held is not None:
            return _of_one_file(files[0], held, self.overrides, self.dates)
        return _of_files(files, self.overrides, self.dates, self.title)

    def _files(self) -> list[Path]:
        places = [product_place(resolve_path(path)) for path in self.paths]
        return list(
            dict.fromkeys(
                file.resolve() for one in places for file in (rasters_in(one) if one.is_dir() else [one])
            )
        )

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """All dates: without one of them the series would be another."""
        return self.find(root), ()

    def stamp(self, root: Path) -> float:
        """When a file, or the list of a folder, changed last."""
        del root
        return max(modified(resolve_path(path)) for path in self.paths)

    def last_date(self) -> Self:
        """Only the last of its dates."""
        try:
            days = [scene.datetime.date() for scene in self.find(Path()) if scene.datetime]
        except SceneError:  # told where the scenes are found
            return self
        return self.model_copy(update={"dates": (days[-1], days[-1])}) if len(days) > 1 else self


def bands_of_dates(path: Path) -> DatedBands | None:
    """The dates that a raster's bands say they are of; None where not all of them say one.

    Raises:
        SceneError: it cannot be opened, or has other bands on one date than on another.
    """
    with open_raster(path) as dataset:
        said: dict[dt.datetime, dict[str, int]] = {}
        for index, (text, kind) in enumerate(zip(dataset.descriptions, dataset.colorinterp, strict=True), 1):
            if kind == ColorInterp.alpha:
                continue
            when, name = dated_band(text or "")
            when = when or tagged_time({key.lower(): value for key, value in dataset.tags(index).items()})[0]
            if when is None:
                return None
            said.setdefault(when, {})[name or f"Band {len(said.get(when, {})) + 1}"] = index
        tags = {key.lower(): value for key, value in dataset.tags().items()}
        dtype = str(dataset.dtypes[0])
    if not said:
        return None
    names = tuple(next(iter(said.values())))
    for when, own in said.items():
        if set(own) != set(names):
            raise SceneError(
                f"{path.name} has the bands {', '.join(own)} of {when:%Y-%m-%d}, and {', '.join(names)} of another date. "
                f"Write the same bands of each date."
            )
    images = tuple(DatedImage(tuple(said[when][name] for name in names), when) for when in sorted(said))
    return DatedBands(names, images, dtype, tags)


def _of_one_file(
    path: Path, held: DatedBands, overrides: Overrides, dates: tuple[dt.date, dt.date] | None
) -> tuple[Scene, ...]:
    images = tuple(one for one in held.images if one.when and within(one.when, dates))
    require_few(path.name, [one.when for one in held.images if one.when], len(images))
    return dated_scenes(path, replace(held, images=images), overrides)


def _of_files(
    files: Sequence[Path], overrides: Overrides, dates: tuple[dt.date, dt.date] | None, title: str
) -> tuple[Scene, ...]:
    if len(files) > 1 and overrides.datetime is not None:
        raise SceneError(f"{title} has several dates of its own. Leave out scene.datetime.")
    ordered = by_date(every_scene(files, overrides))
    times = [one.datetime for one in ordered if one.datetime]
    kept = [one for one in ordered if one.datetime and within(one.datetime, dates)]
    require_few(title, times, len(kept))
    scenes, changed = on_one_grid(kept)
    notes = (*changed, *gaps_told(title, [one.datetime for one in scenes]))
    return replace(scenes[0], notes=(*scenes[0].notes, *notes)), *scenes[1:]

"""Several rasters and products of one sensor as a source: they may overlap, differ in date and lie in several UTM zones.

Where they overlap, the scene with the least cloud counts, then the newest, then the first by name. A scene's cloud
share is what its file states; where it states none, the share of its pixels without a value counts, for in masked
products that is where clouds were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from engine.errors import SceneError
from engine.imagery.raster.facts import NO_OVERRIDES, Overrides
from engine.imagery.raster.layout import layout_of
from engine.imagery.raster.sample import valid_share
from engine.imagery.scene import Scene, scene_id
from engine.imagery.sensors.table import HLS_SENSORS
from engine.imagery.sources.band_files import group_scene
from engine.imagery.sources.product_files import grouped, product_place, rasters_in
from engine.imagery.sources.raster_file import file_scene
from engine.imagery.sources.source import Declared
from engine.paths import modified, resolve_path


class FilesScene(Declared):
    """Rasters of one sensor that may overlap, differ in date and lie in several UTM zones."""

    overlaps: ClassVar[bool] = True

    source: Literal["files"]
    paths: tuple[str, ...] = Field(
        min_length=1,
        description="Rasters, or folders of them, also with a file a band; where they overlap, the least cloudy counts, then the newest.",
    )

    @property
    def title(self) -> str:
        """The first path's name, and how many there are."""
        first = Path(self.paths[0]).stem.replace("_", " ")
        return first if len(self.paths) == 1 else f"{first} and {len(self.paths) - 1} more"

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The scenes, best first: the least cloudy, then the newest.

        Raises:
            SceneError: absent, unreadable or not understood.
        """
        del root
        return files_scenes([product_place(resolve_path(path)) for path in self.paths], self.overrides)

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """All scenes: without one of its files the ground would be seen otherwise."""
        return self.find(root), ()

    def stamp(self, root: Path) -> float:
        """When a file, or the list of a folder, changed last."""
        del root
        return max(modified(resolve_path(path)) for path in self.paths)


@contextmanager
def _counts_of_bands_told(files: Sequence[Path]) -> Iterator[None]:
    """Where a file is not understood beside others of more or fewer bands, that is said: names count for all of them."""
    try:
        yield
    except SceneError as err:
        is_of_bands = len(files) > 1 and "bands" in str(err)
        counts = {len(layout_of(file).bands) for file in files} if is_of_bands else set()
        if len(counts) < 2:
            raise
        said = f"{', '.join(map(str, sorted(counts)[:-1]))} and {max(counts)}"
        raise type(err)(
            f"{err} These files have {said} bands, and what is said of bands counts for all: open those with as many bands apart."
        ) from err


def files_scenes(paths: Sequence[Path], overrides: Overrides = NO_OVERRIDES) -> tuple[Scene, ...]:
    """The scenes in some files and folders, best first.

    Raises:
        SceneError: no raster, several sensors, or a file that cannot be read.
    """
    files = list(
        dict.fromkeys(
            file.resolve() for path in paths for file in (rasters_in(path) if path.is_dir() else [path])
        )
    )
    found = sorted((_with_clouds(scene) for scene in every_scene(files, overrides)), key=_rank)
    return replace(found[0], notes=(*found[0].notes, *_dates_told(found))), *found[1:]


def every_scene(files: Sequence[Path], overrides: Overrides) -> list[Scene]:
    """The scenes in some files: one a raster, or one a product with a file a band.

    Raises:
        SceneError: several sensors, a scene that is there twice, or a file that cannot be read.
    """
    alone, groups = grouped(files)
    with _counts_of_bands_told(alone):
        scenes = [file_scene(file, overrides) for file in alone]
    scenes += [group_scene(group, overrides) for group in groups]
    _require_one_sensor(scenes)
    return _named_apart(scenes)


def _dates_told(scenes: Sequence[Scene]) -> Iterator[str]:
    """That scenes of the same ground on several days are read as one image."""
    days = {scene.datetime.date() for scene in scenes if scene.datetime}
    if len(days) > 1 and len({(scene.crs, scene.bounds_m) for scene in scenes}) == 1:
        yield (
            f"These are {len(days)} dates of the same ground, which fill one another here. "
            f"Set scene.source: stack to read them as a series."
        )


def _require_one_sensor(scenes: Sequence[Scene]) -> None:
    """Refuse scenes whose pixels cannot fill one another.

    Raises:
        SceneError: they are of several sensors; what is advised depends on these.
    """
    sensors = sorted({scene.sensor.name for scene in scenes})
    if len(sensors) < 2 or set(sensors) <= HLS_SENSORS:
        return
    listed = ", ".join(sensors)
    if all(name.startswith("landsat") for name in sensors):
        raise SceneError(
            f"The rasters are of several Landsat sensors ({listed}), which differ in their bands' numbers, wavelengths or level: "
            f"they do not fill one another, and scene.sensor would misread one of them. Name the rasters of one sensor in "
            f"scene.paths, and extract the others by themselves; HLS holds Landsat 8 and 9 brought together with Sentinel-2."
        )
    raise SceneError(
        f"The rasters are of several sensors ({listed}). "
        f"Extract each by itself, or set scene.sensor where they are one. Bands of several sensors are one scene in one file, "
        f"or as files of one name with a band each (place_red.tif, place_vv.tif)."
    )


def _rank(scene: Scene) -> tuple[float, float, str]:
    newest = scene.datetime.timestamp() if scene.datetime else float("-inf")
    return scene.cloud_pct or 0.0, -newest, scene.id


def _with_clouds(scene: Scene) -> Scene:
    """A scene with its cloud share."""
    if scene.cloud_pct is not None:
        return scene
    return replace(scene, cloud_pct=100 * (1 - valid_share(next(iter(scene.assets.values())))))


def _named_apart(scenes: Sequence[Scene]) -> list[Scene]:
    """Files of one name in several folders keep apart by their folders' names."""
    count = Counter(scene.id for scene in scenes)
    named = [
        scene
        if count[scene.id] == 1
        else replace(scene, id=scene_id(f"{scene.paths[0].parent.name}_{scene.id}"))
        for scene in scenes
    ]
    twice = [name for name, times in Counter(scene.id for scene in named).items() if times > 1]
    if twice:
        raise SceneError(f"The scene {twice[0]} is there more than once. Rename the files or their folders.")
    return named

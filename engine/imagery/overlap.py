"""Scenes that overlap: several rasters as one place to look at, and which of them counts where they meet.

The rule: the scene with the least cloud, then the newest, then the first by name. A scene's cloud share is what
its file states; where it states none, the share of its pixels without a value counts, for in masked products
that is where clouds were.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rasterio.io import DatasetReader

from engine.errors import SceneError
from engine.imagery.places import file_scene
from engine.imagery.rasters import open_raster
from engine.imagery.scene import Scene

_RASTERS = (".tif", ".tiff", ".jp2")
# Names under which products state their cloud share in percent: ours; HLS (v2.0 User Guide, scene-level attributes);
# Sentinel-2 (product metadata, Quality_Indicators_Info); Landsat (MTL, IMAGE_ATTRIBUTES); STAC's eo extension.
_CLOUD_TAGS = (
    "emberscope_cloud_pct", "cloud_coverage", "cloudy_pixel_percentage", "cloud_cover", "eo:cloud_cover",
)  # fmt: skip
# Acquisition times: HLS and Sentinel-2 products' own names.
_TIME_TAGS = ("sensing_time", "datatake_sensing_start", "product_start_time")
# Side of the reduced picture in which gaps are counted.
_SAMPLE_PX = 256


def files_scenes(paths: Sequence[Path], sensor_name: str | None = None) -> tuple[Scene, ...]:
    """The scenes in some files and folders of files, best first by the rule above.

    Raises:
        SceneError: no raster, several sensors, or a file that cannot be read.
    """
    files = list(dict.fromkeys(file.resolve() for path in paths for file in _files(path)))
    scenes = [_dated(file_scene(file, sensor_name)) for file in files]
    sensors = sorted({scene.sensor.name for scene in scenes})
    if len(sensors) > 1:
        raise SceneError(
            f"rasters of one sensor were wanted, found {', '.join(sensors)}. Set scene.sensor, or extract each by itself."
        )
    return tuple(sorted(_named_apart(scenes), key=_rank))


def _rank(scene: Scene) -> tuple[float, float, str]:
    newest = scene.datetime.timestamp() if scene.datetime else float("-inf")
    return scene.cloud_pct or 0.0, -newest, scene.id


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in _RASTERS)
    if not found:
        raise SceneError(f"rasters were wanted in {path}, found no .tif, .tiff or .jp2. Mend scene.paths.")
    return found


def _dated(scene: Scene) -> Scene:
    """A scene with its cloud share and, where the file states it in another way, its time."""
    with open_raster(scene.path) as dataset:
        tags = {key.lower(): value for key, value in dataset.tags().items()}
        cloud_pct = _stated_pct(tags)
        if cloud_pct is None:
            cloud_pct = _gaps_pct(dataset, scene.nodata)
    return replace(scene, cloud_pct=cloud_pct, datetime=scene.datetime or _stated_time(tags))


def _stated_pct(tags: Mapping[str, str]) -> float | None:
    for name in _CLOUD_TAGS:
        found = re.match(r"\s*(\d+(\.\d+)?)", tags.get(name, ""))
        if found and float(found[1]) <= 100:
            return float(found[1])
    return None


def _stated_time(tags: Mapping[str, str]) -> datetime | None:
    for name in _TIME_TAGS:
        found = re.match(r"\s*(\d{4}-\d\d-\d\dT[\d:]+)", tags.get(name, ""))
        if found:
            return datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    return None


def _gaps_pct(dataset: DatasetReader, nodata: float | None) -> float:
    """Share of pixels without a value, counted in a reduced picture of the first band."""
    shape = (min(dataset.height, _SAMPLE_PX), min(dataset.width, _SAMPLE_PX))
    values = dataset.read(1, out_shape=shape)
    gaps = ~np.isfinite(values)
    if nodata is not None:
        gaps |= values == nodata
    return float(gaps.mean() * 100)


def _named_apart(scenes: Sequence[Scene]) -> list[Scene]:
    """Files of one name in several folders keep apart by their folders' names."""
    count = Counter(scene.id for scene in scenes)
    named = [
        scene if count[scene.id] == 1 else replace(scene, id=f"{_slug(scene.path.parent.name)}_{scene.id}")
        for scene in scenes
    ]
    twice = [name for name, times in Counter(scene.id for scene in named).items() if times > 1]
    if twice:
        raise SceneError(
            f"rasters of different names were wanted, found {twice[0]} more than once. Rename the files or their folders."
        )
    return named


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text)

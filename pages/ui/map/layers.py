"""From scenes, stores and results to layers of a map: bands, stretch, colours and credit."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import rasterio.warp
import shapely
import streamlit as st
from shapely.geometry import Polygon

from engine.imagery.grid import outline_lonlat
from engine.imagery.scene import Scene
from pages.ui.look.wording import NO_DATE, date
from pages.ui.map import tiles
from pages.ui.map.maps import Bounds, Outline, Shown

# Percentiles of the stored values that become black and white.
_DARK_PERCENT, _BRIGHT_PERCENT = 0.5, 98.5
_SAMPLED_SCENES, _SAMPLED_PX = 12, 160


@dataclass(frozen=True)
class Composite:
    """Three bands as red, green and blue, and what they make easy to see."""

    name: str
    bands: tuple[str, str, str]
    words: str


COMPOSITES: Mapping[str, Composite] = {
    made.name: made
    for made in (
        Composite("True colour", ("red", "green", "blue"), "as the eye would see it"),
        Composite(
            "False colour",
            ("swir_2", "nir_narrow", "red"),
            "SWIR 2, near infrared, red: fresh scars are red to brown",
        ),
        Composite(
            "Infrared", ("nir_narrow", "red", "green"), "near infrared, red, green: healthy plants are red"
        ),
    )
}


def composites_of(scenes: Sequence[Scene]) -> list[str]:
    """Names of the composites whose bands every scene has."""
    return [
        name
        for name, made in COMPOSITES.items()
        if all(set(made.bands) <= set(scene.bands) for scene in scenes)
    ]


def best_of(scenes: Sequence[Scene]) -> str | None:
    """The composite to begin with: false colour where there are burn labels, else true colour."""
    names = composites_of(scenes)
    wanted = "False colour" if any(scene.mask_path for scene in scenes) else "True colour"
    return wanted if wanted in names else next(iter(names), None)


def common_bands(scenes: Sequence[Scene]) -> tuple[str, ...]:
    """Bands that every scene has, in the sensor's order."""
    return tuple(band for band in scenes[0].sensor.bands if all(band in scene.bands for scene in scenes))


def imagery(scenes: Sequence[Scene], composite: str) -> list[Shown]:
    """The scenes as one layer (one for each band order of the files), stretched alike."""
    wanted = COMPOSITES[composite].bands
    by_order: dict[tuple[int, ...], list[Scene]] = {}
    for scene in scenes:
        by_order.setdefault(tuple(scene.bands[band] for band in wanted), []).append(scene)
    return [
        Shown(_token(group, order), bounds_of(group), f"{composite}: {credit(group)}")
        for order, group in by_order.items()
    ]


def labels(scenes: Sequence[Scene], colour: tuple[int, int, int, int]) -> Shown | None:
    """The burnt class of the scenes' masks in one colour; None where no scene has a mask."""
    masked = [scene for scene in scenes if scene.mask_path]
    if not masked:
        return None
    paths = tuple(scene.mask_path for scene in masked if scene.mask_path)
    token = tiles.register(tiles.Layer(paths, (1,), colours=((1, colour),)))
    return Shown(token, bounds_of(masked), f"Labels: {credit(masked)}", "overlay")


def raster(path: Path, words: str, colours: Mapping[int, tuple[int, int, int, int]] | None = None) -> Shown:
    """A result: 8-bit colour as it is, or one band of classes with its colours."""
    table = tuple((colours or {}).items())
    token = tiles.register(tiles.Layer((path,), (1,) if table else (1, 2, 3), colours=table))
    return Shown(token, raster_bounds(path), words, "overlay")


def rasters(paths: Sequence[Path], words: str, colours: Mapping[int, tuple[int, int, int, int]]) -> Shown:
    """Several class rasters as one layer."""
    token = tiles.register(tiles.Layer(tuple(paths), (1,), colours=tuple(colours.items())))
    corners = np.array([raster_bounds(path) for path in paths])
    west, south, east, north = *corners[:, :2].min(axis=0), *corners[:, 2:].max(axis=0)
    return Shown(token, (float(west), float(south), float(east), float(north)), words, "overlay")


def outlines(scenes: Sequence[Scene], colour: str) -> tuple[Outline, ...]:
    """Footprints with title and date."""
    return tuple(Outline(footprint(scene), f"{scene_words(scene)}", colour) for scene in scenes)


def scene_words(scene: Scene) -> str:
    """Title, sensor, date, and SIMULATED where it is."""
    simulated = "SIMULATED · " if scene.is_simulated else ""
    return f"{simulated}{scene.title} · {scene.sensor.title} · {date(scene.datetime)}"


def bounds_of(scenes: Sequence[Scene]) -> Bounds:
    """West, south, east, north in degrees around all footprints."""
    west, south, east, north = shapely.total_bounds([footprint(scene) for scene in scenes])
    return float(west), float(south), float(east), float(north)


def footprint(scene: Scene) -> Polygon:
    """Outline of a scene in lon/lat; a projection takes milliseconds, and a season has many scenes."""
    return _footprint(scene.bounds_m, scene.crs)


@functools.lru_cache(maxsize=4096)
def _footprint(bounds_m: Bounds, crs: str) -> Polygon:
    return outline_lonlat(bounds_m, crs)


def credit(scenes: Sequence[Scene]) -> str:
    """Sensor, source and dates of some scenes, for the corner of the map."""
    first = scenes[0]
    simulated = "SIMULATED, no satellite has seen it" if first.is_simulated else first.sensor.title
    known = sorted(scene.datetime for scene in scenes if scene.datetime)
    if not known:
        return f"{simulated}, {NO_DATE}"
    span = date(known[0]) if known[0].date() == known[-1].date() else f"{known[0]:%b %Y} to {known[-1]:%b %Y}"
    return f"{simulated}, {span}"


@st.cache_data(show_spinner=False, max_entries=512)
def _raster_bounds(path: str, modified_ns: int) -> Bounds:
    del modified_ns
    with rasterio.open(path) as dataset:
        west, south, east, north = rasterio.warp.transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds)
    return west, south, east, north


def raster_bounds(path: Path) -> Bounds:
    """West, south, east, north of a raster in degrees."""
    return _raster_bounds(str(path), path.stat().st_mtime_ns)


def _token(scenes: Sequence[Scene], order: tuple[int, ...]) -> str:
    sampled = scenes[:: max(1, len(scenes) // _SAMPLED_SCENES)][:_SAMPLED_SCENES]
    keys = tuple((str(scene.path), scene.path.stat().st_mtime_ns) for scene in sampled)
    stretch = _stretch(keys, order, scenes[0].nodata)
    return tiles.register(
        tiles.Layer(tuple(scene.path for scene in scenes), order, stretch, nodata=scenes[0].nodata)
    )


@st.cache_data(show_spinner=False, max_entries=128)
def _stretch(
    files: tuple[tuple[str, int], ...], order: tuple[int, ...], nodata: float | None
) -> tuple[tuple[float, float], ...]:
    """Stored values at the cut percentiles, band by band, of a thinned sample of the files."""
    samples = []
    for path, _ in files:
        with rasterio.open(path) as dataset:
            rows, columns = (min(_SAMPLED_PX, side) for side in (dataset.height, dataset.width))
            samples.append(dataset.read(order, out_shape=(len(order), rows, columns)).reshape(len(order), -1))
    values = np.concatenate(samples, axis=1).astype(np.float64)  # (bands, pixels)
    seen = np.isfinite(values).all(axis=0) & (values != (np.inf if nodata is None else nodata)).all(axis=0)
    if not seen.any():
        return tuple((0.0, 1.0) for _ in order)
    low, high = np.percentile(values[:, seen], [_DARK_PERCENT, _BRIGHT_PERCENT], axis=1)
    return tuple((float(a), float(max(b, a + 1e-6))) for a, b in zip(low, high, strict=True))

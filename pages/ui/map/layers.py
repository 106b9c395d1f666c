"""From scenes, stores and results to layers of a map: bands, stretch, colours and credit."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import rasterio.warp
import streamlit as st
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import MultiPolygon, Polygon

from engine.imagery.geobox import outline_lonlat
from engine.imagery.raster.rasters import open_raster
from engine.imagery.scene import Scene
from pages.ui.look.palette import BLUE, GREEN, RED
from pages.ui.look.style import css
from pages.ui.look.wording import NO_DATE, date
from pages.ui.map import stretch
from pages.ui.map.legend import Legend
from pages.ui.map.maps import Bounds, Outline, Shown
from pages.ui.map.routes import galleries, tiles

# Scenes smaller than this share of the width of all are specks: the first fire of a season is what to look at.
_LEAST_SHARE = 0.15
_LOOKED_THROUGH, _CLEAR_PCT = 12, 5.0  # scenes, for one that is almost free of clouds


Colours = Mapping[int, tiles.Colour]  # class -> red, green, blue, opacity (0 to 255)


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


def composites_of(scenes: Sequence[Scene]) -> dict[str, Composite]:
    """By name, the composites whose bands every scene has; where there is none, their first common band in grey."""
    bands = common_bands(scenes)
    found = {name: made for name, made in COMPOSITES.items() if set(made.bands) <= set(bands)}
    if found or not bands:
        return found
    grey = Composite(
        bands[0], (bands[0],) * 3, "one band in grey; these scenes lack the bands of a colour picture"
    )
    return {grey.name: grey}


def best_of(scenes: Sequence[Scene]) -> str | None:
    """The composite to begin with: false colour where there are labels or simulated fires, else true colour."""
    names = composites_of(scenes)
    wanted = (
        "False colour" if any(scene.mask_path or scene.is_simulated for scene in scenes) else "True colour"
    )
    return wanted if wanted in names else next(iter(names), None)


def common_bands(scenes: Sequence[Scene]) -> tuple[str, ...]:
    """Bands that every scene has, in the sensor's order."""
    return tuple(band for band in scenes[0].bands if all(band in scene.bands for scene in scenes))


def imagery(scenes: Sequence[Scene], composite: str | None) -> list[Shown]:
    """The scenes as one layer, stretched alike; none without a composite."""
    if composite is None:
        return []
    bands = composites_of(scenes)[composite].bands
    pictures = tuple(tuple(_band(scene, name) for name in bands) for scene in scenes)
    meaning = tiles.Meaning("measured", bands, dates=tuple(date(scene.datetime) for scene in scenes))
    made = tiles.Layer(pictures, stretches=stretch.of_pictures(scenes, pictures), meaning=meaning)
    token = tiles.register(made)
    words = f"{composite}: {credit(scenes)}"
    return [Shown(token, bounds_of(scenes), words, composite, legend=_band_legend(bands, scenes))]


def _band_legend(bands: Sequence[str], scenes: Sequence[Scene]) -> Legend:
    """Which band is red, green and blue, and what is measured: in some scenes this, in others that, where they differ."""
    measured = f"{' or '.join(sorted({scene.values for scene in scenes}))}; {stretch.in_short(scenes)}"
    if len(set(bands)) == 1:
        return Legend(note=f"{bands[0]} in grey: {measured}")
    swatches = zip((RED, GREEN, BLUE), bands, strict=True)
    return Legend(tuple(swatches), note=measured)


def labels(scenes: Sequence[Scene], colours: Colours, names: Mapping[int, str]) -> Shown | None:
    """The labels of the scenes, each class in its colour; None where no scene has any."""
    masked = [scene for scene in scenes if scene.mask_path]
    if not masked:
        return None
    pictures = tuple((tiles.Band(scene.mask_path),) for scene in masked if scene.mask_path)
    meaning = tiles.Meaning("class", titles=tuple(names.items()))
    token = tiles.register(tiles.Layer(pictures, colours=tuple(colours.items()), meaning=meaning))
    words, legend = f"Labels: {credit(masked)}", class_legend(colours, names)
    return Shown(token, bounds_of(masked), words, "Labels", "overlay", legend)


def classes(path: Path, words: str, title: str, colours: Colours, names: Mapping[int, str]) -> Shown:
    """A map of classes, each in its colour; classes without a colour are transparent.

    Args:
        names: title of every class, also of those without a colour: they are what the pointer tells.
    """
    meaning = tiles.Meaning("class", titles=tuple(names.items()))
    token = tiles.register(
        tiles.Layer(((tiles.Band(path),),), colours=tuple(colours.items()), meaning=meaning)
    )
    return Shown(token, raster_bounds(path), words, title, "overlay", class_legend(colours, names))


def class_legend(colours: Colours, names: Mapping[int, str]) -> Legend:
    """A swatch for each class that has a colour and a name."""
    return Legend(tuple((css(colours[value]), name) for value, name in names.items() if value in colours))


def colours(path: Path, words: str) -> Shown:
    """A raster of red, green and blue in 8 bits, as it is."""
    picture = tuple(tiles.Band(path, index) for index in (1, 2, 3))
    token = tiles.register(tiles.Layer((picture,)))
    return Shown(token, raster_bounds(path), words, "Embeddings", "overlay", reads=False)


def outlines(scenes: Sequence[Scene], colour: str) -> tuple[Outline, ...]:
    """Footprints with title and date."""
    return tuple(Outline(footprint(scene), f"{scene_words(scene)}", colour) for scene in scenes)


def scene_words(scene: Scene) -> str:
    """Title, sensor, date, and SIMULATED where it is."""
    simulated = "SIMULATED · " if scene.is_simulated else ""
    return f"{simulated}{scene.title} · {scene.sensor.title} · {date(scene.datetime)}"


def bounds_of(scenes: Sequence[Scene]) -> Bounds:
    """West, south, east, north in degrees around all footprints."""
    boxes = boxes_of(scenes)
    return (
        min(box[0] for box in boxes), min(box[1] for box in boxes),
        max(box[2] for box in boxes), max(box[3] for box in boxes),
    )  # fmt: skip


def boxes_of(scenes: Sequence[Scene]) -> tuple[Bounds, ...]:
    """Bounds of each scene in degrees."""
    return tuple(_outlined(scene)[1] for scene in scenes)


def opening(scenes: Sequence[Scene]) -> Bounds:
    """What a map of scenes opens on: all of them, or where they lie far apart one that is almost free of clouds.

    Of several such scenes it is the one whose labels show a scar most clearly: neither a speck nor nearly all of it.
    """
    found = bounds_of(scenes)
    first = bounds_of([min(scenes[:_LOOKED_THROUGH], key=_opening_order)])
    return first if first[2] - first[0] < _LEAST_SHARE * (found[2] - found[0]) else found


def _opening_order(scene: Scene) -> tuple[float, float]:
    """Less for a scene that is better to begin with: how much is hidden, in per cent, then how unclear a scar is."""
    told = galleries.labelled(scene.mask_path) or galleries.Labelled()
    hidden = told.unseen_pct if scene.cloud_pct is None else scene.cloud_pct
    burned = told.burned_pct or 0.0
    return max(hidden, _CLEAR_PCT), -min(burned, 100 - burned)


def footprint(scene: Scene) -> Polygon | MultiPolygon:
    """Outline of a scene in lon/lat."""
    return _outlined(scene)[0]


def _outlined(scene: Scene) -> tuple[Polygon | MultiPolygon, Bounds]:
    """Outline of a scene and its bounds; a projection takes milliseconds, and a season has many scenes."""
    grid = scene.grid
    return _outline_of(str(grid.crs), tuple(grid.affine), tuple(grid.shape))


@functools.lru_cache(maxsize=4096)
def _outline_of(
    crs: str, affine: tuple[float, ...], shape: tuple[int, int]
) -> tuple[Polygon | MultiPolygon, Bounds]:
    # Not the grid itself: its hash writes the whole CRS as WKT.
    outline = outline_lonlat(GeoBox(shape, Affine(*affine[:6]), crs))
    west, south, east, north = outline.bounds
    return outline, (float(west), float(south), float(east), float(north))


def credit(scenes: Sequence[Scene]) -> str:
    """Sensor, source and dates of some scenes, for the corner of the map."""
    first = scenes[0]
    simulated = "SIMULATED, no satellite has seen it" if first.is_simulated else first.sensor.title
    return f"{simulated}, {date_span(scenes)}"


def date_span(scenes: Sequence[Scene]) -> str:
    """The day, the first and last day of one month, or the first and last month."""
    known = sorted(scene.datetime for scene in scenes if scene.datetime)
    if not known:
        return NO_DATE
    first, last = known[0], known[-1]
    if first.date() == last.date():
        return date(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {date(last)}"
    return f"{first:%b %Y} to {last:%b %Y}"


@st.cache_data(show_spinner=False, max_entries=512)
def _raster_bounds(path: str, modified_ns: int) -> Bounds:
    del modified_ns
    with open_raster(Path(path)) as dataset:
        west, south, east, north = rasterio.warp.transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds)
    return west, south, east, north


def raster_bounds(path: Path) -> Bounds:
    """West, south, east, north of a raster in degrees."""
    return _raster_bounds(str(path), path.stat().st_mtime_ns)


def _band(scene: Scene, name: str) -> tiles.Band:
    """Where a band of a scene is read from."""
    asset = scene.assets[name]
    return tiles.Band(asset.path, asset.index, asset.scale, asset.offset, asset.nodata)

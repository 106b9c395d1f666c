"""What a layer's rasters hold at one place, in words: the value under the pointer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.views.maps.probability_map import STEPS
from pages.ui.map.routes import rendering, tiles
from pages.ui.map.routes.tiles import Band, Layer

# Scenes of one place that are looked at for one with data; a stack of more is told by its first ones.
_MOST_PICTURES = 12


@dataclass(frozen=True)
class Value:
    """What lies at a place.

    Attributes:
        words: one for each band, or the class, or the share; empty where there is no data.
        date: of the picture that it comes from, in words; "" where nobody knows it.
    """

    words: tuple[str, ...] = ()
    date: str = ""


def at(token: str, lon: float, lat: float) -> Value:
    """The value of the picture that a map shows there.

    Raises:
        LookupError: no such layer, or no such place.
        OSError: a raster went away or is damaged.
    """
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise LookupError(f"{lon}, {lat}")
    layer = tiles.find(token)
    around = [
        (index, picture)
        for index, picture in enumerate(layer.pictures)
        if _holds(rendering.bounds_of(picture[0].path), lon, lat)
    ]
    for index, picture in around[:_MOST_PICTURES]:
        stored = read(picture, lon, lat)
        if stored is not None:
            dates = layer.meaning.dates
            return Value(_words(layer, stored), dates[index] if index < len(dates) else "")
    return Value()


def read(picture: Sequence[Band], lon: float, lat: float) -> list[float] | None:
    """Measured values of the pixel that holds a place, band by band; None where one of them has no data.

    Raises:
        OSError: a raster went away or is damaged.
    """
    from rasterio.errors import RasterioError

    values: dict[Band, float] = {}
    try:
        for path in dict.fromkeys(band.path for band in picture):
            values |= _pixel(path, [band for band in picture if band.path == path], lon, lat)
    except RasterioError as err:
        raise OSError(str(err)) from err
    return [values[band] for band in picture] if all(band in values for band in picture) else None


def _pixel(path: Path, bands: Sequence[Band], lon: float, lat: float) -> dict[Band, float]:
    """Measured values of some bands of one file; without those that are gaps there."""
    import numpy as np
    from rasterio.warp import transform
    from rasterio.windows import Window

    from engine.imagery.raster.rasters import shown_raster

    with shown_raster(path) as source:
        (x,), (y,) = transform("EPSG:4326", source.crs, [lon], [lat])
        row, column = source.index(x, y)
        if not (0 <= row < source.height and 0 <= column < source.width):
            return {}
        stored = source.read(
            [band.index for band in bands], window=Window(column, row, 1, 1), masked=True
        )  # (bands, 1, 1)
    return {
        band: float(pixel) * band.scale + band.offset
        for band, pixel in zip(bands, stored[:, 0, 0], strict=True)
        if pixel is not np.ma.masked and np.isfinite(pixel) and float(pixel) not in band.nodata
    }


def _words(layer: Layer, values: Sequence[float]) -> tuple[str, ...]:
    meaning = layer.meaning
    match meaning.kind:
        case "measured":
            named = zip(meaning.bands, values, strict=False)
            return tuple(dict.fromkeys(f"{name} {_number(value)}" for name, value in named))
        case "class":
            title = dict(meaning.titles).get(round(values[0]))
            return (title,) if title else ()
        case "probability":
            title = dict(meaning.titles).get(round(values[0]))
            return (f"{title} with a probability of {(values[1] + 0.5) / STEPS:.2f}",) if title else ()
        case "share":
            name = f"{meaning.bands[0]} " if meaning.bands else ""
            return (f"{name}{100 * values[0]:.0f} %",)
        case _:
            return ()


def _number(value: float) -> str:
    """Reflectance with three digits; larger values (heights, decibels) with four figures."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


def _holds(bounds: tiles.Bounds, lon: float, lat: float) -> bool:
    west, south, east, north = bounds
    return south <= lat <= north and any(west <= lon + turn <= east for turn in (-360, 0, 360))

"""Which sensor fits the names of a raster's bands, where nothing else tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import SceneError
from engine.imagery.sensors.names import BandName
from engine.imagery.sensors.products import ProductName
from engine.imagery.sensors.sensor import Sensor
from engine.imagery.sensors.table import SENSORS

NOT_OPTICAL = ("sentinel1_rtc", "sentinel1_grd", "dem", "land_cover", "ndvi")
# Sensors that bands named by words alone are taken for, the first that has them all.
_BY_WORDS = ("hls", "sentinel2_l2a", "sentinel2_l1c", "planetscope_8b", "planetscope_4b", *NOT_OPTICAL)
_SURFACE_LANDSAT = ("landsat_c2l2", "landsat_tm_c2l2")


@dataclass(frozen=True)
class Fitting:
    """A sensor, and what is to be told where it is an assumption; "" where it is certain."""

    sensor: Sensor
    note: str = ""


def fitting_sensor(where: str, names: Sequence[BandName], dtype: str, product: ProductName) -> Fitting:
    """The sensor that fits some names.

    Args:
        where: the raster's name, for messages.
        names: of the bands that are no masks; at least one says something.

    Raises:
        SceneError: none fits, or several that would read other bands or other values.
    """
    if not any(name.code for name in names):
        return _by_words(where, names, dtype, product)
    fitting = [one for one in SENSORS.values() if _fits(one, names, dtype, product)]
    listed = ", ".join(name.text for name in names)
    if not fitting:
        raise SceneError(
            f"No sensor of the table has all of the bands of {where} ({listed}) as {dtype}. Set scene.sensor, or scene.bands."
        )
    most = max(_read_by(one, names) for one in fitting)
    fitting = [one for one in fitting if _read_by(one, names) == most]
    if len({_reading(one, names) for one in fitting}) > 1:
        raise SceneError(
            f"The bands of {where} ({listed}) fit {', '.join(one.name for one in fitting)}, "
            f"which read them differently. Set scene.sensor to the right one."
        )
    first = next((one for one in fitting if one.name == "sentinel2_l2a"), fitting[0])
    if len(fitting) == 1:
        return Fitting(first)
    others = ", ".join(one.name for one in fitting if one is not first)
    return Fitting(
        first,
        f"The sensor of {where} is not stated: by its bands it is read as {first.title} ({first.values}), "
        f"and could be {others}. Set scene.sensor.",
    )


def hls_by_codes(hls: Sensor, names: Sequence[BandName]) -> Sensor:
    """HLS S30 or L30 where codes such as B8A tell which; else the bands that both share."""
    if not any(name.code for name in names):
        return hls
    fitting = [
        SENSORS[one]
        for one in ("hls_s30", "hls_l30")
        if not any(name.contradicts(SENSORS[one]) for name in names)
    ]
    return fitting[0] if len({_reading(one, names) for one in fitting}) == 1 else hls


def _fits(one: Sensor, names: Sequence[BandName], dtype: str, product: ProductName) -> bool:
    """Whether a sensor can have written some names, as this type of number, in a product of this name."""
    if not one.has_codes or any(name.contradicts(one) for name in names):
        return False
    if product.is_sentinel2 and not one.name.startswith("sentinel2"):
        return False
    # SR_B4 is how Landsat Collection 2 calls surface reflectance.
    surface = [name.code for name in names if name.is_surface]
    if surface and (one.name not in _SURFACE_LANDSAT or any(code in one.other for code in surface)):
        return False
    return not one.dtypes or dtype in one.dtypes or dtype.startswith("float")


def _read_by(one: Sensor, names: Sequence[BandName]) -> int:
    return sum(name.name_for(one) is not None for name in names)


def _reading(one: Sensor, names: Sequence[BandName]) -> tuple[object, ...]:
    """What a sensor makes of some bands: two sensors that make the same of them need not be told apart."""
    return (tuple(name.name_for(one) for name in names if name.code), one.scale, one.offset)


def _by_words(where: str, names: Sequence[BandName], dtype: str, product: ProductName) -> Fitting:
    """The sensor of bands that are named by words alone: the first that has all of them, else the most."""
    meant = [name.meanings() for name in names if name.meanings()]
    wanted = [words for words in meant if not any(_has(SENSORS[one], words) for one in NOT_OPTICAL)] or meant
    if dtype == "uint8" and wanted and all(_has(SENSORS["rgb"], words) for words in wanted):
        one = SENSORS["rgb"]
        return Fitting(
            one,
            f"The sensor of {where} is not stated: 8-bit colours are read as a photograph ({one.values}).",
        )
    order = [SENSORS[one] for one in (("sentinel2_l2a", *_BY_WORDS) if product.is_sentinel2 else _BY_WORDS)]
    best = max(order, key=lambda one: sum(_has(one, words) for words in wanted))
    if best.quantity == "backscatter":  # the unit is read from names or values
        return Fitting(best)
    scale = f", integers times {best.scale:g}" if best.scale != 1 else ""
    return Fitting(
        best,
        f"The sensor of {where} is not stated: it is read as {best.title} ({best.values}{scale}). "
        f"Set scene.sensor where it is another.",
    )


def _has(one: Sensor, words: Sequence[str]) -> bool:
    """Whether a sensor has one of the bands that a word can stand for."""
    return any(word in one.bands for word in words)

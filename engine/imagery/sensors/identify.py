"""Which sensor a raster is of, and which of its bands is which: decided by what it says, told where it is assumed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.errors import SceneError
from engine.imagery.sensors.fitting import NOT_OPTICAL, fitting_sensor, hls_by_codes
from engine.imagery.sensors.names import BandName, parse
from engine.imagery.sensors.products import ProductName
from engine.imagery.sensors.sensor import Sensor
from engine.imagery.sensors.table import HLS_BANDS, SENSORS, sensor
from engine.nearest import nearest


@dataclass(frozen=True)
class Named:
    """A raster's bands, known.

    Attributes:
        sensor: of the bands that give the raster its sensor: the optical ones where there are any.
        bands: common name -> (1-based index, sensor of this band).
        is_assumed: no tag, file name or code tells the sensor; the likeliest is taken.
        notes: what is assumed or left unread, in words.
        open_radar: radar bands of which nothing says whether they are decibels or linear power.
    """

    sensor: Sensor
    bands: Mapping[str, tuple[int, Sensor]]
    is_assumed: bool
    notes: tuple[str, ...]
    open_radar: tuple[str, ...] = ()


def identify(
    where: str,
    descriptions: Sequence[str | None],
    dtype: str,
    product: ProductName,
    declared_sensor: str | None = None,
    declared_bands: Sequence[str | None] | None = None,
    tagged_sensor: str | None = None,
) -> Named:
    """The sensor and the bands of a raster.

    Args:
        where: the raster's name, for messages.
        descriptions: of its bands, as the file or its side-car states them.
        declared_sensor, declared_bands: what the configuration says; it counts before all else.
        tagged_sensor: what the file's own tag says.

    Raises:
        SceneError: bands that nothing names, that are named twice, or that two sensors would read differently.
    """
    names = (
        [parse(text) for text in declared_bands]
        if declared_bands is not None
        else [parse(text) for text in descriptions]
    )
    if declared_bands is not None and len(declared_bands) != len(descriptions):
        raise SceneError(
            f"{where} has {len(descriptions)} bands, and scene.bands names {len(declared_bands)}. Name each band in order, null for one not to be read."
        )
    wished = declared_sensor or tagged_sensor or product.sensor
    known = sensor(wished) if wished else None
    if declared_bands is not None:
        return _declared(where, names, dtype, known, product)
    if all(name.is_empty or name.word == "alpha" for name in names):
        return _unnamed(where, [index for index, name in enumerate(names, 1) if name.is_empty], known, dtype)
    if _are_numbered(names) and not _are_codes(known, names):
        return _unnamed(where, range(1, len(names) + 1), known, dtype)
    return _named(where, names, dtype, known, product)


def _declared(
    where: str, names: Sequence[BandName], dtype: str, known: Sensor | None, product: ProductName
) -> Named:
    """Bands as the configuration names them: each must be known."""
    strange = [name.text for name in names if not name.is_empty and not (name.meanings() or name.code)]
    if strange:
        every = sorted({band for one in SENSORS.values() for band in one.bands})
        raise SceneError(
            f"scene.bands names {', '.join(strange)}, which no sensor has{nearest(strange[0], every)}. Mend scene.bands."
        )
    return _named(where, names, dtype, known, product)


def _unnamed(where: str, indexes: Sequence[int], known: Sensor | None, dtype: str) -> Named:
    """Bands without names: in the usual order of a sensor that is stated and has as many."""
    count = len(indexes)
    if known is None and count == len(HLS_BANDS):
        known, is_assumed = SENSORS["hls"], True
    elif known is None and count == 3 and dtype == "uint8":
        known, is_assumed = SENSORS["rgb"], True
    else:
        is_assumed = False
    order = known.bands if known is not None and count == len(known.bands) else HLS_BANDS
    fits = known is not None and (
        count == len(known.bands) or (count == len(HLS_BANDS) and set(HLS_BANDS) <= set(known.bands))
    )
    if known is None or not fits:
        has = f"{known.title} has {len(known.bands)}" if known else "no sensor is stated"
        raise SceneError(
            f"{where} has {count} {'band without a name' if count == 1 else 'bands without names'}, and {has}. "
            f"Name them in order with scene.bands, or set band descriptions in the file."
        )
    note = f"The bands of {where} have no names: their order is assumed to be {', '.join(order)}. Set scene.bands where it is not."
    bands = {band: (index, known) for index, band in zip(indexes, order, strict=True)}
    return Named(known, bands, is_assumed, (note,) if count > 1 else ())  # one band leaves no order to assume


def _are_numbered(names: Sequence[BandName]) -> bool:
    """Whether names are "Band 1", "Band 2" and so on, which programs write that know no better names."""
    return len(names) > 1 and all(
        re.fullmatch(rf"(?:band)?[ _]?0*{index}", name.text.lower()) for index, name in enumerate(names, 1)
    )


def _are_codes(known: Sensor | None, names: Sequence[BandName]) -> bool:
    """Whether such numbers count a sensor's bands as its codes do."""
    return known is not None and len(names) <= len(known.bands) and all(
        known.name_of_code(name.code) == band for name, band in zip(names, known.bands, strict=False)
    )  # fmt: skip


def _named(
    where: str, names: Sequence[BandName], dtype: str, known: Sensor | None, product: ProductName
) -> Named:
    """Bands with names: words, codes, or both."""
    notes: list[str] = []
    readable = [name for name in names if not name.is_quality and not name.is_empty]
    is_assumed, is_stated = False, known is not None and known.quantity == "backscatter"
    if known is None:
        found_sensor = fitting_sensor(where, readable, dtype, product)
        known, is_assumed = found_sensor.sensor, bool(found_sensor.note)
        notes += [found_sensor.note] * is_assumed
    elif known.name == "hls":
        known = hls_by_codes(known, readable)
    bands: dict[str, tuple[int, Sensor]] = {}
    unread: list[str] = []
    for index, name in enumerate(names, 1):
        found = _meaning(where, name, known, names)
        if found is None:
            unread += [_unread(name, known)] * (not name.is_empty)
            continue
        band, own = found
        own = _radar_sensor(own, name, is_stated)
        if band in bands:
            raise SceneError(
                f"{where} has two bands that are {band}: {names[bands[band][0] - 1].text!r} and {name.text!r}. Several dates "
                f"in one file, or a band twice: say with scene.bands which to read, null for the others."
            )
        bands[band] = (index, own)
    if not bands:
        listed = ", ".join(repr(name.text) for name in names[:8] if name.text) or "none"
        raise SceneError(
            f"The bands of {where} are named {listed}, and none of these is a band {'that is known here' if is_assumed else f'of {known.title}'}. "
            f"Name them in order with scene.bands, or set scene.sensor."
        )
    if unread:
        notes.append(f"{where}: not read, for nothing here uses them: {', '.join(unread)}.")
    open_radar = tuple(
        band for band, (index, own) in bands.items()
        if own.quantity == "backscatter" and not is_stated and not names[index - 1].unit
    )  # fmt: skip
    return Named(_leading(bands, known), bands, is_assumed, tuple(notes), open_radar)


def _radar_sensor(own: Sensor, name: BandName, is_stated: bool) -> Sensor:
    """The sensor of a radar band, by the unit that its name states where nothing else states the sensor."""
    if own.quantity != "backscatter" or is_stated or not name.unit:
        return own
    return SENSORS["sentinel1_grd" if name.unit == "decibels" else "sentinel1_rtc"]


def _unread(name: BandName, known: Sensor) -> str:
    """A band that is not read, with what it is where the sensor's table knows."""
    what = known.other.get(name.code)
    return f"{name.text} ({what})" if what and not name.meanings() else name.text


def _leading(bands: Mapping[str, tuple[int, Sensor]], known: Sensor) -> Sensor:
    """The sensor of the raster as a whole: the known one where it has a band of it, else that of the first band."""
    owners = [own for _, own in bands.values()]
    return known if known in owners else owners[0]


def _meaning(
    where: str, name: BandName, known: Sensor, names: Sequence[BandName]
) -> tuple[str, Sensor] | None:
    """The common name of a band and its sensor, None for one that is not read.

    Raises:
        SceneError: its word and its code are different bands of the sensor.
    """
    if name.is_empty or name.is_quality or (name.code and name.code in known.other):
        return None
    if name.contradicts(known):
        coded = known.name_of_code(name.code)
        what = f"{name.code} is {coded} there" if coded else f"that has no {name.code}"
        raise SceneError(
            f"The band {name.text!r} of {where} does not fit {known.title}: {what}. Set scene.sensor, or scene.bands."
        )
    if name.meanings() and len(name.meanings()) > 1:
        return _by_context(name, known, names)
    band = name.name_for(known)
    if band is not None:
        return band, known
    return next(
        (
            (said, SENSORS[other])
            for said in name.meanings()
            for other in NOT_OPTICAL
            if said in SENSORS[other].bands
        ),
        None,
    )


def _by_context(name: BandName, known: Sensor, names: Sequence[BandName]) -> tuple[str, Sensor] | None:
    """A word such as `nir` that may be two bands: the one that no other band of the raster is."""
    if name.code and known.name_of_code(name.code):
        return str(known.name_of_code(name.code)), known
    taken = {other.meanings()[0] for other in names if other is not name and len(other.meanings()) == 1}
    free = [band for band in name.meanings() if band not in taken]
    fitting = [band for band in free if band in known.bands]
    if fitting:
        return fitting[0], known
    wide = [band for band in free if band in SENSORS["sentinel2_l1c"].bands]
    # HLS's six bands have no broad near infrared: beside the narrow one it is Sentinel-2's.
    return (wide[0], SENSORS["sentinel2_l2a"]) if wide and set(free) != set(name.meanings()) else None

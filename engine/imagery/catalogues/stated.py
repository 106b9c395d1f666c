"""What an item states of a band's numbers, and Sentinel-2's offset of baseline 04.00, which is taken off once and not twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.imagery.raster.scaling import NOTHING, Stated
from engine.imagery.sensors.sensor import Sensor

# Sentinel-2 products of this processing baseline and later hold reflectance * 10000 + 1000; it began on this day
# (ESA, "Copernicus Sentinel-2 processing baseline 04.00", introduced 2022-01-25).
_OFFSET_BASELINE, _OFFSET_DAY, _OFFSET = 4.0, datetime(2022, 1, 25, tzinfo=UTC), -0.1
# Whether Earth Search took the offset off its files (property of its items in the collection sentinel-2-l2a).
_APPLIED = "earthsearch:boa_offset_applied"


def stated_of(asset: Mapping[str, Any]) -> Stated:
    """Scale, offset and gap value of an asset's first band, in the raster extension's version 1 or 2."""
    return Stated(_number(asset, "scale"), _number(asset, "offset"), _number(asset, "nodata"))


def declared_of(
    stated: Stated, sensor: Sensor, properties: Mapping[str, Any], when: datetime, offset: float | None
) -> tuple[Stated, str]:
    """The scale and the offset by which an asset is read, and what is to be said of them; nothing where the file tells.

    Args:
        offset: of reflectance, as the configuration says; None: as the item states.
    """
    if offset is not None:
        return Stated(
            stated.scale or sensor.scale, offset
        ), f"read with the offset {offset:g}, as scene.offset says"
    if sensor.name == "sentinel2_l2a":
        found, note = _sentinel2_offset(stated, properties, when)
        return Stated(stated.scale or sensor.scale, found), note
    if stated.scale is not None:
        return Stated(stated.scale, stated.offset or 0.0), ""
    return NOTHING, ""


def _sentinel2_offset(stated: Stated, properties: Mapping[str, Any], when: datetime) -> tuple[float, str]:
    applied = properties.get(_APPLIED)
    if applied is True:
        return 0.0, (
            "the catalogue states that the offset of baseline 04.00 was taken off its files already, so it is not taken off again. "
            "Where this is wrong (reflectance is 0.1 too high), set scene.offset to -0.1"
        )
    baseline = _baseline(properties)
    is_late = baseline >= _OFFSET_BASELINE if baseline is not None else when >= _OFFSET_DAY
    why = f"processing baseline {baseline:05.2f}" if baseline is not None else f"acquired {when:%Y-%m-%d}"
    if stated.offset and baseline is not None and not is_late:
        return 0.0, (
            f"the offset of {stated.offset:g} that the catalogue states is not applied, for products of {why} have none. "
            f"Set scene.offset to {stated.offset:g} if reflectance is too high"
        )
    if stated.offset:
        return stated.offset, (
            f"the offset of {stated.offset:g} that the catalogue states is applied. "
            "Set scene.offset to 0 if the pixels were harmonised (reflectance falls below 0)"
        )
    if not is_late or (stated.offset == 0 and applied is not False):
        return 0.0, ""
    return _OFFSET, (
        f"the offset of {_OFFSET:g} of Sentinel-2 products since baseline 04.00 is applied ({why}). "
        "Set scene.offset to 0 if the pixels were harmonised"
    )


def _baseline(properties: Mapping[str, Any]) -> float | None:
    for name in ("s2:processing_baseline", "processing:version"):
        try:
            return float(properties[name])
        except (KeyError, TypeError, ValueError):
            continue
    return None


def _number(asset: Mapping[str, Any], name: str) -> float | None:
    for said in _places(asset):
        for key in (name, f"raster:{name}"):
            value = said.get(key)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
    return None


def _places(asset: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where an item may state something of an asset's first band."""
    yield asset
    for name in ("raster:bands", "bands"):
        bands = asset.get(name)
        if isinstance(bands, list) and bands and isinstance(bands[0], dict):
            yield bands[0]

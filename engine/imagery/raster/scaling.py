"""How stored values become measured ones: the scale, offset and gap values of each band, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from rasterio.io import DatasetReader

from engine.imagery.sensors.products import ProductName
from engine.imagery.sensors.sensor import Sensor

# Sentinel-2 products of this processing baseline and later hold reflectance * 10000 + 1000; it began on this day
# (ESA, "Copernicus Sentinel-2 processing baseline 04.00", introduced 2022-01-25).
_OFFSET_BASELINE = 4.0
_OFFSET_DAY = datetime(2022, 1, 25, tzinfo=UTC)
_OFFSET_DN = -1000.0
_SENTINEL2 = ("sentinel2_l1c", "sentinel2_l2a")
# Level 1 of Landsat is reflectance times the sine of the sun's elevation, which only the MTL file states.
_LANDSAT_LEVEL_1 = ("landsat_c2l1", "landsat_tm_c2l1")
_SUN_NOTE = "no *_MTL.txt lies beside it: reflectance is not corrected for the elevation of the sun"
# Value that reflectance products of this field use for gaps whether they declare it or not.
_FLOAT_GAP = -9999.0


@dataclass(frozen=True)
class Scaling:
    """Of one band.

    Attributes:
        scale, offset: measured value = stored value * scale + offset.
        nodata: stored values that mark a gap.
        note: what was assumed or corrected; "" where the file states it.
    """

    scale: float
    offset: float
    nodata: tuple[float, ...]
    note: str = ""


@dataclass(frozen=True)
class Stated:
    """What a configuration, or a product's metadata, states of one band; None: nothing."""

    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None


NOTHING = Stated()


def scaling_of(
    dataset: DatasetReader,
    index: int,
    sensor: Sensor,
    product: ProductName,
    when: datetime | None,
    declared: Stated = NOTHING,
    metadata: Stated = NOTHING,
    is_assumed: bool = False,
) -> Scaling:
    """The scaling of a band: what the configuration says, then the file, then the product's metadata, then the sensor.

    Args:
        index: band of the file, from 1.
        declared: by the configuration.
        metadata: by a file beside the bands (MTD_MSIL2A.xml, *_MTL.txt).
        is_assumed: the sensor is an assumption.
    """
    dtype = dataset.dtypes[index - 1]
    nodata = _gaps(dataset, index, sensor, declared, metadata, dtype, is_assumed)
    scale, offset = float(dataset.scales[index - 1]), float(dataset.offsets[index - 1])
    is_stated = (scale, offset) != (1.0, 0.0)
    if declared.scale is not None or declared.offset is not None:
        plain = scale if is_stated else 1.0 if dtype.startswith("float") else sensor.scale
        said = declared.scale or plain, offset if declared.offset is None else declared.offset
        note = _contradiction_note((scale, offset)) if is_stated and said != (scale, offset) else ""
        return Scaling(*said, nodata, note)
    if is_stated:
        return Scaling(scale, offset, nodata)
    if metadata.scale is not None:
        return Scaling(metadata.scale, metadata.offset or 0.0, nodata, _metadata_note(sensor, metadata))
    if dtype.startswith("float"):  # HLS Burn Scars and most stacks keep measured values in floating point
        return Scaling(1.0, 0.0, nodata)
    if sensor.name in _SENTINEL2 and _has_baseline_offset(product, when):
        return Scaling(sensor.scale, _OFFSET_DN * sensor.scale, nodata, _baseline_note(product, when))
    return Scaling(sensor.scale, sensor.offset, nodata, _SUN_NOTE if sensor.name in _LANDSAT_LEVEL_1 else "")


def _contradiction_note(stated: tuple[float, float]) -> str:
    return (
        f"it states the scale {stated[0]:g} and the offset {stated[1]:g} itself, and is read as the configuration says instead. "
        f"Leave out scene.scale and scene.offset where the file is right"
    )


def _metadata_note(sensor: Sensor, metadata: Stated) -> str:
    """Sentinel-2's offset is told: other programs take it off as well, and it must not be taken off twice."""
    if sensor.name not in _SENTINEL2 or not metadata.offset or not metadata.scale:
        return ""
    return (
        f"the offset of {metadata.offset / metadata.scale:g} that its metadata states is applied. "
        f"Set scene.offset: 0 if the pixels were harmonised"
    )


def _has_baseline_offset(product: ProductName, when: datetime | None) -> bool:
    if product.is_harmonised:
        return False
    if product.baseline is not None:
        return product.baseline >= _OFFSET_BASELINE
    return when is not None and when >= _OFFSET_DAY


def _baseline_note(product: ProductName, when: datetime | None) -> str:
    why = (
        f"processing baseline {product.baseline:05.2f}"
        if product.baseline is not None
        else f"acquired {when:%Y-%m-%d}"
    )
    return (
        f"the offset of {_OFFSET_DN:g} of Sentinel-2 products since baseline 04.00 is applied ({why}). "
        f"Set scene.offset: 0 if the pixels were harmonised"
    )


def _gaps(
    dataset: DatasetReader,
    index: int,
    sensor: Sensor,
    declared: Stated,
    metadata: Stated,
    dtype: str,
    is_assumed: bool,
) -> tuple[float, ...]:
    """Every stored value that marks a gap in a band and that its type can hold."""
    values: list[float] = []
    stated = dataset.nodatavals[index - 1]
    if declared.nodata is not None:
        values.append(declared.nodata)
    elif stated is not None:
        values.append(float(stated))
    elif metadata.nodata is not None:
        values.append(metadata.nodata)
    if declared.nodata is None and sensor.nodata is not None:
        values.append(sensor.nodata)
    if declared.nodata is None and sensor.quantity == "reflectance":
        if dtype.startswith("float"):
            values.append(_FLOAT_GAP)
        if is_assumed and stated is None and np.issubdtype(np.dtype(dtype), np.unsignedinteger):
            values.append(0.0)  # unsigned products have no other value for a gap
    return tuple(dict.fromkeys(value for value in values if value == value and _fits(value, dtype)))


def _fits(value: float, dtype: str) -> bool:
    kind = np.dtype(dtype)
    if kind.kind not in "iu":
        return True
    limits = np.iinfo(kind)
    return float(value).is_integer() and limits.min <= value <= limits.max


def unstated(scalings: Mapping[str, Scaling]) -> str:
    """The notes of some bands, each once."""
    return "; ".join(dict.fromkeys(item.note for item in scalings.values() if item.note))

"""What Clay saw of each sensor: wavelengths, means and deviations, and which of them a scene's bands take.

All numbers: configs/metadata.yaml of the Clay Foundation's model repository, in the unit of each product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from engine.backbones.core.spec import RADAR_BANDS, BackboneSpec, Level
from engine.backbones.core.statistics import BandStatistics, Quantity
from engine.backbones.parts.bands import nearest_band, optical_um
from engine.errors import BackboneError


@dataclass(frozen=True)
class ClaySensor:
    """One sensor's table; product value = reflectance * scale + offset.

    `level` is None for products that are not corrected to either reflectance.
    """

    bands: tuple[str, ...]
    wavelengths_um: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float
    offset: float = 0.0
    level: Level | None = None


@dataclass(frozen=True)
class BandTable:
    """For each band of a scene: wavelengths for the encoder and the line from reflectance to its unit."""

    sensor_um: tuple[float, ...]
    training_um: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]


_LANDSAT = ("red", "green", "blue", "nir_narrow", "swir_1", "swir_2")
_LANDSAT_UM = (0.65, 0.56, 0.48, 0.86, 1.6, 2.2)

SENTINEL2 = ClaySensor(
    (
        "blue",
        "green",
        "red",
        "red_edge_1",
        "red_edge_2",
        "red_edge_3",
        "nir_broad",
        "nir_narrow",
        "swir_1",
        "swir_2",
    ),
    (0.493, 0.56, 0.665, 0.704, 0.74, 0.783, 0.842, 0.865, 1.61, 2.19),
    (1105.0, 1355.0, 1552.0, 1887.0, 2422.0, 2630.0, 2743.0, 2785.0, 2388.0, 1835.0),
    (1809.0, 1757.0, 1888.0, 1870.0, 1732.0, 1697.0, 1742.0, 1648.0, 1470.0, 1379.0),
    scale=1e4,
    level="surface",
)

OPTICAL: Mapping[str, ClaySensor] = MappingProxyType({
    "sentinel-2-l2a": SENTINEL2,
    # Reflectance to digital number: USGS Collection 2, Level-1 (2e-5, -0.1) and Level-2 (2.75e-5, -0.2).
    "landsat-c2l1": ClaySensor(
        _LANDSAT, _LANDSAT_UM, (10678.0, 10563.0, 11083.0, 14792.0, 12276.0, 10114.0),
        (6025.0, 5411.0, 5468.0, 6746.0, 5897.0, 4850.0), scale=1 / 2e-5, offset=0.1 / 2e-5,
        level="top of atmosphere",
    ),
    "landsat-c2l2-sr": ClaySensor(
        _LANDSAT, _LANDSAT_UM, (13705.0, 13310.0, 12474.0, 17801.0, 14615.0, 12701.0),
        (9578.0, 9408.0, 10144.0, 8277.0, 5300.0, 4522.0), scale=1 / 2.75e-5, offset=0.2 / 2.75e-5, level="surface",
    ),
    "naip": ClaySensor(
        ("red", "green", "blue", "nir_broad"), (0.65, 0.56, 0.48, 0.842), (110.16, 115.41, 98.15, 139.04),
        (47.23, 39.82, 35.43, 49.86), scale=255.0,
    ),
    "linz": ClaySensor(
        ("red", "green", "blue"), (0.635, 0.555, 0.465), (89.96, 99.46, 89.51), (41.83, 36.96, 31.45), scale=255.0
    ),
    "modis": ClaySensor(
        ("red", "nir_narrow", "blue", "green", "nir_1240", "swir_1", "swir_2"),
        (0.645, 0.858, 0.469, 0.555, 1.24, 1.64, 2.13),
        (1072.0, 1624.0, 931.0, 1023.0, 1599.0, 1404.0, 1051.0),
        (1643.0, 1878.0, 1449.0, 1538.0, 1763.0, 1618.0, 1396.0), scale=1e4, level="surface",
    ),
    "planetscope-sr": ClaySensor(
        ("coastal_aerosol", "blue", "green_1", "green", "yellow", "red", "red_edge_1", "nir_narrow"),
        (0.443, 0.490, 0.531, 0.565, 0.610, 0.665, 0.705, 0.865),
        (1720.0, 1715.0, 1913.0, 2088.0, 2274.0, 2290.0, 2613.0, 3970.0),
        (747.0, 698.0, 739.0, 768.0, 849.0, 868.0, 849.0, 914.0), scale=1e4, level="surface",
    ),
})  # fmt: skip

_RADAR_UM = {"vv": 3.5, "vh": 4.0}  # labels of the training, not the true wavelength of C band
_RADAR = {  # unit of a Clay version -> band -> mean and standard deviation
    "db": {"vv": (-12.113, 8.314), "vh": (-18.673, 8.017)},
    "linear": {"vv": (0.123273, 1.492154), "vh": (0.027337, 0.122182)},
}


def statistics(
    bands: Sequence[str], wavelengths_um: Sequence[float | None], sensor: str, spec: BackboneSpec
) -> BandTable:
    """The training statistics that each band of a scene takes: by its name, otherwise by the nearest wavelength.

    Args:
        sensor: whose table optical bands take, a key of `OPTICAL`.

    Raises:
        BackboneError: no table for a radar band.
        MissingBand: a band without a wavelength.
    """
    table = OPTICAL[sensor]
    rows = [_row(band, um, table, spec) for band, um in zip(bands, wavelengths_um, strict=True)]
    return BandTable(*(tuple(column) for column in zip(*rows, strict=True)))


def _row(
    band: str, wavelength_um: float | None, table: ClaySensor, spec: BackboneSpec
) -> tuple[float, float, float, float, float, float]:
    """Sensor's and training wavelength, mean, deviation, scale, offset of one band."""
    if band in RADAR_BANDS:
        known = _RADAR[str(spec.config["radar_unit"])]
        if band not in known:
            raise BackboneError(
                f"{spec.name} does not know the radar band {band}; it knows {', '.join(known)}. Leave {band} out."
            )
        return _RADAR_UM[band], _RADAR_UM[band], *known[band], 1.0, 0.0
    sensor_um = optical_um(spec, band, wavelength_um)
    is_named = band in table.bands
    index = table.bands.index(band) if is_named else nearest_band(table.wavelengths_um, sensor_um)
    training_um = table.wavelengths_um[index] if is_named else sensor_um
    return sensor_um, training_um, table.mean[index], table.std[index], table.scale, table.offset


def own_statistics(spec: BackboneSpec, settings: Mapping[str, str]) -> dict[str, BandStatistics]:
    """Clay's numbers by band, as reflectance, of the sensor that the settings choose."""
    table, radar = OPTICAL[settings["statistics"]], str(spec.config["radar_unit"])
    optical = {
        band: BandStatistics((mean - table.offset) / table.scale, std / table.scale)
        for band, mean, std in zip(table.bands, table.mean, table.std, strict=True)
    }
    quantity: Quantity = "decibels" if radar == "db" else "linear power"
    return optical | {band: BandStatistics(*pair, quantity) for band, pair in _RADAR[radar].items()}


def resolved(spec: BackboneSpec, settings: Mapping[str, str], _: Sequence[str] | None) -> BackboneSpec:
    """The card with the processing level of the sensor that the settings choose."""
    return replace(spec, level=OPTICAL[settings["statistics"]].level)

"""Sensors: which bands, at which wavelengths, and how digital numbers become reflectance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.errors import SceneError
from engine.nearest import nearest


@dataclass(frozen=True)
class Sensor:
    """One instrument at one processing level.

    Attributes:
        bands: common names, in the usual order of its products.
        wavelengths_um: centre wavelength of each band.
        scale, offset: reflectance = digital number * scale + offset.
        nodata: the digital number that marks a gap, None where products carry a mask instead.
        level: what the values are, in words for a legend.
    """

    name: str
    title: str
    bands: tuple[str, ...]
    wavelengths_um: tuple[float, ...]
    gsd_m: float
    scale: float
    offset: float
    nodata: float | None
    level: str

    def wavelength_um(self, band: str) -> float:
        """Centre wavelength of a band by its common name."""
        return self.wavelengths_um[self.bands.index(band)]


HLS_BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
_MSI_BANDS = (
    "coastal_aerosol", "blue", "green", "red", "red_edge_1", "red_edge_2", "red_edge_3",
    "nir_broad", "nir_narrow", "water_vapor", "cirrus", "swir_1", "swir_2",
)  # fmt: skip
# Sentinel-2A MSI centre wavelengths: ESA, Sentinel-2 MSI Technical Guide, "Spectral Resolution" (S2A column).
_MSI_UM = (
    0.4427,
    0.4924,
    0.5598,
    0.6646,
    0.7041,
    0.7405,
    0.7828,
    0.8328,
    0.8647,
    0.9451,
    1.3735,
    1.6137,
    2.2024,
)
# Landsat 8 OLI centre wavelengths: USGS, Landsat 8 Data Users Handbook, band table (bands 1-7).
_OLI_BANDS = ("coastal_aerosol", "blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
_OLI_UM = (0.443, 0.482, 0.5615, 0.6546, 0.865, 1.6085, 2.2005)
_HLS_UM = tuple(_MSI_UM[_MSI_BANDS.index(band)] for band in HLS_BANDS)

_TABLE = (
    # Scale 1/10000 and 0 as nodata: ESA, Sentinel-2 Products Specification Document. The offset of
    # processing baseline 04.00 and later (-1000 DN) is read from the file where it states one.
    Sensor("sentinel2_l1c", "Sentinel-2 L1C", _MSI_BANDS, _MSI_UM, 10.0, 1e-4, 0.0, 0.0,
           "top-of-atmosphere reflectance"),
    Sensor("sentinel2_l2a", "Sentinel-2 L2A", _MSI_BANDS, _MSI_UM, 10.0, 1e-4, 0.0, 0.0,
           "surface reflectance"),
    # Scale and fill value: HLS v2.0 User Guide, table of scene-level attributes.
    Sensor("hls", "Harmonized Landsat and Sentinel-2", HLS_BANDS, _HLS_UM, 30.0, 1e-4, 0.0, -9999.0,
           "surface reflectance"),
    # Scale and offset: USGS, Landsat Collection 2 Level-2 Science Products, surface reflectance.
    Sensor("landsat_c2l2", "Landsat 8-9 Collection 2 L2", _OLI_BANDS, _OLI_UM, 30.0, 2.75e-5, -0.2, 0.0,
           "surface reflectance"),
)  # fmt: skip
SENSORS: Mapping[str, Sensor] = MappingProxyType({known.name: known for known in _TABLE})


def sensor(name: str) -> Sensor:
    """The sensor of a name.

    Raises:
        SceneError: there is no such sensor; the nearest is named.
    """
    if name not in SENSORS:
        known = ", ".join(SENSORS)
        raise SceneError(
            f"a sensor was wanted, found {name!r}{nearest(name, SENSORS)}. Known sensors: {known}."
        )
    return SENSORS[name]

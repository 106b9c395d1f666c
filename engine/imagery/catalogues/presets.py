"""The table of catalogues: their addresses, their collections, and which file of an item holds which band.

Names of assets are those of each catalogue's own items. Sources: Earth Search v1 (its `collections`), Planetary Computer
(its data catalogue), NASA CMR-STAC (LPCLOUD), Copernicus Data Space (stac.dataspace.copernicus.eu).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from engine.errors import ConfigError
from engine.imagery.remote.access import AccessKind
from engine.imagery.remote.settings import FILE, settings
from engine.imagery.scene import MaskKind
from engine.nearest import nearest


@dataclass(frozen=True)
class Collection:
    """One product of a catalogue.

    Attributes:
        sensor: of our table; Landsat 4 to 7 are told by the item's platform.
        bands: asset -> common name.
        mask: asset that says what each pixel is, and how it says it.
        access: of its files.
        has_dates: items differ in date; a height model's do not.
        note: what a person should know before choosing it.
    """

    id: str
    title: str
    sensor: str
    bands: Mapping[str, str]
    mask: tuple[str, MaskKind] | None
    access: AccessKind = "open"
    has_dates: bool = True
    note: str = ""


@dataclass(frozen=True)
class Catalogue:
    """One STAC API."""

    name: str
    title: str
    address: str
    collections: tuple[Collection, ...]
    licence: str = "as the catalogue's collection states"

    def collection(self, name: str) -> Collection:
        """The collection of an id.

        Raises:
            ConfigError: there is no such collection; the nearest is named.
        """
        found = {one.id: one for one in self.collections}
        if name not in found:
            raise ConfigError(
                f"{self.title} has no collection {name!r} here{nearest(name, found)}. "
                f"Set scene.collection to one of {', '.join(found)}."
            )
        return found[name]


_CODES = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
_S2_NAMES = (
    "coastal_aerosol", "blue", "green", "red", "red_edge_1", "red_edge_2", "red_edge_3", "nir_broad", "nir_narrow",
    "water_vapor", "swir_1", "swir_2",
)  # fmt: skip
_S2 = dict(zip(_CODES, _S2_NAMES, strict=True))
_S2_WORDS = dict(zip(
    ("coastal", "blue", "green", "red", "rededge1", "rededge2", "rededge3", "nir", "nir08", "nir09", "swir16", "swir22"),
    _S2_NAMES, strict=True,
))  # fmt: skip
_S2_METRES = dict(zip(
    ("B01_60m", "B02_10m", "B03_10m", "B04_10m", "B05_20m", "B06_20m", "B07_20m", "B08_10m", "B8A_20m", "B09_60m",
     "B11_20m", "B12_20m"), _S2_NAMES, strict=True,
))  # fmt: skip
_L30 = {
    "B01": "coastal_aerosol", "B02": "blue", "B03": "green", "B04": "red", "B05": "nir_narrow", "B06": "swir_1",
    "B07": "swir_2", "B09": "cirrus",
}  # fmt: skip
_S30 = {**_S2, "B10": "cirrus"}
_LANDSAT = {
    "coastal": "coastal_aerosol", "blue": "blue", "green": "green", "red": "red", "nir08": "nir_narrow",
    "swir16": "swir_1", "swir22": "swir_2",
}  # fmt: skip
_SIGNED: AccessKind = "planetary-computer"
_USGS = "Its files want a login of the USGS, or an account of Amazon that pays for them; Planetary Computer gives them without."

_PRESETS = (
    Catalogue("earth-search", "Earth Search (AWS)", "https://earth-search.aws.element84.com/v1", (
        Collection("sentinel-2-l2a", "Sentinel-2 L2A", "sentinel2_l2a", _S2_WORDS, ("scl", "scl")),
        Collection("sentinel-2-c1-l2a", "Sentinel-2 L2A, Collection 1", "sentinel2_l2a", _S2_WORDS, ("scl", "scl")),
        Collection("landsat-c2-l2", "Landsat Collection 2 L2", "landsat_c2l2", _LANDSAT, ("qa_pixel", "qa_pixel"),
                   note=_USGS),
        Collection("cop-dem-glo-30", "Copernicus DEM, 30 m", "dem", {"data": "elevation"}, None, has_dates=False),
    )),
    Catalogue("planetary-computer", "Planetary Computer", "https://planetarycomputer.microsoft.com/api/stac/v1", (
        Collection("sentinel-2-l2a", "Sentinel-2 L2A", "sentinel2_l2a", _S2, ("SCL", "scl"), _SIGNED),
        Collection("hls2-s30", "HLS S30 (Sentinel-2)", "hls_s30", _S30, ("Fmask", "fmask"), _SIGNED),
        Collection("hls2-l30", "HLS L30 (Landsat)", "hls_l30", _L30, ("Fmask", "fmask"), _SIGNED),
        Collection("landsat-c2-l2", "Landsat Collection 2 L2", "landsat_c2l2", _LANDSAT, ("qa_pixel", "qa_pixel"), _SIGNED),
        Collection("sentinel-1-rtc", "Sentinel-1 RTC", "sentinel1_rtc", {"vv": "vv", "vh": "vh"}, None, _SIGNED),
        Collection("cop-dem-glo-30", "Copernicus DEM, 30 m", "dem", {"data": "elevation"}, None, _SIGNED, has_dates=False),
    )),
    Catalogue("lpdaac", "NASA LP DAAC", "https://cmr.earthdata.nasa.gov/stac/LPCLOUD", (
        Collection("HLSS30_2.0", "HLS S30 (Sentinel-2)", "hls_s30", _S30, ("Fmask", "fmask"), "earthdata"),
        Collection("HLSL30_2.0", "HLS L30 (Landsat)", "hls_l30", _L30, ("Fmask", "fmask"), "earthdata"),
    )),
    Catalogue("copernicus", "Copernicus Data Space", "https://stac.dataspace.copernicus.eu/v1", (
        Collection("sentinel-2-l2a", "Sentinel-2 L2A", "sentinel2_l2a", _S2_METRES, ("SCL_20m", "scl"), "copernicus",
                   note="Its files are JPEG 2000 and come as a whole, about 100 MB a band of 10 m."),
    )),
)  # fmt: skip
PRESETS: Mapping[str, Catalogue] = MappingProxyType({one.name: one for one in _PRESETS})


def catalogues() -> dict[str, Catalogue]:
    """All catalogues by name: the presets, and those that this installation's settings add.

    Raises:
        ConfigError: the settings cannot be read, or copy a preset that there is not.
    """
    found = dict(PRESETS)
    for name, own in settings().catalogues.items():
        if own.like not in PRESETS:
            raise ConfigError(
                f"The catalogue {name} in {FILE} is like {own.like!r}, which is no preset{nearest(own.like, PRESETS)}. "
                f"Choose one of {', '.join(PRESETS)}."
            )
        found[name] = replace(PRESETS[own.like], name=name, title=own.title, address=own.address)
    return found


def catalogue(name: str) -> Catalogue:
    """The catalogue of a name.

    Raises:
        ConfigError: there is no such catalogue; the nearest is named.
    """
    found = catalogues()
    if name not in found:
        raise ConfigError(
            f"The catalogue {name!r} is not known{nearest(name, found)}. Set scene.catalogue to one of {', '.join(found)}, "
            f"or add it to {FILE}."
        )
    return found[name]

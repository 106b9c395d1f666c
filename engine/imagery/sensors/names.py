"""Band names as people and products write them: a word ("nir08", "Red", "SWIR 1"), a code ("B8A", "SR_B4"), or both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from engine.imagery.sensors.sensor import Sensor

# Words -> common name. The spellings are those of Sentinel-2, Landsat, HLS and PlanetScope products, STAC's eo extension
# (version 1 and 2), Earth Engine, TerraTorch and torchgeo, without spaces and signs.
_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "coastal_aerosol": ("coastal", "coastalaerosol", "coastalblue", "aerosol", "ultrablue", "deepblue"),
    "blue": ("blue",),
    "green_i": ("greeni",),
    "green": ("green", "greenii"),
    "yellow": ("yellow",),
    "red": ("red",),
    "red_edge_1": ("rededge1", "rededge071", "re1", "vre1", "vegetationrededge1", "rededgei", "rededge705"),
    "red_edge_2": ("rededge2", "rededge075", "re2", "vre2", "vegetationrededge2", "rededgeii", "rededge740"),
    "red_edge_3": ("rededge3", "rededge078", "re3", "vre3", "vegetationrededge3", "rededgeiii", "rededge783"),
    "nir_broad": ("nirbroad", "broadnir", "nirwide", "nirb"),
    "nir_narrow": ("nirnarrow", "narrownir", "nir08", "nir8a", "nirn", "vegetationrededge4", "rededge4", "re4"),
    "water_vapor": ("watervapor", "watervapour", "nir09", "wv"),
    "cirrus": ("cirrus",),
    "swir_1": ("swir1", "swir16", "shortwaveinfrared1", "shortwaveir1", "swiri", "mir1"),
    "swir_2": ("swir2", "swir22", "shortwaveinfrared2", "shortwaveir2", "swirii", "mir2"),
    "vv": ("vv",),
    "vh": ("vh",),
    "hh": ("hh",),
    "hv": ("hv",),
    "elevation": ("elevation", "dem", "dsm", "dtm", "height", "altitude", "elevationm", "heightm", "demm"),
    "lulc": ("lulc", "landcover", "landuse", "landcoverclass", "worldcover", "esaworldcover"),
    "ndvi": ("ndvi",),
    # Names of bands that products carry and nobody here reads: a code beside them says which sensor it is.
    "panchromatic": ("panchromatic", "pan"),
    "thermal infrared": ("thermalinfrared", "thermal", "tir", "tirs", "tir1", "tir2", "tirs1", "tirs2", "lwir", "lwir11", "lwir12"),
}  # fmt: skip
_WORDS = {word: name for name, words in _SPELLINGS.items() for word in words}
# One word for several bands: which is meant depends on the sensor; the first of these that it has.
_BY_SENSOR: Mapping[str, tuple[str, ...]] = {
    "nir": ("nir_broad", "nir_narrow"), "nearinfrared": ("nir_broad", "nir_narrow"), "nearir": ("nir_broad", "nir_narrow"),
    "infrared": ("nir_broad", "nir_narrow"), "rededge": ("red_edge_1",), "vegetationrededge": ("red_edge_1",), "re": ("red_edge_1",),
}  # fmt: skip
# Words for a group of bands, which a code or another word beside them tells apart (USGS: "Shortwave Infrared (SWIR) 1";
# ESA calls B5, B6, B7 and B8A "vegetation red edge").
_GROUPS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("swir", "shortwaveinfrared", "shortwaveir"), ("swir_1", "swir_2")),
    **dict.fromkeys(("rededge", "vegetationrededge", "re", "vre"), ("red_edge_1", "red_edge_2", "red_edge_3", "nir_narrow")),
}  # fmt: skip
# Bands that tell of the pixel instead of the ground.
_QUALITY = ("fmask", "qapixel", "qaradsat", "qaaerosol", "qa60", "scl", "sceneclassification", "cloud", "clouds",
            "cloudmask", "cldprb", "snwprb", "msk", "mask", "udm", "udm2", "quality", "validmask", "datamask", "alpha",
            "sraerosol", "tci", "pvi", "browse", "preview", "ql", "atmosopacity", "atran", "cdist", "drad", "emis", "emsd", "trad",
            "urad", "qa", "cloudqa", "sza", "saa", "vza", "vaa", "aot", "wvp", "std", "stddev", "stdev", "variance", "count")  # fmt: skip
_CODE = re.compile(
    r"(?<![a-z0-9])(?:(sr|toa|boa|st|s2|l8|l9)[ _.-]*)?b(?:and)?[ _.#-]*0*(\d{1,2})(a?)(?![a-z0-9])"
)
_SIZES = re.compile(r"\d+(?:\.\d+)?[ _]*(?:nm|um|µm|m)\b")
_FILLERS = re.compile(
    r"(?<![a-z0-9])(?:band|surface|sur|toa|boa|sr|st|refl|reflectance|msi|oli|tm|etm|central|wavelength|"
    r"d[bn]|decibels?|linear|power|sigma ?0|gamma ?0|sigma|gamma|nought|naught|rtc|grd|s[12][abc]?|sentinel ?[12][abc]?|"
    r"landsat ?[45789]?|l[ce]?0?[789]|mean|median|composite|um|nm)(?![a-z0-9])"
)


@dataclass(frozen=True)
class BandName:
    """A band's name, taken apart.

    Attributes:
        text: as it was written.
        word: what the words in it say, without spaces and signs; "" where there are none.
        code: "B4", "B8A"; "" where there is none.
        is_surface: the code has Landsat's prefix of surface reflectance, SR_.
        unit: "decibels" or "linear" where the words say so; "" where they do not.
    """

    text: str
    word: str
    code: str
    is_surface: bool = False
    unit: str = ""

    @property
    def is_quality(self) -> bool:
        """Whether the words name a mask or quality band."""
        return self.word in _QUALITY

    @property
    def is_empty(self) -> bool:
        """Whether nothing was written."""
        return not self.word and not self.code

    def meanings(self) -> tuple[str, ...]:
        """Common names that the words can stand for, the likeliest first; empty where they are not known."""
        return _BY_SENSOR.get(self.word) or (() if self.word in _GROUPS else _possible(self.word))

    def possible(self) -> tuple[str, ...]:
        """The same, and all bands of a group where the words name one."""
        return _possible(self.word)

    def name_for(self, sensor: Sensor) -> str | None:
        """The common name of this band on a sensor; None where the sensor has no such band or word and code differ."""
        coded = sensor.name_of_code(self.code)
        said = [name for name in self.meanings() if name in sensor.bands]
        if self.code and sensor.has_codes:
            return None if self.contradicts(sensor) else coded
        return said[0] if said else None

    def contradicts(self, sensor: Sensor) -> bool:
        """Whether a sensor cannot have written this name: its code is another band there, or none."""
        if not self.code or self.is_quality or not sensor.has_codes:
            return False
        if self.code in sensor.other:
            return bool(self.possible()) and sensor.other[self.code] not in self.possible()
        coded = sensor.name_of_code(self.code)
        return coded is None or bool(self.possible() and coded not in self.possible())


def parse(text: str | None) -> BandName:
    """A band's name taken apart, whatever spelling it has."""
    plain = re.sub(r"\s+", " ", (text or "").strip())
    lowered = plain.lower()
    found = (
        None if "sur_refl" in lowered else _CODE.search(lowered)
    )  # MODIS and VIIRS number their bands otherwise
    code = f"B{int(found[2])}{found[3].upper()}" if found else ""
    rest = lowered[: found.start()] + " " + lowered[found.end() :] if found else lowered
    words = re.sub(r"[_\-.(),]", " ", _SIZES.sub(" ", rest))
    word = re.sub(r"[^a-z0-9]+", "", _FILLERS.sub(" ", words))
    if not word and not code:  # the filler was all there is, as in "reflectance"
        word = re.sub(r"[^a-z0-9]+", "", lowered)
    return BandName(plain, word, code, found is not None and found[1] == "sr", _unit(lowered))


def _unit(lowered: str) -> str:
    """The unit of backscatter that words state."""
    if re.search(r"(?<![a-z0-9])(?:db|decibels?)(?![a-z0-9])", lowered.replace("_", " ")):
        return "decibels"
    return "linear" if re.search(r"(?<![a-z])(?:linear|power)(?![a-z])", lowered.replace("_", " ")) else ""


@cache
def _possible(word: str) -> tuple[str, ...]:
    """Common names that fit a word, or all of the words that it is made of ("nearinfrarednir"); empty: none."""
    if word in _GROUPS or word in _BY_SENSOR:
        return _GROUPS.get(word) or _BY_SENSOR[word]
    if word in _WORDS:
        return (_WORDS[word],)
    for cut in range(len(word) - 2, 1, -1):
        rest = _possible(word[cut:])
        both = tuple(name for name in _possible(word[:cut]) if name in rest)
        if both:
            return both
    return ()


def common_name(text: str) -> str:
    """The common name of a band as products and other programs write it; an unknown one in lower case.

    Where a word stands for several bands (`nir`), the narrow one of HLS is meant. Codes are Sentinel-2's.
    """
    from engine.imagery.sensors.table import SENSORS

    name = parse(text)
    if name.word in ("nir", "nearinfrared"):
        return "nir_narrow"
    found = name.name_for(SENSORS["sentinel2_l1c"]) or next(iter(name.meanings()), None)
    return found or re.sub(r"[\s-]+", "_", text.strip().lower())

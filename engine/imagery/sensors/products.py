"""What the names of files and folders tell of a product: its sensor, its time, its processing baseline, its band."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.imagery.sensors.names import BandName, parse

# Name -> sensor. Sources: ESA, Sentinel-2 Products Specification Document (naming convention); HLS v2.0 User Guide,
# section "Product naming"; USGS, Landsat Collection 2 Data Format Control Books; Planet, "PlanetScope Product
# Specification"; ESA, Sentinel-1 Product Definition; ASF, "RTC product guide".
_SENSOR_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"hls[._-]?(?:v?\d[._-])?s30(?![a-z0-9])", "hls_s30"),
    (r"hls[._-]?(?:v?\d[._-])?l30(?![a-z0-9])", "hls_l30"),
    (r"(?<![a-z0-9])s2[abc]?_?msil1c", "sentinel2_l1c"),
    (r"(?<![a-z0-9])s2[abc]?_?msil2a", "sentinel2_l2a"),
    (r"(?<![a-z0-9])s2[abc]_\d{2}[a-z]{3}_\d{8}_\d+_l2a", "sentinel2_l2a"),
    (r"(?<![a-z0-9])s2[abc]_\d{2}[a-z]{3}_\d{8}_\d+_l1c", "sentinel2_l1c"),
    (r"(?<![a-z0-9])l[co]0[89]_l2s[pr]_\d{6}_\d{8}", "landsat_c2l2"),
    (r"(?<![a-z0-9])l[co]0[89]_l1(?:tp|gt|gs)_\d{6}_\d{8}", "landsat_c2l1"),
    (r"(?<![a-z0-9])l[te]0[457]_l2s[pr]_\d{6}_\d{8}", "landsat_tm_c2l2"),
    (r"(?<![a-z0-9])l[te]0[457]_l1(?:tp|gt|gs)_\d{6}_\d{8}", "landsat_tm_c2l1"),
    (r"analyticms_sr_8b|_ortho_analytic_8b_sr", "planetscope_8b"),
    (r"analyticms_sr(?!_8b)|_ortho_analytic(?:_4b)?_sr", "planetscope_4b"),
    (r"_rtc\d{2}_g_.d", "sentinel1_grd"),  # ASF: decibels by the second letter
    (r"(?<![a-z0-9])s1[abcd]?_.{0,60}rtc|(?<![a-z0-9])s1[-_]?rtc|(?<![a-z0-9])rtc[-_]s1", "sentinel1_rtc"),
    (r"(?<![a-z0-9])s1[abcd]?[-_](?:iw|ew|sm)[-_]grd|(?<![a-z0-9])s1[-_]?grd", "sentinel1_grd"),
)
# Products that carry measured radiance, not reflectance, under numbers that look alike.
_RADIANCE = re.compile(r"analyticms(?!_sr)(?![a-z])|_ortho_analytic_(?:4b|8b)(?!_sr)(?![a-z])", re.I)
_S2_TOKEN = re.compile(
    r"(?<![a-z0-9])(?:s2[abc]?|sentinel[ _-]?2[abc]?)(?![a-z0-9])|^t\d{2}[a-z]{3}_\d{8}t\d{6}", re.I
)
_BASELINE = re.compile(r"_N(\d{2})(\d{2})_")
_HARMONISED = re.compile(r"harmoni[sz]ed|(?<![a-z0-9])harm(?![a-z])", re.I)
_DATES = (
    r"(?<!\d)(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})[T_](?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})(?!\d)",  # Sentinel, PlanetScope
    r"\.(?P<y>\d{4})(?P<j>\d{3})T(?P<H>\d{2})(?P<M>\d{2})(?P<S>\d{2})(?!\d)",  # HLS v2
    r"\.(?P<y>\d{4})(?P<j>\d{3})(?!\d)",  # HLS v1.4
    r"_\d{6}_(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})_",  # Landsat: path and row, then the acquisition
    r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<s>[-_]?)(?P<m>\d{2})(?P=s)(?P<d>\d{2})(?!\d)",  # a date by itself
)
# The part of a file's name that tells its band: the last one, before a resolution such as _20m.
_BAND_PART = re.compile(
    r"[._-](?P<band>(?:SR_|ST_|TOA_)?B\d{1,2}A?|(?:SR|ST|TOA)_[A-Z]+(?:_[A-Z]+)?|QA_[A-Z]+|SCL|AOT|WVP|TCI|Fmask|[A-Za-z][A-Za-z0-9]{1,15})"
    r"(?P<size>_\d{2,3}m)?$",
    re.I,
)

# Names of bands that have signs in them: the last two or three words of a file's name (`_red_edge_1`, `_nir_broad`).
_LONG_BANDS = re.compile(r"(?<=[._-])(?=((?:[A-Za-z]+[_-]){1,2}[A-Za-z0-9]+)(?:_\d{2,3}m)?$)")


@dataclass(frozen=True)
class ProductName:
    """What a name tells.

    Attributes:
        sensor: of the table; None where the name tells none.
        datetime: acquisition, UTC; None where the name tells none.
        baseline: of Sentinel-2's processing, as 4.0 for N0400; None where the name tells none.
        is_sentinel2: whether the name says so, with or without a level.
        is_harmonised: whether the name says that offsets were taken off.
        is_radiance: whether the product is radiance that no reflectance can be had from by a scale.
    """

    sensor: str | None = None
    datetime: datetime | None = None
    baseline: float | None = None
    is_sentinel2: bool = False
    is_harmonised: bool = False
    is_radiance: bool = False


def read_name(*names: str) -> ProductName:
    """What a file's name tells, and where it tells nothing, its folders' names, the nearest first.

    Folders count where they are named after a product: `2024-01-05 export` tells nothing of what lies in it.
    """
    told = [_read_one(name) for name in names if name]
    told = [*told[:1], *(one for one in told[1:] if one.sensor)]
    return ProductName(
        sensor=next((one.sensor for one in told if one.sensor), None),
        datetime=next((one.datetime for one in told if one.datetime), None),
        baseline=next((one.baseline for one in told if one.baseline is not None), None),
        is_sentinel2=any(one.is_sentinel2 for one in told),
        is_harmonised=any(one.is_harmonised for one in told),
        is_radiance=bool(told) and told[0].is_radiance,
    )


def band_part(stem: str) -> tuple[str, BandName] | None:
    """The stem of a one-band file without its band, and the band; None where no known band ends the stem.

    `HLS.S30.T10TGS.2018285T185251.v2.0.B8A` gives (`HLS.S30.T10TGS.2018285T185251.v2.0`, B8A), and
    `place_red_edge_1` gives (`place`, red_edge_1).
    """
    whole = f".{stem}"  # the band may be all that there is
    for tail in _LONG_BANDS.findall(whole):
        band = parse(tail)
        if band.meanings() and (band.unit or band.word == re.sub(r"[^a-z0-9]", "", tail.lower())):
            return re.sub(rf"[._-]{tail}(?:_\d{{2,3}}m)?$", "", whole)[1:], band
    found = _BAND_PART.search(whole)
    if not found:
        return None
    band = parse(found["band"])
    if not (band.code or band.meanings() or band.is_quality):
        return None
    return whole[1 : found.start()], band


def without_dates(name: str) -> str:
    """A name with each date in it as a space."""
    for pattern in _DATES:
        name = re.sub(pattern, " ", name)
    return name


def date_in(name: str) -> datetime | None:
    """The first date in a name, UTC; None where there is none."""
    return _date(name, is_product=False)


def resolution_m(stem: str) -> int | None:
    """Ground sampling distance that a file's name ends with (`_B02_20m`); None where it tells none."""
    found = re.search(r"_(\d{2,3})m$", stem)
    return int(found[1]) if found else None


def _read_one(name: str) -> ProductName:
    lowered = name.lower()
    baseline = _BASELINE.search(name + "_")
    sensor = next((known for pattern, known in _SENSOR_PATTERNS if re.search(pattern, lowered)), None)
    return ProductName(
        sensor=sensor,
        datetime=_date(name, is_product=sensor is not None),
        baseline=None if baseline is None else int(baseline[1]) + int(baseline[2]) / 100,
        is_sentinel2=bool(_S2_TOKEN.search(lowered)) or "msil1c" in lowered or "msil2a" in lowered,
        is_harmonised=bool(_HARMONISED.search(lowered)),
        is_radiance=bool(_RADIANCE.search(lowered)),
    )


def _date(name: str, is_product: bool) -> datetime | None:
    """The first date of a name that is one; of a product only its first, for the others are of its processing."""
    found = [match for pattern in _DATES for match in re.finditer(pattern, name)]
    first = min((match.start("y") for match in found), default=0)
    moments = (_moment(match.groupdict()) for match in found if not is_product or match.start("y") == first)
    return next((moment for moment in moments if moment is not None), None)


def _moment(part: dict[str, str]) -> datetime | None:
    try:
        day = (
            datetime(int(part["y"]), 1, 1, tzinfo=UTC) + timedelta(days=int(part["j"]) - 1)
            if part.get("j")
            else datetime(int(part["y"]), int(part["m"]), int(part["d"]), tzinfo=UTC)
        )
        is_real = not part.get("j") or (int(part["j"]) >= 1 and day.year == int(part["y"]))
        time = timedelta(
            hours=int(part.get("H") or 0), minutes=int(part.get("M") or 0), seconds=int(part.get("S") or 0)
        )
        return day + time if is_real and time < timedelta(days=1) and 1970 <= day.year <= 2100 else None
    except ValueError:
        return None

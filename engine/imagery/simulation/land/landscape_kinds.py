"""Kinds of landscape that are simulated, in several climates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Canopy:
    """What trees and shrubs of a climate are; ranges are drawn from uniformly.

    Attributes:
        broadleaf: share of the needles that are leaves instead.
        leafless: share of the leaves that have dried or fallen at the time of the fires.
        open_shade: share of the shade between crowns that is closed by leaves (smooth canopies shade themselves less).
    """

    broadleaf: tuple[float, float] = (0.0, 0.3)
    leafless: tuple[float, float] = (0.0, 0.1)
    open_shade: tuple[float, float] = (0.0, 0.2)


@dataclass(frozen=True)
class Climate:
    """Where the sun stands, when it is dry, and how soon a scar is overgrown.

    Attributes:
        latitude_deg: of the sun's path, not of the map: all places lie in two UTM zones.
        fire_days: days of the year on which fires start; beyond 365 in the year after.
        dry_from_day: day of the year from which herbs wither.
        longest_age_days: oldest scar that is looked at.
        aerosol: median optical depth at 0.55 micrometres in the months of fire: our own judgement in the range of AERONET's stations
            (Holben et al. 2001, J. Geophys. Res. 106, 12067-12097): clean in the west of North America and the north, hazy
            where the tropics burn.
        soils: see `endmembers.local_spectra`.
    """

    latitude_deg: tuple[float, float]
    fire_days: tuple[int, int]
    dry_from_day: int
    longest_age_days: int
    aerosol: float
    soils: tuple[float, float, float, float] = (0.5, 1.3, 1.2, 0.9)


_MEDITERRANEAN = Climate((34, 42), (175, 275), 130, 120, 0.1)
_TROPICAL = Climate((5, 22), (360, 460), 300, 45, 0.4, (1.2, 0.6, 0.9, 1.2))
_SAVANNA = Climate((8, 20), (325, 440), 290, 30, 0.3, (1.0, 0.8, 0.9, 0.8))
_BOREAL = Climate((52, 62), (150, 225), 205, 70, 0.12, (0.3, 0.8, 2.0, 0.4))
_STEPPE = Climate((38, 50), (180, 270), 150, 60, 0.12, (0.8, 1.4, 1.0, 0.9))


@dataclass(frozen=True)
class LandscapeKind:
    """One kind of landscape; shares are of the area, ranges are drawn from uniformly."""

    relief_m: tuple[float, float]
    farmland: tuple[float, float]
    forest: tuple[float, float]
    shrub: tuple[float, float]
    cuts: tuple[int, int]
    lake: tuple[float, float]
    towns: int
    lava: tuple[float, float] = (0.0, 0.0)
    ponds: tuple[float, float] = (0.0, 0.0)
    climate: Climate = _MEDITERRANEAN
    canopy: Canopy = field(default_factory=Canopy)


LANDSCAPE_KINDS: Mapping[str, LandscapeKind] = MappingProxyType(
    {
        "timber": LandscapeKind(
            (500, 1100), (0.0, 0.06), (0.62, 0.85), (0.08, 0.25), (6, 18), (0.0, 0.05), 0
        ),
        "foothills": LandscapeKind(
            (220, 520), (0.05, 0.25), (0.12, 0.35), (0.2, 0.4), (0, 3), (0.0, 0.07), 2
        ),
        "tropical hills": LandscapeKind(
            (350, 900), (0.03, 0.2), (0.5, 0.75), (0.1, 0.3), (4, 14), (0.0, 0.02), 2,
            climate=_TROPICAL, canopy=Canopy((0.8, 1.0), (0.0, 0.35), (0.4, 0.8)),
        ),
        "steppe": LandscapeKind(
            (60, 350), (0.0, 0.3), (0.0, 0.1), (0.2, 0.6), (0, 0), (0.0, 0.03), 1, lava=(0.0, 0.14),
            climate=_STEPPE,
        ),
        "chaparral": LandscapeKind(
            (350, 850), (0.0, 0.12), (0.08, 0.25), (0.45, 0.7), (0, 2), (0.0, 0.06), 2
        ),
        "savanna": LandscapeKind(
            (40, 200), (0.02, 0.25), (0.1, 0.4), (0.15, 0.4), (0, 4), (0.0, 0.04), 2,
            climate=_SAVANNA, canopy=Canopy((0.9, 1.0), (0.1, 0.6), (0.3, 0.7)),
        ),
        "valley": LandscapeKind((120, 300), (0.4, 0.65), (0.08, 0.22), (0.1, 0.3), (0, 2), (0.0, 0.05), 3),
        "boreal": LandscapeKind(
            (60, 300), (0.0, 0.04), (0.55, 0.85), (0.1, 0.3), (0, 8), (0.0, 0.04), 0, ponds=(0.01, 0.08),
            climate=_BOREAL, canopy=Canopy((0.0, 0.4), (0.0, 0.05), (0.0, 0.1)),
        ),
    }
)  # fmt: skip


def landscape_kind_of(index: int) -> str:
    """Kinds of country take turns, so that every split has some of each."""
    return list(LANDSCAPE_KINDS)[index % len(LANDSCAPE_KINDS)]

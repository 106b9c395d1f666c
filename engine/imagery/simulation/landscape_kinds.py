"""Kinds of landscape that are simulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


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


LANDSCAPE_KINDS: Mapping[str, LandscapeKind] = MappingProxyType(
    {
        "timber": LandscapeKind(
            (500, 1100), (0.0, 0.06), (0.62, 0.85), (0.08, 0.25), (6, 18), (0.0, 0.05), 0
        ),
        "foothills": LandscapeKind(
            (220, 520), (0.05, 0.25), (0.12, 0.35), (0.2, 0.4), (0, 3), (0.0, 0.07), 1
        ),
        "chaparral": LandscapeKind(
            (350, 850), (0.0, 0.12), (0.08, 0.25), (0.45, 0.7), (0, 2), (0.0, 0.06), 1
        ),
        "valley": LandscapeKind((120, 300), (0.4, 0.65), (0.08, 0.22), (0.1, 0.3), (0, 2), (0.0, 0.05), 2),
    }
)

"""Where a map of two classes fails: by distance to the edge of the class, by the size of its patches, by severity.

All are counts of test pixels, which add over places. The class that is looked for is called the scar here; it may be
water or anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

# Edges of the bins in pixels: a pixel beside the edge lies at most one away from it.
_DISTANCES_PX = (0, 1, 2, 4, 8, 16, 32)
_HECTARES = (0.0, 1.0, 5.0, 25.0, 100.0, 500.0, 2500.0)
# dNBR classes of Key & Benson 2006 (FIREMON, RMRS-GTR-164-CD, table LA-2); both moderate ones are one.
DNBR_EDGES = (0.1, 0.27, 0.66)
DNBR_TITLES = (
    "dNBR below 0.10",
    "low, dNBR 0.10 to 0.27",
    "moderate, dNBR 0.27 to 0.66",
    "high, dNBR above 0.66",
)


@dataclass(frozen=True)
class Stratum:
    """Labelled test pixels of one kind.

    Attributes:
        kind: "inside" and "outside" (distance), "size" or "severity".
        title: of the bin, with its unit.
        low, high: its ends, in metres or hectares; high None: open. None where the bins are names.
        pixels: how many; called: how many of them the map calls the scar.
        scars: how many scars they belong to (size).
    """

    kind: str
    title: str
    low: float | None
    high: float | None
    pixels: int
    called: int
    scars: int = 0

    @property
    def wrong(self) -> float:
        """Share that the map has wrong: missed, or outside of the scar falsely called so."""
        share = self.called / self.pixels
        return share if self.kind == "outside" else 1 - share


def by_distance(truth: np.ndarray, called: np.ndarray, gsd_m: float) -> list[Stratum]:
    """Pixels by how far the nearest pixel of the other class lies (between centres), inside and outside of the scar.

    Ground without a label has no class, so that an edge beyond it is not seen.

    Args:
        truth: (H, W) 1 the scar, 0 not, negative missing; called: the same of the map.
    """
    from scipy.ndimage import distance_transform_edt

    found = []
    for kind, own, other in (("inside", 1, 0), ("outside", 0, 1)):
        if not (truth == other).any() or not (truth == own).any():
            continue
        away = distance_transform_edt(truth != other)
        judged = (truth == own) & (called >= 0)
        bins = np.searchsorted(_DISTANCES_PX[1:], away[judged], side="left")
        hits = called[judged] == 1
        for index, low in enumerate(_DISTANCES_PX):
            chosen = bins == index
            high = _DISTANCES_PX[index + 1] if index + 1 < len(_DISTANCES_PX) else None
            title = _span(low * gsd_m, None if high is None else high * gsd_m, "m")
            found.append(
                Stratum(
                    kind,
                    title,
                    low * gsd_m,
                    None if high is None else high * gsd_m,
                    int(chosen.sum()),
                    int(hits[chosen].sum()),
                )
            )
    return _filled(found)


def by_size(truth: np.ndarray, called: np.ndarray, hectares_a_pixel: float) -> list[Stratum]:
    """Pixels of scars by the area of their scar: pixels that touch, also at a corner, as far as the test ground shows them."""
    from scipy.ndimage import label

    numbers, count = label(truth == 1, np.ones((3, 3)))
    if not count:
        return []
    area = np.bincount(numbers.ravel(), minlength=count + 1) * hectares_a_pixel
    bin_of = np.searchsorted(_HECTARES[1:], area, side="right")
    judged = (numbers > 0) & (called >= 0)
    bins, hits = bin_of[numbers[judged]], called[judged] == 1
    found = []
    for index, low in enumerate(_HECTARES):
        chosen = bins == index
        high = _HECTARES[index + 1] if index + 1 < len(_HECTARES) else None
        scars = int((bin_of[1:] == index).sum())
        found.append(
            Stratum(
                "size", _span(low, high, "ha"), low, high, int(chosen.sum()), int(hits[chosen].sum()), scars
            )
        )
    return _filled(found)


def by_severity(
    truth: np.ndarray, called: np.ndarray, severity: np.ndarray, titles: Sequence[str]
) -> list[Stratum]:
    """Pixels of scars by the class of their severity, as far as it is known.

    Args:
        severity: (H, W) index among the titles; negative: not known.
    """
    judged = (truth == 1) & (called >= 0) & (severity >= 0)
    found = []
    for index, title in enumerate(titles):
        chosen = judged & (severity == index)
        found.append(
            Stratum("severity", title, None, None, int(chosen.sum()), int((called[chosen] == 1).sum()))
        )
    return _filled(found)


def summed(strata: Sequence[Stratum]) -> list[Stratum]:
    """Strata of many places added up: one for each kind and bin, in the order of their ends."""
    held: dict[tuple[str, str], Stratum] = {}
    for one in strata:
        key = one.kind, one.title
        before = held.get(key)
        held[key] = one if before is None else Stratum(
            one.kind, one.title, one.low, one.high, before.pixels + one.pixels, before.called + one.called, before.scars + one.scars,
        )  # fmt: skip
    return sorted(held.values(), key=lambda one: (one.kind, -1 if one.low is None else one.low))


def to_json(strata: Sequence[Stratum]) -> list[dict[str, Any]]:
    """One mapping a stratum."""
    return [asdict(one) for one in strata]


def from_json(tree: Sequence[Mapping[str, Any]]) -> tuple[Stratum, ...]:
    """What `to_json` wrote."""
    return tuple(Stratum(**one) for one in tree)


def _filled(strata: Sequence[Stratum]) -> list[Stratum]:
    return [one for one in strata if one.pixels]


def _span(low: float, high: float | None, unit: str) -> str:
    if high is None:
        return f"above {low:g} {unit}"
    return f"up to {high:g} {unit}" if not low else f"{low:g} to {high:g} {unit}"

"""Choosing among the days of a search: the best one, before and after a fire, one a month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import shapely
from shapely.geometry.base import BaseGeometry

from engine.errors import NotSeen

if TYPE_CHECKING:
    from engine.imagery.catalogues.search import Item  # pystac-client: not for every page

# A day that is nearer to a fire is taken when it shows this share of what the clearest day shows.
ENOUGH = 0.85
# From this share on, a region counts as covered.
_WHOLE = 0.995


@dataclass(frozen=True)
class Day:
    """What was seen of a region on one day.

    Attributes:
        items: the largest part of the region first.
        share: of the region that they cover together, 0 to 1.
        cloud_pct: mean of the items by what they cover; None where none states it.
    """

    day: date
    items: tuple[Item, ...]
    share: float
    cloud_pct: float | None

    @property
    def usable(self) -> float:
        """Share of the region that is covered and, as far as the catalogue tells, clear."""
        return usable(self.share, self.cloud_pct)


def days_of(items: Sequence[Item], region: BaseGeometry) -> tuple[Day, ...]:
    """The days of a search, oldest first."""
    by_day: dict[date, list[Item]] = {}
    for item in items:
        by_day.setdefault(item.day, []).append(item)
    return tuple(_day(day, own, region) for day, own in sorted(by_day.items()))


def _day(day: date, items: list[Item], region: BaseGeometry) -> Day:
    share, cloud = seen([(item.footprint, item.cloud_pct) for item in items], region)
    return Day(day, tuple(sorted(items, key=lambda one: (-one.share, one.id))), share, cloud)


def seen(
    parts: Sequence[tuple[BaseGeometry, float | None]], region: BaseGeometry
) -> tuple[float, float | None]:
    """Share of a region that images of one day cover together, and their cloud in per cent by what each covers.

    Args:
        parts: footprint and cloud of each image; None where it states no cloud.
    """
    covered = shapely.union_all([footprint for footprint, _ in parts]).intersection(region).area / region.area
    known = [(footprint.intersection(region).area, pct) for footprint, pct in parts if pct is not None]
    area = sum(own for own, _ in known)
    cloud = sum(own * pct for own, pct in known) / area if area else None
    return min(covered, 1.0), cloud


def usable(share: float, cloud_pct: float | None) -> float:
    """Share of a region that is covered and, as far as it is told, clear."""
    return share * (1 - (cloud_pct or 0.0) / 100)


def clear_enough(shares: Mapping[date, float]) -> list[date]:
    """The days that show about as much of a region as the clearest of them, in their order.

    Args:
        shares: usable share of each day.
    """
    return [day for day, share in shares.items() if share >= ENOUGH * max(shares.values())]


def best(days: Sequence[Day]) -> Day:
    """The day that shows the most of a region; of equal ones, the newest."""
    return max(days, key=lambda one: (round(one.usable, 3), one.day))


def before(days: Sequence[Day], fire: date) -> Day:
    """The last day before a fire that shows about as much as the clearest one.

    Raises:
        NotSeen: there is none.
    """
    found = [one for one in days if one.day < fire]
    if not found:
        raise NotSeen(
            f"No scene before the fire of {fire} was found. Begin scene.dates earlier, or allow more cloud."
        )
    return _shown(found)[-1]


def after(days: Sequence[Day], fire: date) -> Day:
    """The first day after a fire that shows about as much as the clearest one; the day of the fire itself does not count.

    Raises:
        NotSeen: there is none.
    """
    found = [one for one in days if one.day > fire]
    if not found:
        raise NotSeen(
            f"No scene after the fire of {fire} was found. End scene.dates later, or allow more cloud."
        )
    return _shown(found)[0]


def monthly(days: Sequence[Day]) -> tuple[Day, ...]:
    """The best day of each month that has one."""
    months: dict[tuple[int, int], list[Day]] = {}
    for one in days:
        months.setdefault((one.day.year, one.day.month), []).append(one)
    return tuple(best(own) for _, own in sorted(months.items()))


def absent_months(days: Sequence[Day]) -> tuple[str, ...]:
    """Months between the first and the last day of which there is none, as 2023-08."""
    there = {(one.day.year, one.day.month) for one in days}
    first, last = min(there), max(there)
    span = range(first[0] * 12 + first[1] - 1, last[0] * 12 + last[1])
    return tuple(f"{n // 12}-{n % 12 + 1:02d}" for n in span if (n // 12, n % 12 + 1) not in there)


def items_of(day: Day, fills: bool) -> tuple[Item, ...]:
    """The items of a day that are read: all where they fill one another, else the one that covers most."""
    return day.items if fills else day.items[:1]


def partial(days: Sequence[Day], fills: bool) -> Iterator[str]:
    """What is to be said of days that do not show all of the region."""
    for day in days:
        share = day.share if fills else day.items[0].share
        if share < _WHOLE:
            alone = "" if fills or len(day.items) == 1 else ", in the one item that shows most"
            yield f"{day.day}: {100 * share:.0f} % of the region is covered{alone}; the rest is a gap."


def _shown(days: Sequence[Day]) -> list[Day]:
    """Those of some days that show about as much as the clearest, oldest first."""
    clear = set(clear_enough({one.day: one.usable for one in days}))
    return sorted((one for one in days if one.day in clear), key=lambda one: one.day)

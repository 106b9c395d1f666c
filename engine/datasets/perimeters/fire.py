"""One fire of a file of perimeters: its parts, its days, and how messages and files call it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from shapely.geometry.base import BaseGeometry

from engine.files import slug


@dataclass(frozen=True)
class Part:
    """A polygon of a fire in lon/lat, and the attribute that classes come from (None where none is asked for)."""

    shape: BaseGeometry
    value: Any = None


@dataclass(frozen=True)
class Fire:
    """A fire.

    Attributes:
        number: of the file's fires, from 1.
        name: as the file states it; "" where it does not.
        start: the day that it began.
        end: the day that it is stated to have ended, or that its perimeter is of; None: not stated.
        shape: all of its ground in lon/lat.
        parts: its polygons; of several that share ground the last one counts.
    """

    number: int
    name: str
    start: dt.date
    end: dt.date | None
    shape: BaseGeometry
    parts: tuple[Part, ...]

    @property
    def key(self) -> str:
        """A name for files: letters, digits and hyphens."""
        return f"fire{self.number:04d}" + (
            f"-{word}" if (word := slug(self.name, most=30).strip("-").lower()) else ""
        )

    @property
    def title(self) -> str:
        """What messages call it."""
        return f"{self.name or 'Fire'} ({self.start})" if self.name else f"Fire {self.number} ({self.start})"

    def over(self, burning_days: int) -> dt.date:
        """The last day on which it may burn.

        Args:
            burning_days: how long a fire burns whose end is not stated.
        """
        return self.end or self.start + dt.timedelta(days=burning_days)


@dataclass(frozen=True)
class NotHad:
    """A fire, or a row of the file, of which there are no chips, or fewer than there could be.

    Attributes:
        fire: its name, or the row.
        date: of the fire, or of the image that could not be had; "" where none is known.
        reason: in words, with the address where there is one.
    """

    fire: str
    date: str
    reason: str

"""Fires that many people look for, with their days and where these are stated; rectangles are drawn roughly around them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from engine.errors import BadInput
from engine.nearest import nearest


@dataclass(frozen=True)
class NamedFire:
    """A fire.

    Attributes:
        start: the day that it began; end: the day that it was contained, as the source states them.
        bounds_lonlat: a rectangle around the burnt ground, to about a kilometre; no perimeter.
        source: whose days these are; page: where they are read.
    """

    name: str
    title: str
    country: str
    start: dt.date
    end: dt.date
    bounds_lonlat: tuple[float, float, float, float]
    source: str
    page: str


def _california(
    name: str, start: str, end: str, bounds: tuple[float, float, float, float], page: str = ""
) -> NamedFire:
    """A fire of California; its page is Wikipedia's where none is named."""
    title = name.replace("-", " ").title()
    page = page or f"https://en.wikipedia.org/wiki/{title.replace(' ', '_')}"
    source = "Wikipedia, after CAL FIRE" if "wikipedia" in page else "press, after CAL FIRE"
    return NamedFire(name, title, "United States", dt.date.fromisoformat(start), dt.date.fromisoformat(end), bounds, source, page)  # fmt: skip


_LOS_ANGELES = "https://kesq.com/news/2025/01/08/la-san-diego-counties-near-full-containment"
# Both days of each fire were read on its page in November 2026.
NAMED_FIRES = (
    _california("thomas-fire", "2017-12-04", "2018-01-12", (-119.72, 34.27, -118.97, 34.64)),
    _california("carr-fire", "2018-07-23", "2018-08-30", (-122.90, 40.50, -122.33, 40.90)),
    _california("camp-fire", "2018-11-08", "2018-11-25", (-121.68, 39.58, -121.32, 39.92),
                "https://fortune.com/2018/11/08/california-fires-camp-fire-chico-butte-county-wildfires-google-map"),
    _california("woolsey-fire", "2018-11-08", "2018-11-21", (-118.98, 33.99, -118.60, 34.26)),
    _california("creek-fire", "2020-09-04", "2020-12-24", (-119.55, 37.00, -118.92, 37.68)),
    _california("dixie-fire", "2021-07-13", "2021-10-25", (-121.60, 39.79, -120.20, 40.75)),
    _california("caldor-fire", "2021-08-14", "2021-10-21", (-120.70, 38.52, -119.92, 38.93)),
    _california("park-fire", "2024-07-24", "2024-09-26", (-122.10, 39.75, -121.35, 40.45)),
    _california("palisades-fire", "2025-01-07", "2025-01-31", (-118.72, 34.02, -118.46, 34.15), _LOS_ANGELES),
    _california("eaton-fire", "2025-01-07", "2025-01-31", (-118.20, 34.15, -117.98, 34.27), _LOS_ANGELES),
)  # fmt: skip


def named_fire(name: str) -> NamedFire:
    """The fire of a name.

    Raises:
        BadInput: there is none.
    """
    found = {one.name: one for one in NAMED_FIRES}
    if name not in found:
        raise BadInput(
            f"No fire is named {name!r}{nearest(name, list(found))}. There are {', '.join(found)}."
        )
    return found[name]

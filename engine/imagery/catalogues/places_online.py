"""Places of the Earth by name from OpenStreetMap's Nominatim, for what the table on this machine does not know.

Source of the form: "Nominatim API, search" (https://nominatim.org/release-docs/latest/api/Search/). Its usage policy allows
one request a second, asked by a person, and wants the source named beside what came.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from engine.errors import RegionError, RemoteError
from engine.imagery.region import Region
from engine.imagery.remote.addresses import shown
from engine.imagery.remote.http import Asked, ask
from engine.imagery.remote.settings import settings

ADDRESS = "https://nominatim.openstreetmap.org/search"
SOURCE = "© OpenStreetMap contributors, ODbL"
_MOST_FOUND, _MOST_BYTES, _LONGEST = 10, 1_000_000, 200
# A point, or a house, becomes a box of this many degrees a side: about 2 km.
_LEAST_DEG = 0.02
_BETWEEN_S = 1.0

_lock = threading.Lock()
_last = [0.0]


@dataclass(frozen=True)
class OnlinePlace:
    """A place that was found.

    Attributes:
        title: its name with those of what it lies in.
        bounds_lonlat: west, south, east, north in degrees.
    """

    title: str
    bounds_lonlat: tuple[float, float, float, float]

    def region(self) -> Region:
        """Its box.

        Raises:
            RegionError: it is larger than a region may be.
        """
        return Region.from_bounds(*self.bounds_lonlat)


def find_places_online(words: str) -> tuple[OnlinePlace, ...]:
    """Places of a name, the likeliest first.

    Raises:
        RegionError: none is known, or the words are none.
        RemoteError: the service cannot be asked, or answers something else.
    """
    wanted = " ".join(words.split())[:_LONGEST]
    if len(wanted) < 2:
        raise RegionError("The name of a place has at least two letters. Type more of it.")
    address = settings().services.get("places", ADDRESS)
    asked = Asked(
        f"{address}?{urlencode({'q': wanted, 'format': 'jsonv2', 'limit': _MOST_FOUND})}",
        most_bytes=_MOST_BYTES,
    )
    with _lock:
        time.sleep(max(0.0, _last[0] + _BETWEEN_S - time.monotonic()))
        _last[0] = time.monotonic()
        answer = ask(asked, tries=2)
    if answer.status != 200:
        raise RemoteError(f"{shown(address)} answered {answer.status}. Try again later, or draw the region.")
    try:
        found = tuple(_place(one) for one in json.loads(answer.body))
    except (ValueError, KeyError, TypeError, RecursionError) as err:
        raise RemoteError(
            f"{shown(address)} answered something that is no list of places. Draw the region."
        ) from err
    if not found:
        raise RegionError(
            f"{shown(address)} knows no place named {wanted[:60]!r}. Try another spelling, or draw the region."
        )
    return found


def _place(one: dict[str, object]) -> OnlinePlace:
    """A place of the answer, whose box is [south, north, west, east] as text."""
    box = one["boundingbox"]
    if not isinstance(box, list):
        raise TypeError(box)
    south, north, west, east = (float(edge) for edge in box)
    if not (-90 <= south <= north <= 90 and -180 <= west <= 180 and -180 <= east <= 180):
        raise ValueError(box)
    y, x = max(0.0, _LEAST_DEG - (north - south)) / 2, max(0.0, _LEAST_DEG - abs(east - west)) / 2
    title = " ".join(str(one["display_name"]).split())[:_LONGEST]
    return OnlinePlace(
        title, (max(west - x, -180.0), max(south - y, -90.0), min(east + x, 180.0), min(north + y, 90.0))
    )

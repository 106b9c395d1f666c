"""Places of the Earth by name, without a network: cities above 15,000 people, and boxes around them.

The table is GeoNames' (https://www.geonames.org, CC BY 4.0), made by `assets/make_places.py`.
"""

from __future__ import annotations

import gzip
import math
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np

from engine.errors import RegionError
from engine.imagery.region import Region
from engine.paths import PROJECT

SOURCE = "GeoNames, CC BY 4.0"
_TABLE = PROJECT / "assets" / "samples" / "places.tsv.gz"
_KM_PER_DEGREE, _EARTH_KM = 111.2, 6371.0
_MOST_FOUND = 20


@dataclass(frozen=True)
class Place:
    """A city.

    Attributes:
        country: its name in English, with the state's letters for the United States.
        others: names in other languages, and former ones.
    """

    name: str
    country: str
    lat: float
    lon: float
    people: int
    others: tuple[str, ...]

    @property
    def title(self) -> str:
        """Name, country, people and coordinates: no two places have all of them in common."""
        north, east = "N" if self.lat >= 0 else "S", "E" if self.lon >= 0 else "W"
        return f"{self.name}, {self.country} ({self.people:,} people, {abs(self.lat):.2f}° {north} {abs(self.lon):.2f}° {east})"

    def region(self, side_km: float) -> Region:
        """A box of so many kilometres a side around the place.

        Raises:
            RegionError: it is too large.
        """
        down = side_km / 2 / _KM_PER_DEGREE
        across = down / math.cos(math.radians(self.lat))
        west, east = ((lon + 180) % 360 - 180 for lon in (self.lon - across, self.lon + across))
        return Region.from_bounds(west, self.lat - down, east, self.lat + down)


def find_places(words: str) -> tuple[Place, ...]:
    """Places whose name, in any of its languages, begins with the words; whole names first, then the largest.

    A part after a comma chooses the country: "Valencia, Spain".

    Raises:
        RegionError: no place is known by these words.
    """
    name, _, country = words.partition(",")
    wanted, within = _plain(name), _plain(country)
    if len(wanted) < 2:
        raise RegionError("The name of a place has at least two letters. Type more of it.")
    found: dict[Place, bool] = {}
    for known, place in _names():
        if known.startswith(wanted) and within in _plain(place.country):
            found[place] = found.get(place, False) or known == wanted
    if not found:
        raise RegionError(
            f"No city above 15,000 people is known as {words.strip()[:60]!r}. Try another spelling or a larger town near it, "
            f"or draw the region."
        )
    ranked = sorted(found, key=lambda place: (not found[place], -place.people))
    return tuple(ranked[:_MOST_FOUND])


def nearest_place(lat: float, lon: float) -> tuple[Place, float]:
    """The city that is nearest to a point, and how far it is in kilometres along a great circle."""
    places, at = _table_of_places()
    north, east = math.radians(lat), math.radians(lon)
    half = (
        np.sin((at[:, 0] - north) / 2) ** 2
        + np.cos(at[:, 0]) * math.cos(north) * np.sin((at[:, 1] - east) / 2) ** 2
    )
    nearest = int(half.argmin())
    return places[nearest], 2 * _EARTH_KM * math.asin(math.sqrt(min(float(half[nearest]), 1.0)))


@cache
def _names() -> tuple[tuple[str, Place], ...]:
    """Every name without capitals and accents, with its place."""
    return tuple(
        (_plain(name), place) for place in _table_of_places()[0] for name in (place.name, *place.others)
    )


@cache
def _table_of_places() -> tuple[tuple[Place, ...], np.ndarray]:
    """All places, and (n, 2) their latitudes and longitudes in radians."""
    places = []
    for line in gzip.decompress(_TABLE.read_bytes()).decode("utf-8").splitlines():
        name, country, lat, lon, people, others = line.split("\t")
        own = tuple(others.split(";")) if others else ()
        places.append(Place(name, country, float(lat), float(lon), int(people), own))
    return tuple(places), np.radians([(place.lat, place.lon) for place in places])


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))

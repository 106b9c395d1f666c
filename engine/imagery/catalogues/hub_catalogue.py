"""Sentinel Hub's catalogue: when a rectangle was seen, and how cloudy, for those with an account.

Source of the request's form: Sentinel Hub, "Catalog API reference" (a STAC API behind the account of the process API).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from engine.errors import RemoteError
from engine.imagery.raster.dates import parse_time
from engine.imagery.remote import process_api
from engine.imagery.remote.addresses import shown

_A_PAGE, _MOST_PAGES = 100, 20
_MOST_BYTES = 48_000_000


@dataclass(frozen=True)
class Seen:
    """One scene.

    Attributes:
        cloud_pct: of the whole scene; None where it is not stated.
        footprint: in lon/lat.
    """

    when: datetime
    cloud_pct: float | None
    footprint: BaseGeometry


def scenes_over(collection: str, area: BaseGeometry, first: date, last: date) -> list[Seen]:
    """The scenes over an area from a first to a last day, both counted, oldest first.

    Raises:
        RemoteError: no account, refused, or an answer that is no catalogue's.
    """
    address = f"{process_api.address().rpartition('/process')[0]}/catalog/1.0.0/search"
    asked: dict[str, Any] = {
        "bbox": list(area.bounds), "collections": [collection], "limit": _A_PAGE,
        "datetime": f"{first}T00:00:00Z/{last}T23:59:59Z",
    }  # fmt: skip
    found: list[Seen] = []
    for _ in range(_MOST_PAGES):
        answer = process_api.asked_with_account(address, asked, "application/geo+json", _MOST_BYTES)
        try:
            said: Any = json.loads(answer.body) if answer.status == 200 else {}
            features, next_one = said["features"], (said.get("context") or {}).get("next")
            found += [one for one in map(_seen, features) if one.footprint.intersects(area)]
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            shapely.errors.ShapelyError,
        ) as err:
            raise RemoteError(
                f"Sentinel Hub ({shown(address)}) listed no scenes of {first} to {last}: {process_api.why(answer)}"
            ) from err
        if next_one is None:
            return sorted(found, key=lambda one: one.when)
        asked["next"] = next_one
    raise RemoteError(f"Sentinel Hub ({shown(address)}) lists scenes without end. Ask for fewer days.")


def _seen(said: dict[str, Any]) -> Seen:
    when = parse_time(str(said["properties"]["datetime"]))
    if when is None:
        raise ValueError("a scene without a date")
    cloud = said["properties"].get("eo:cloud_cover")
    return Seen(
        when,
        float(cloud) if isinstance(cloud, int | float) else None,
        shapely.make_valid(shape(said["geometry"])),
    )

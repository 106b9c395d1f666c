"""Searching a catalogue through pystac-client: by region, dates and cloud, over connections to checked addresses."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import requests
import shapely
from pystac import STACError
from pystac_client import Client
from pystac_client.exceptions import APIError, ParametersError
from pystac_client.stac_api_io import StacApiIO
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from engine.errors import RemoteError
from engine.imagery.catalogues.item_files import thumbnail_of
from engine.imagery.catalogues.presets import Catalogue
from engine.imagery.raster.dates import parse_time
from engine.imagery.remote.http import Asked, ask

MOST_ITEMS = 1000
_A_PAGE = 100
_MOST_PAGES = 60
_MOST_PAGE_BYTES = 48_000_000
_HOURS_A_DEGREE = 24 / 360
# What a catalogue's client raises of an answer that is no STAC.
_NOT_STAC = (
    APIError,
    ParametersError,
    STACError,
    NotImplementedError,
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
)


@dataclass(frozen=True)
class Item:
    """One item of a catalogue, as far as choosing needs it.

    Attributes:
        day: of the sun at its place: one overpass has one day, also where UTC turns over.
        cloud_pct: of the whole item, as the catalogue states it; None where it does not.
        share: of the region that it covers, 0 to 1.
        place: of its tile or its path and row; items of one place and day are one acquisition.
        thumbnail: address of a small picture; "" where there is none.
        said: the item as the catalogue gave it.
    """

    id: str
    datetime: datetime
    day: date
    cloud_pct: float | None
    share: float
    footprint: BaseGeometry
    place: str
    thumbnail: str
    said: Mapping[str, Any]


def search(
    catalogue: Catalogue,
    collection: str,
    region: BaseGeometry,
    dates: tuple[date, date] | None,
    most_cloud_pct: float = 100.0,
    ids: Sequence[str] | None = None,
) -> tuple[Item, ...]:
    """The items of a collection over a region, oldest first, each acquisition once.

    Args:
        region: in lon/lat.
        dates: the first and the last day, both counted; None: all.
        ids: only these.

    Raises:
        RemoteError: no network, an answer that is no STAC, pages without end.
    """
    asked: dict[str, Any] = {"collections": [collection], "bbox": list(region.bounds), "limit": _A_PAGE}
    if ids:
        asked["ids"] = list(ids)
    if dates is not None:
        # The sun's day differs from the one of UTC by half a day at most.
        first, last = dates[0] - timedelta(days=1), dates[1] + timedelta(days=1)
        asked["datetime"] = f"{first.isoformat()}T00:00:00Z/{last.isoformat()}T23:59:59Z"
    found = list(_items(catalogue, asked, region))
    kept = [
        one for one in found
        if (dates is None or dates[0] <= one.day <= dates[1]) and (one.cloud_pct or 0) <= most_cloud_pct
    ]  # fmt: skip
    return tuple(sorted(_once(kept), key=lambda one: (one.datetime, one.id)))


def _items(catalogue: Catalogue, asked: dict[str, Any], region: BaseGeometry) -> Iterator[Item]:
    """The items of all pages that are over a region and have a date.

    Raises:
        RemoteError: as `search`.
    """
    seen: set[str] = set()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on what a catalogue does not say of itself
            client = Client.open(catalogue.address, stac_io=_checked_io())
            for number, page in enumerate(client.search(**asked).pages_as_dicts()):
                features = page.get("features") or []
                new = [one for one in features if str(one["id"]) not in seen]
                if (features and not new) or number >= _MOST_PAGES:
                    raise RemoteError(
                        f"{catalogue.title} gives pages of results without end. Try again later, or another catalogue."
                    )
                seen |= {str(one["id"]) for one in new}
                yield from filter(None, (_item(one, region) for one in new))
                if len(seen) >= MOST_ITEMS:
                    raise RemoteError(
                        f"{catalogue.title} finds more than {MOST_ITEMS:,} items. Choose fewer days or a smaller region."
                    )
    except RemoteError:
        raise
    except _NOT_STAC as err:
        if isinstance(err.__context__, RemoteError):  # pystac-client tells of it in its own words
            raise err.__context__ from err
        why = " ".join(str(err).split())[:120] or type(err).__name__
        raise RemoteError(
            f"{catalogue.title} did not answer as a STAC API does ({why}). Try again later, or another catalogue."
        ) from err


def _checked_io() -> StacApiIO:
    """pystac-client's way to the network, over connections of our own."""
    made = StacApiIO(max_retries=None)
    made.session.trust_env = False
    for scheme in ("https://", "http://"):
        made.session.mount(scheme, cast(BaseAdapter, _Adapter()))
    return made


class _Adapter:
    """What sends the requests of a session."""

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        headers = {name: str(value) for name, value in request.headers.items()}
        headers.pop("Content-Length", None)
        headers.pop("Accept-Encoding", None)
        answer = ask(Asked(str(request.url), request.method or "GET", headers, body, _MOST_PAGE_BYTES))
        made = requests.Response()
        made.status_code, made.url, made.request = answer.status, answer.url, request
        made.headers = CaseInsensitiveDict(answer.headers)
        made.encoding, made.raw = "utf-8", io.BytesIO(answer.body)
        return made

    def close(self) -> None:
        """Connections are shared, and stay."""


def _item(said: Mapping[str, Any], region: BaseGeometry) -> Item | None:
    """An item that is over the region and has a date; None otherwise.

    Raises:
        KeyError, TypeError, ValueError: it is no STAC item.
    """
    properties = said["properties"]
    when = parse_time(str(properties.get("datetime") or properties.get("start_datetime") or ""))
    try:
        footprint = shapely.make_valid(shape(said["geometry"]))
    except (shapely.errors.ShapelyError, AttributeError, IndexError) as err:
        raise ValueError(f"the item {said.get('id')} has no footprint") from err
    share = footprint.intersection(region).area / region.area
    if when is None or share <= 0 or not isinstance(said.get("assets"), dict):
        return None
    day = (when + timedelta(hours=region.centroid.x * _HOURS_A_DEGREE)).date()
    cloud = properties.get("eo:cloud_cover")
    cloud_pct = float(cloud) if isinstance(cloud, int | float) and 0 <= cloud <= 100 else None
    return Item(
        str(said["id"]),
        when.astimezone(UTC),
        day,
        cloud_pct,
        share,
        footprint,
        _place(said),
        thumbnail_of(said),
        said,
    )


def _place(said: Mapping[str, Any]) -> str:
    """Which tile, or path and row, an item is of; its footprint where it does not say."""
    properties = said["properties"]
    for name in ("grid:code", "s2:mgrs_tile"):
        if properties.get(name):
            return str(properties[name])
    if properties.get("landsat:wrs_path") and properties.get("landsat:wrs_row"):
        return f"{properties['landsat:wrs_path']}/{properties['landsat:wrs_row']}"
    return ",".join(f"{float(edge):.2f}" for edge in said.get("bbox") or ())


def _once(items: Sequence[Item]) -> list[Item]:
    """Of an acquisition that was processed several times, the newest version."""
    best: dict[tuple[str, date, str, str], Item] = {}
    for item in items:
        platform = str(item.said["properties"].get("platform", ""))
        key = (item.place, item.day, platform, item.datetime.strftime("%H:%M"))
        if key not in best or _version(item) > _version(best[key]):
            best[key] = item
    return list(best.values())


def _version(item: Item) -> tuple[str, str, str]:
    properties = item.said["properties"]
    made = str(properties.get("updated") or properties.get("created") or "")
    return str(properties.get("s2:processing_baseline") or ""), made, item.id

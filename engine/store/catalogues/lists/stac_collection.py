"""A STAC collection of embeddings (extension `emb`), of an API or of plain files: its items, licence, model and dimensions.

Field names: the extension's README, version 0.0.1. An item's files are its assets `embeddings`, or those with that role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from engine.errors import RemoteError
from engine.imagery.catalogues.item_files import address_of
from engine.imagery.raster.dates import parse_time
from engine.imagery.region import Region
from engine.store.catalogues.lists.documents import document
from engine.store.catalogues.lists.listed import ENDINGS, Form, Listed, ListedItem, listed_file, not_asked
from engine.store.catalogues.table import EmbeddingCatalogue
from engine.store.products.known import ALPHAEARTH, Product

_MOST_ITEMS, _A_PAGE, _MOST_PAGES = 1000, 100, 60
_ROLE = "embeddings"
_MEDIA: dict[str, Form] = {"tiff": "cog", "parquet": "table", "zarr": "zarr"}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST = 120
# What Emberscope writes into the keywords of a collection that it exports.
_KEYWORDS = {
    "simulated": "SIMULATED: these embeddings are of simulated imagery that no satellite has seen.",
    "random weights": "RANDOM WEIGHTS: the encoder of these embeddings was never trained.",
}


def stac_listed(catalogue: EmbeddingCatalogue, region: Region) -> Listed:
    """The items of a collection over a region.

    Raises:
        RemoteError: the collection cannot be had, or holds no embeddings.
    """
    collection, why = document(catalogue.address)
    if collection.get("type") != "Collection":
        raise RemoteError(
            f"{catalogue.title} has no STAC collection at its address but {str(collection.get('type'))[:40]!r}. Give the address of a "
            f"collection of embeddings."
        )
    dim = collection.get("emb:dimensions", _object(collection.get("summaries")).get("emb:dimensions"))
    dim = dim[0] if isinstance(dim, list) and dim else dim
    over = [one for one in _found(catalogue, collection, region) if _meets(one[0], region)]
    items = [made for found, address in over if (made := _item(found, address)) is not None]
    unread = len(over) - len(items)
    lost = (
        (
            f"{unread} item(s) over the region have no date, or no file that is read here (GeoTIFF, GeoParquet, Zarr), and are left out.",
        )
        if unread
        else ()
    )
    notes = (*not_asked(catalogue.title, why), *lost)
    return Listed(
        tuple(_told_apart(items)), _product(catalogue, collection), dim if isinstance(dim, int) else 0, notes
    )


def _told_apart(items: Sequence[ListedItem]) -> Iterator[ListedItem]:
    """The same items, of which no two have one name."""
    seen: dict[str, int] = {}
    for item in items:
        seen[item.id] = seen.get(item.id, 0) + 1
        yield item if seen[item.id] == 1 else replace(item, id=f"{item.id}_{seen[item.id]}")


def _found(
    catalogue: EmbeddingCatalogue, collection: Mapping[str, Any], region: Region
) -> Iterator[tuple[dict[str, Any], str]]:
    """Items with the address of each, or of the page that it came in."""
    links = [link for link in _objects(collection.get("links")) if link.get("href")]
    pages = next((link for link in links if link.get("rel") == "items"), None)
    if pages is not None:
        yield from _paged(urljoin(catalogue.address, str(pages["href"])), region, catalogue)
        return
    named = [urljoin(catalogue.address, str(link["href"])) for link in links if link.get("rel") == "item"]
    _require_few(len(named), catalogue)
    for address in named:
        yield document(address)[0], address


def _paged(
    address: str, region: Region, catalogue: EmbeddingCatalogue
) -> Iterator[tuple[dict[str, Any], str]]:
    """The items of an API, page by page (OGC API Features: bbox and limit)."""
    parts = urlsplit(address)
    query = urlencode({"bbox": ",".join(f"{edge:.6f}" for edge in region.edges_lonlat), "limit": _A_PAGE})
    following: str | None = urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, query)))))
    count, pages = 0, 0
    while following is not None:
        page, _ = document(following)
        features = _objects(page.get("features"))
        count, pages = count + len(features), pages + 1
        _require_few(count, catalogue)
        yield from ((one, following) for one in features)
        after = next(
            (one for one in _objects(page.get("links")) if one.get("rel") == "next" and one.get("href")), None
        )
        if after is None or not features:
            return
        if pages >= _MOST_PAGES:
            raise RemoteError(f"{catalogue.title} gives pages of items without end. Try again later.")
        following = urljoin(following, str(after["href"]))


def _require_few(count: int, catalogue: EmbeddingCatalogue) -> None:
    if count > _MOST_ITEMS:
        raise RemoteError(
            f"{catalogue.title} lists more than {_MOST_ITEMS:,} items. Choose a smaller region."
        )


def _footprint(said: Mapping[str, Any]) -> BaseGeometry | None:
    try:
        return shapely.make_valid(shape(said["geometry"]))
    except (shapely.errors.ShapelyError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def _meets(said: Mapping[str, Any], region: Region) -> bool:
    footprint = _footprint(said)
    return footprint is not None and bool(footprint.intersects(region.polygon))


def _item(said: Mapping[str, Any], address: str) -> ListedItem | None:
    """An item with a year and a file of embeddings; None for another."""
    own = {**said, "links": [*_objects(said.get("links")), {"rel": "self", "href": address}]}
    properties, footprint = _object(said.get("properties")), _footprint(said)
    when = parse_time(str(properties.get("datetime") or properties.get("start_datetime") or ""))
    asset = _asset(said)
    if when is None or asset is None or footprint is None:
        return None
    found, form = asset
    name = _NOT_IN_NAMES.sub("_", str(said.get("id")))[:60]
    try:
        file = listed_file(address_of(own, found), f"{name} of {when.year}", _sha256(found))
    except (AttributeError, TypeError, ValueError):  # an address or alternate that is none
        return None
    stated = _object(properties.get("emb:quantization"))
    return ListedItem(name, form, (file,), when.year, footprint, when.isoformat(), stated)


def _asset(said: Mapping[str, Any]) -> tuple[dict[str, Any], Form] | None:
    """The asset with the embeddings, and what it is."""
    assets = {
        name: one
        for name, one in _object(said.get("assets")).items()
        if isinstance(one, dict) and one.get("href")
    }
    ordered = sorted(
        assets.items(),
        key=lambda named: (
            named[0] != _ROLE,
            not _has_role(named[1], _ROLE),
            not _has_role(named[1], "data"),
        ),
    )
    for _, one in ordered:
        form = _form(one)
        if form is not None:
            return one, form
    return None


def _has_role(asset: Mapping[str, Any], role: str) -> bool:
    roles = asset.get("roles")
    return isinstance(roles, list) and role in roles


def _form(asset: Mapping[str, Any]) -> Form | None:
    media = str(asset.get("type") or "").lower()
    told = next((form for word, form in _MEDIA.items() if word in media), None)
    path = PurePosixPath(urlsplit(str(asset["href"])).path.rstrip("/"))
    inside = next(
        (form for part in path.parts if (form := ENDINGS.get(PurePosixPath(part).suffix.lower())) == "zarr"),
        None,
    )
    return told or inside or ENDINGS.get(path.suffix.lower())


def _sha256(asset: Mapping[str, Any]) -> str:
    """The checksum of an asset, where it is a sha256 (extension `file`: a multihash, whose first bytes 12 20 say so)."""
    stated = str(asset.get("file:checksum") or "").lower()
    return stated[4:] if len(stated) == 68 and stated.startswith("1220") else ""


def _product(catalogue: EmbeddingCatalogue, collection: Mapping[str, Any]) -> Product:
    """What the collection says of its model, licence and publishers."""
    link: Mapping[str, Any] = next(
        (one for one in _objects(collection.get("links")) if one.get("rel") == "emb:model"), {}
    )
    told = str(link.get("title") or link.get("href") or "").rstrip("/").rpartition("/")[2]
    model = _NOT_IN_NAMES.sub("_", told)[:64].strip("_.-")
    names = [_text(one.get("name")) for one in _objects(collection.get("providers"))]
    title = _text(collection.get("title")) or _text(collection.get("id")) or catalogue.title
    if model == ALPHAEARTH.model:
        return ALPHAEARTH
    keywords = collection.get("keywords")
    words = {str(one).lower() for one in keywords} if isinstance(keywords, list) else set()
    said = " ".join(sentence for word, sentence in _KEYWORDS.items() if word in words)
    credit = ", ".join(filter(None, names)) or title
    return Product(title, model or "unknown", False, _text(collection.get("license")), credit, said)


def _object(value: Any) -> dict[str, Any]:
    """A JSON object; an empty one where there is something else."""
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a JSON list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return " ".join(value.split())[:_LONGEST] if isinstance(value, str) else ""

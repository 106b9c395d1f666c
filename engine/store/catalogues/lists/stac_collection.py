"""A STAC collection of embeddings (extension `emb`), of an API or of plain files: its items, licence, model and dimensions.

Field names: the extension's README, version 0.0.1. An item's files are its assets `embeddings`, or those with that role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import shapely
from shapely.geometry import shape

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
    dim = collection.get("emb:dimensions", (collection.get("summaries") or {}).get("emb:dimensions"))
    dim = dim[0] if isinstance(dim, list) and dim else dim
    items = [
        made for found, address in _found(catalogue, collection, region) if (made := _item(found, address, region)) is not None
    ]  # fmt: skip
    return Listed(
        tuple(items),
        _product(catalogue, collection),
        dim if isinstance(dim, int) else 0,
        not_asked(catalogue.title, why),
    )


def _found(
    catalogue: EmbeddingCatalogue, collection: Mapping[str, Any], region: Region
) -> Iterator[tuple[dict[str, Any], str]]:
    """Items with the address of each, or of the page that it came in."""
    links = [link for link in collection.get("links") or () if isinstance(link, dict) and link.get("href")]
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
    query = urlencode({"bbox": ",".join(f"{edge:.6f}" for edge in region.bounds_lonlat), "limit": _A_PAGE})
    following: str | None = urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, query)))))
    count, pages = 0, 0
    while following is not None:
        page, _ = document(following)
        features = [one for one in page.get("features") or () if isinstance(one, dict)]
        count, pages = count + len(features), pages + 1
        _require_few(count, catalogue)
        yield from ((one, following) for one in features)
        after = next(
            (one for one in page.get("links") or () if one.get("rel") == "next" and one.get("href")), None
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


def _item(said: Mapping[str, Any], address: str, region: Region) -> ListedItem | None:
    """An item over the region with a year and a file of embeddings; None otherwise."""
    own = {**said, "links": [*(said.get("links") or ()), {"rel": "self", "href": address}]}
    properties = said.get("properties") or {}
    when = parse_time(str(properties.get("datetime") or properties.get("start_datetime") or ""))
    asset = _asset(said)
    try:
        footprint = shapely.make_valid(shape(said["geometry"]))
    except (shapely.errors.ShapelyError, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    if when is None or asset is None or not footprint.intersects(region.polygon):
        return None
    found, form = asset
    name = _NOT_IN_NAMES.sub("_", str(said.get("id")))[:60]
    file = listed_file(address_of(own, found), f"{name} of {when.year}", _sha256(found))
    stated = properties.get("emb:quantization")
    return ListedItem(
        name,
        form,
        (file,),
        when.year,
        footprint,
        when.isoformat(),
        stated if isinstance(stated, dict) else {},
    )


def _asset(said: Mapping[str, Any]) -> tuple[dict[str, Any], Form] | None:
    """The asset with the embeddings, and what it is."""
    assets = {
        name: one
        for name, one in (said.get("assets") or {}).items()
        if isinstance(one, dict) and one.get("href")
    }
    ordered = sorted(
        assets.items(), key=lambda named: (named[0] != _ROLE, _ROLE not in (named[1].get("roles") or ()), "data" not in (named[1].get("roles") or ()))
    )  # fmt: skip
    for _, one in ordered:
        form = _form(one)
        if form is not None:
            return one, form
    return None


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
        (one for one in collection.get("links") or () if one.get("rel") == "emb:model"), {}
    )
    told = str(link.get("title") or link.get("href") or "").rstrip("/").rpartition("/")[2]
    model = _NOT_IN_NAMES.sub("_", told)[:64].strip("_.-")
    names = [_text(one.get("name")) for one in collection.get("providers") or () if isinstance(one, dict)]
    title = _text(collection.get("title")) or _text(collection.get("id")) or catalogue.title
    if model == ALPHAEARTH.model:
        return ALPHAEARTH
    words = {str(one).lower() for one in collection.get("keywords") or ()}
    said = " ".join(sentence for word, sentence in _KEYWORDS.items() if word in words)
    credit = ", ".join(filter(None, names)) or title
    return Product(title, model or "unknown", False, _text(collection.get("license")), credit, said)


def _text(value: Any) -> str:
    return " ".join(value.split())[:_LONGEST] if isinstance(value, str) else ""

"""What a catalogue has of a region and a year: files, bytes, model, licence; told before anything of the embeddings is fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import shapely

from engine.concurrency.ordered_map import ordered_map
from engine.errors import BadInput, RegionError
from engine.imagery.region import Region
from engine.imagery.remote import cache
from engine.imagery.remote.fetching import CONNECTIONS
from engine.store.catalogues.lists.alphaearth_index import alphaearth_listed
from engine.store.catalogues.lists.listed import Form, Listed, ListedItem
from engine.store.catalogues.lists.stac_collection import stac_listed
from engine.store.catalogues.lists.tessera_manifest import tessera_listed
from engine.store.catalogues.remote_files.cog import placed_cog
from engine.store.catalogues.remote_files.footprints import placed_table
from engine.store.catalogues.remote_files.npy import placed_npy
from engine.store.catalogues.remote_files.placed import Placed
from engine.store.catalogues.remote_files.zarr_group import placed_zarr
from engine.store.catalogues.table import EmbeddingCatalogue
from engine.store.catalogues.zarr_store import zarr_listed
from engine.store.products.known import Product
from engine.store.products.understood import MOST_ROWS, NOT_STATED

# Files whose headers are read: more than a region of the most embeddings has.
_MOST_ITEMS = 400
# A region that is covered so far is covered: corners of a turned rectangle are not worth a sentence.
_MOSTLY = 0.98
_NEARLY_ALL = 0.95

_LISTINGS: Mapping[str, Callable[[EmbeddingCatalogue, Region], Listed]] = {
    "alphaearth": alphaearth_listed, "tessera": tessera_listed, "stac": stac_listed, "zarr": zarr_listed,
}  # fmt: skip
_FORMS: Mapping[Form, Callable[[ListedItem, Region], Placed]] = {
    "cog": placed_cog, "npy": placed_npy, "table": placed_table,
}  # fmt: skip
_IN_CHUNKS = "Of a Zarr store at most so much comes, while it is read: how small its chunks are packed is not known before."


@dataclass(frozen=True)
class Offer:
    """What a catalogue has of a region in a year.

    Attributes:
        years: of which there is something over the region.
        placed: the files that the region meets, in the order in which they are taken.
        to_fetch: bytes that are not here yet.
        total: bytes that are needed of the files.
    """

    catalogue: EmbeddingCatalogue
    region: Region
    year: int
    years: tuple[int, ...]
    product: Product
    dim: int
    placed: tuple[Placed, ...]
    to_fetch: int
    total: int
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Embeddings at most."""
        return sum(one.rows for one in self.placed)

    @property
    def is_pixels(self) -> bool:
        """Whether each pixel has an embedding, not each footprint."""
        return all(one.grid is not None for one in self.placed)

    @property
    def is_partly_here(self) -> bool:
        """Whether more is here than headers, which were read to tell what there is."""
        return self.to_fetch < _NEARLY_ALL * self.total

    def in_lines(self) -> list[str]:
        """One line a fact, then the notes."""
        crs = ", ".join(sorted({one.crs for one in self.placed if one.crs})) or "footprints"
        here = f" (of {self.total / 1e6:,.1f} MB, the rest is here)" if self.is_partly_here else ""
        told = [
            ("Catalogue", f"{self.catalogue.title}, {self.catalogue.address}"),
            ("Year", f"{self.year} (there are {', '.join(map(str, self.years))})"),
            ("Files", f"{len(self.placed)}, {crs}"), ("Embeddings", f"at most {self.rows:,}"),
            ("To be fetched", f"{self.to_fetch / 1e6:,.1f} MB{here}"), ("Model", self.product.model),
            ("Dimensions", str(self.dim or NOT_STATED)), ("Licence", self.product.licence or NOT_STATED),
            ("Attribution", self.product.attribution or NOT_STATED),
        ]  # fmt: skip
        return [f"{name}: {words}" for name, words in told] + list(self.notes)

    def facts(self) -> dict[str, Any]:
        """The same for a program."""
        files = [
            {"id": one.item.id, "addresses": [file.raster.address for file in one.item.files], "embeddings": one.rows,
             "bytes": one.total, "crs": one.crs}
            for one in self.placed
        ]  # fmt: skip
        return {
            "catalogue": self.catalogue.name, "year": self.year, "years": list(self.years), "files": files,
            "patches": self.rows, "bytes_to_fetch": self.to_fetch, "model": self.product.model, "dim": self.dim,
            "licence": self.product.licence, "attribution": self.product.attribution, "notes": list(self.notes),
        }  # fmt: skip


def offer_of(catalogue: EmbeddingCatalogue, region: Region, year: int | None) -> Offer:
    """What a catalogue has of a region in a year; of its files only headers are fetched.

    Args:
        year: None: the only one that there is.

    Raises:
        RegionError: it has nothing there, or too much.
        BadInput: it has nothing of the year there, or no year is said and there are several.
        RemoteError: it cannot be had.
    """
    listed = _LISTINGS[catalogue.listing](catalogue, region)
    if not listed.items:
        raise RegionError(
            " ".join(
                (
                    f"{catalogue.title} has no embeddings that the region meets.",
                    *listed.notes,
                    "Choose another region or catalogue.",
                )
            )
        )
    years = tuple(sorted({item.year for item in listed.items}))
    items = _of_year(listed.items, years, year, catalogue)
    placed = _placed(items, region, catalogue)
    rows = sum(one.rows for one in placed)
    if rows > MOST_ROWS:
        raise RegionError(
            f"{catalogue.title} has {rows:,} embeddings of {items[0].year} in the region, and a store is made of at most {MOST_ROWS:,}. "
            f"Choose a smaller region."
        )
    _require_room(sum(one.total for one in placed))
    return Offer(
        catalogue, region, items[0].year, years, listed.product, listed.dim or max(one.dim for one in placed), placed,
        sum(one.missing for one in placed), sum(one.total for one in placed), tuple(_said_of(listed, placed, region)),
    )  # fmt: skip


def _require_room(total: int) -> None:
    """Check that what is fetched fits into the cache, from which it is read.

    Raises:
        RegionError: it does not.
    """
    limit = cache.usage().limit_bytes
    if total > limit:
        raise RegionError(
            f"The region needs {total / 1e9:.2f} GB of files, and the cache holds {limit / 1e9:.2f} GB. Choose a smaller region, or "
            f"set {cache.VARIABLE}."
        )


def _said_of(listed: Listed, placed: Sequence[Placed], region: Region) -> Iterator[str]:
    """What a person should know of an offer."""
    if listed.product.note:
        yield listed.product.note
    yield from listed.notes
    if any(one.item.form == "zarr" for one in placed):
        yield _IN_CHUNKS
    share = _share(placed, region)
    if share < _MOSTLY:
        yield f"The files cover {100 * share:.0f} % of the region; there is nothing of the rest."


def _share(placed: Sequence[Placed], region: Region) -> float:
    """The part of a region that the footprints of files cover, 0 to 1; what of it is a gap in them is not known yet."""
    covered = shapely.union_all([one.item.footprint for one in placed])
    return float(covered.intersection(region.polygon).area / region.polygon.area)


def _of_year(
    items: Sequence[ListedItem], years: tuple[int, ...], year: int | None, catalogue: EmbeddingCatalogue
) -> list[ListedItem]:
    there = ", ".join(map(str, years))
    if year is None and len(years) > 1:
        raise BadInput(f"{catalogue.title} has embeddings of {there} in the region. Choose one year.")
    found = [item for item in items if item.year == (years[0] if year is None else year)]
    if not found:
        raise BadInput(
            f"{catalogue.title} has no embeddings of {year} in the region; it has {there}. Choose one of these years."
        )
    if len(found) > _MOST_ITEMS:
        raise RegionError(
            f"{catalogue.title} has {len(found):,} files of {found[0].year} in the region, and at most {_MOST_ITEMS} are opened. "
            f"Choose a smaller region."
        )
    return sorted(found, key=lambda item: item.id)


def _placed(items: Sequence[ListedItem], region: Region, catalogue: EmbeddingCatalogue) -> tuple[Placed, ...]:
    """The headers of the files, fetched side by side; files that the region only seems to meet are left out."""
    every = ordered_map(items, lambda item: _placed_one(item, region), CONNECTIONS // 2, "headers")
    found = [one for of_item in every for one in of_item]
    if not found:
        raise RegionError(
            f"{catalogue.title} lists files whose bounds meet the region, but no pixel of them lies in it. Choose a larger region."
        )
    kinds = {one.grid is None for one in found}
    if len(kinds) > 1:
        raise BadInput(
            f"{catalogue.title} has pixels and footprints in the region, which do not fit into one store. Choose another region."
        )
    return tuple(found)


def _placed_one(item: ListedItem, region: Region) -> list[Placed]:
    """What a region takes of an item: nothing, or of a Zarr store several groups."""
    if item.form == "zarr":
        return placed_zarr(item, region)
    try:
        return [_FORMS[item.form](item, region)]
    except RegionError:
        return []


def host_of(catalogue: EmbeddingCatalogue) -> str:
    """The computer that a catalogue is on, as people name it."""
    return urlsplit(catalogue.address).hostname or ""

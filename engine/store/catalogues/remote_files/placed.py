"""A listed file whose header was read: which of its pixels or rows a region takes, and which bytes hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from odc.geo.geobox import GeoBox

from engine.imagery.remote.fetching import RemoteRaster, cached
from engine.store.catalogues.lists.listed import ListedItem
from engine.store.products.pixel_grid import Box

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Bytes:
    """Parts of one file that a region needs: half-open ranges of bytes."""

    raster: RemoteRaster
    ranges: Ranges

    @property
    def total(self) -> int:
        """Bytes of them all."""
        return sum(end - start for start, end in self.ranges)

    def missing(self) -> int:
        """Those that are not in the cache."""
        held = cached(self.raster)
        return sum(
            min(end, last) - max(start, first)
            for first, last in self.ranges
            for start, end in held.missing(first, last)
        )


@dataclass(frozen=True)
class Placed:
    """A listed item that a region meets.

    Attributes:
        grid, box: of pixels; None where rows are footprints.
        rows: embeddings that are taken at most.
        dim: dimensions; 0 where only the embeddings themselves tell it.
        needed: what is fetched of its files, before they are read.
        part: of a Zarr store its group; empty for others.
        most_bytes: what comes at most while it is read, where that is not known before.
    """

    item: ListedItem
    grid: GeoBox | None
    box: Box | None
    rows: int
    dim: int
    needed: tuple[Bytes, ...]
    part: str = ""
    most_bytes: int = 0

    @property
    def total(self) -> int:
        """Bytes that are needed of it, at most."""
        return self.most_bytes + sum(part.total for part in self.needed)

    @property
    def missing(self) -> int:
        """Those that are not here, as far as that is known."""
        return self.most_bytes + sum(part.missing() for part in self.needed)

    @property
    def crs(self) -> str:
        """Of its pixels; empty where rows are footprints."""
        return "" if self.grid is None else str(self.grid.crs)


def whole(item: ListedItem) -> Iterator[Bytes]:
    """The files of an item that are fetched as a whole, because their checksum is known."""
    for file in item.files:
        if file.sha256:
            yield Bytes(file.raster, ((0, cached(file.raster).size),))

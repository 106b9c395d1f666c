"""A Zarr store of embeddings that is a catalogue by itself: its groups that a region meets, and their years."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import shapely
from shapely.geometry.base import BaseGeometry

from engine.errors import RegionError, StoreError
from engine.imagery.geobox import outline_lonlat
from engine.imagery.region import Region
from engine.store.catalogues.lists.listed import Listed, ListedItem, listed_file
from engine.store.catalogues.remote_files.zarr_group import groups_of_store
from engine.store.catalogues.table import EmbeddingCatalogue
from engine.store.products.known import product_of
from engine.store.products.pixel_grid import PixelGrid, box_of


def zarr_listed(catalogue: EmbeddingCatalogue, region: Region) -> Listed:
    """An item a year of what the groups hold over a region.

    Raises:
        RemoteError, SceneError: what describes the store cannot be had.
        StoreError: it holds no embeddings of a form that is known, or states no year.
    """
    name = PurePosixPath(urlsplit(catalogue.address).path).name or catalogue.name
    file = listed_file(catalogue.address, catalogue.title)
    over: list[PixelGrid] = []
    every = groups_of_store(ListedItem(name, "zarr", (file,), 0, shapely.box(-180, -90, 180, 90)))
    for pixels in every:
        try:
            box_of(pixels.grid, region, name)
        except RegionError:
            continue
        over.append(pixels)
    moments = {moment[:4]: moment for pixels in over for _, moment in pixels.dates}
    if over and not moments:
        raise StoreError(
            f"{catalogue.title} does not say of which year its embeddings are: its groups have no time that can be read. Copy the store, "
            f"and import it from there."
        )
    ground = _ground(over)
    items = tuple(
        ListedItem(f"{name}_{year}", "zarr", (file,), int(year), ground, moment) for year, moment in sorted(moments.items())
    )  # fmt: skip
    first = (over or every)[0]
    product = product_of(Path(name), first.bands, first.dim, first.tags.get("model", ""))
    return Listed(items, product, first.dim)


def _ground(over: list[PixelGrid]) -> BaseGeometry:
    """Where the groups lie, in lon/lat."""
    return shapely.union_all([outline_lonlat(pixels.grid) for pixels in over])

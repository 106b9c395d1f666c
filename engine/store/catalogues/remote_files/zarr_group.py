"""A Zarr store of embeddings on another computer: its groups that a region meets, whose chunks come when they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from engine.errors import RegionError, RemoteError, StoreError
from engine.imagery.cubes.chunk_reader import ChunkReader
from engine.imagery.cubes.cube import DAMAGE
from engine.imagery.cubes.zarr_store import groups_away
from engine.imagery.region import Region
from engine.imagery.remote.fetching import CONNECTIONS
from engine.imagery.remote.store_files import bring_description
from engine.store.catalogues.lists.listed import ListedItem
from engine.store.catalogues.remote_files.placed import Placed
from engine.store.products.pixel_grid import PixelGrid, box_of
from engine.store.products.zarr.group import EMBEDDINGS
from engine.store.products.zarr.zarr_grid import pixels_of
from engine.workspace import runs_root


def placed_zarr(item: ListedItem, region: Region) -> list[Placed]:
    """The groups of a store that a region meets, each on a grid of its own; empty where there is none.

    Raises:
        RemoteError, SceneError: what describes the store cannot be had.
        StoreError: it holds no embeddings of a form that is known.
    """
    found = []
    for part, pixels, bytes_a_pixel in _groups(item):
        with suppress(RegionError):
            box = box_of(pixels.grid, region, item.id)
            found.append(
                Placed(item, pixels.grid, box, box.rows, pixels.dim, (), part, box.rows * bytes_a_pixel)
            )
    return found


@contextmanager
def opened_zarr(item: ListedItem, part: str) -> Iterator[PixelGrid]:
    """The embeddings of a group, read where they lie; what is in the cache is not fetched again.

    Raises:
        As `placed_zarr`.
    """
    yield next(pixels for name, pixels, _ in _groups(item) if name == part)


def groups_of_store(item: ListedItem) -> list[PixelGrid]:
    """The embeddings of all groups of a store, with all dates that they state; no chunk of them is fetched.

    Raises:
        As `placed_zarr`.
    """
    return [pixels for _, pixels, _ in _groups(item)]


def _groups(item: ListedItem) -> Iterator[tuple[str, PixelGrid, int]]:
    """Name, pixels and stored bytes a pixel of each group that holds embeddings."""
    path = _here(item)
    try:
        found = groups_away(path)
    except DAMAGE as err:
        raise StoreError(
            f"{item.id} cannot be read as Zarr ({' '.join(str(err).split())[:100]}). Try again later."
        ) from err
    groups = {name: one for name, one in found.items() if EMBEDDINGS in one[1]}
    if not groups:
        raise StoreError(
            f"{item.id} is a Zarr store without an array named {EMBEDDINGS}. Choose another catalogue."
        )
    for name, (told, arrays) in groups.items():
        reader = ChunkReader(f"{item.id} {name}".strip(), arrays, side_by_side=CONNECTIONS)
        pixels = pixels_of(
            f"{item.id} {name}".strip(), told, arrays, reader.read, found[""][0], item.year or None
        )
        yield name, pixels, pixels.dim * np.dtype(arrays[EMBEDDINGS].dtype).itemsize


def _here(item: ListedItem) -> Path:
    """The small file that names the store; what describes the store is fetched anew, where its server can be asked."""
    raster = item.files[0].raster
    folder = runs_root() / "cache" / "embeddings" / hashlib.sha256(raster.address.encode()).hexdigest()[:16]
    path = folder / f"{item.files[0].name.removesuffix('.zarr')}.zarr"
    try:
        bring_description(raster, path)
    except RemoteError:
        if not path.is_file():
            raise
    return path

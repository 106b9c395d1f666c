"""A STAC collection that Emberscope exported: each tile is a window of the GeoTIFF of one of its items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import StoreError
from engine.files import read_json
from engine.imagery.region import Region
from engine.store.products.own_exports.facts import KEY, own_facts, tiles_that_meet, understood_own
from engine.store.products.own_exports.map_windows import read_tiles
from engine.store.products.taken import Taken
from engine.store.schema import StoredTile, TileRows

_COLLECTION = "collection.json"
_LOOKED_TILES = 10


def is_own_stac(folder: Path) -> bool:
    """Whether a folder is a STAC collection with the facts of a store of Emberscope."""
    return KEY in _collection(folder)


@contextmanager
def taken_stac(path: Path, region: Region | None) -> Iterator[Taken]:
    """The embeddings of a collection.

    Raises:
        StoreError: a file is missing or damaged, or lacks a tile.
        RegionError: no tile meets the region.
    """
    told = _collection(path)[KEY]
    facts = own_facts(told, path.name)
    chosen = tiles_that_meet(facts.tiles, region, path.name)
    tiles = [tile for tile, is_chosen in zip(facts.tiles, chosen, strict=True) if is_chosen]
    files = _files(path, told, tiles)
    shown = read_tiles(tiles[:: max(1, len(tiles) // _LOOKED_TILES)], files)
    every = np.concatenate([one.reshape(-1, one.shape[-1]) for _, one in shown])
    seen = understood_own(
        facts,
        tiles,
        str(path),
        "STAC over GeoTIFFs",
        "v times the scale of its band",
        every[np.isfinite(every).all(axis=1)],
    )
    yield facts.taken(seen, lambda: _rows(tiles, files), len(tiles))


def _rows(tiles: Sequence[StoredTile], files: Mapping[str, Path]) -> Iterator[TileRows]:
    for tile, cells in read_tiles(tiles, files):
        values = cells.reshape(tile.rows, -1)
        has_all = np.isfinite(values).all(axis=1)
        values[~has_all] = 0
        yield TileRows(tile, (values,), has_all.astype(np.float32))


def _files(path: Path, told: Mapping[str, Any], tiles: Sequence[StoredTile]) -> dict[str, Path]:
    """The GeoTIFF of each tile, inside the folder.

    Raises:
        StoreError: one is not named, not there, or elsewhere.
    """
    listed = told.get("files")
    found = {}
    for tile in tiles:
        named = listed.get(tile.id) if isinstance(listed, Mapping) else None
        file = (path / str(named)).resolve()
        if named is None or not file.is_relative_to(path.resolve()) or not file.is_file():
            raise StoreError(f"{path.name} has no file with the tile {tile.id}. Copy or export it again.")
        found[tile.id] = file
    return found


def _collection(folder: Path) -> dict[str, Any]:
    try:
        tree = read_json(folder / _COLLECTION)
    except (OSError, ValueError):
        return {}
    return tree if isinstance(tree, dict) else {}

"""One store with all that makes exports hard: two zones, two dates on one ground, gaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at

DIM = 12


@pytest.fixture(scope="session")
def hard_store(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingStore:
    """Two UTM zones, two dates on the same ground of one of them, gaps, patches of 16 px of 30 m; float16."""
    east = [tile_at(0), tile_at(1), tile_at(0, 2)]
    again = replace(east[0], id="again", datetimes=("2021-06-01T00:00:00+00:00",))
    west = tile_at(0, crs="EPSG:32617", west=900_000.0)
    tiles = [rows_at(tile, (DIM,), gaps=2) for tile in (*east, again, west)]
    meta = meta_of((DIM,), licence="CC-BY-4.0", attribution="Somebody", sensor="hls", level="surface")
    return make_store(tmp_path_factory.mktemp("store"), tiles, meta)


@pytest.fixture(scope="session")
def far_store(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingStore:
    """Tiles on both sides of the antimeridian in the south and over a CRS without a code, and a licence that is no identifier."""
    crs = "+proj=laea +lat_0=-17 +lon_0=179 +x_0=0 +y_0=0 +ellps=WGS84 +units=m +no_defs"
    places = (("EPSG:32760", 818_400.0, 8_112_000.0), ("EPSG:32701", 180_480.0, 8_111_520.0), (crs, 0.0, 0.0))
    tiles = [
        replace(tile_at(0, crs=crs), id=f"t{number}", transform=(30.0, 0.0, west, 0.0, -30.0, north))
        for number, (crs, west, north) in enumerate(places)
    ]
    meta = meta_of(
        (DIM,), licence="Our own licence / see our page", attribution="Somebody", source="Ours: ä / b"
    )
    return make_store(tmp_path_factory.mktemp("far"), [rows_at(tile, (DIM,), gaps=1) for tile in tiles], meta)


Ground = dict[tuple[str, int, int, str | None], np.ndarray]


def ground(store: EmbeddingStore) -> Ground:
    """Embeddings by CRS, centre of the patch in decimetres and date; none of gaps."""
    found: Ground = {}
    for tile, values, valid in store.iterate():
        for row, column in np.argwhere(valid > 0).tolist():
            x, y = tile.patch_transform @ (column + 0.5, row + 0.5)
            found[tile.crs, round(10 * x), round(10 * y), day(tile)] = values[row, column].astype(np.float32)
    return found


def day(tile: StoredTile) -> str | None:
    return tile.datetimes[-1][:10] if tile.datetimes[-1] else None

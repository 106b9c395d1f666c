"""A store is GeoParquet to others: their checks pass, and a box is read without the rest."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely

from engine.imagery.geobox import to_lonlat
from engine.imagery.tiles.hilbert import hilbert_order
from engine.store import writer as writing
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore
from tests.unit.store.stores import make_store, rows_at, tile_at

# An environment of its own beside the tests' packages, for its DuckDB is another: see the Makefile.
GEOPARQUET_IO = Path(sys.prefix) / "geoparquet-io"


def checked(part: Path) -> str:
    """What geoparquet-io's checks say of a part: compression, bbox, row groups, spatial order, specification."""
    program = GEOPARQUET_IO / "bin/gpio"
    assert program.is_file(), (
        "geoparquet-io is not there: make test installs it, or make .venv/geoparquet-io/.made"
    )
    done = subprocess.run(
        [program, "check", "all", part],
        capture_output=True,
        text=True,
        env={**os.environ, "HOME": str(GEOPARQUET_IO)},
    )  # its DuckDB looks for extensions in HOME
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def square_of_tiles(side: int, patches: int) -> list[StoredTile]:
    """side x side tiles in the order in which an extraction visits them."""
    tiles = [tile_at(column, row, side=patches) for row in range(side) for column in range(side)]
    centres = [tile.pixel_transform @ (tile.width_px / 2, tile.height_px / 2) for tile in tiles]
    lonlat = np.column_stack(to_lonlat(tiles[0].crs).transform(*np.array(centres).T))
    return [tiles[index] for index in hilbert_order(lonlat)]


@pytest.mark.parametrize(("side", "patches", "groups"), [(3, 4, 1), (20, 10, 4)])
def test_geoparquet_io_finds_nothing_to_mend(tmp_path: Path, side: int, patches: int, groups: int) -> None:
    store = make_store(tmp_path, [rows_at(tile) for tile in square_of_tiles(side, patches)])
    assert pq.read_metadata(store.parts[0].path).num_row_groups == groups
    said = checked(store.parts[0].path)
    assert re.search(r"✓ \d+ checks passed", said), said
    assert not re.search("WARNING|⚠|✗", said), said


def test_geoparquet_io_would_find_something(tmp_path: Path) -> None:
    store = make_store(tmp_path, [rows_at(tile) for tile in square_of_tiles(8, 6)])
    table = pq.read_table(store.parts[0].path)
    shuffled = table.take(np.random.default_rng(0).permutation(len(table)))
    pq.write_table(shuffled, tmp_path / "bad.parquet", compression="snappy", row_group_size=100)
    said = checked(tmp_path / "bad.parquet")
    assert all(word in said for word in ("Row count per group", "SNAPPY", "Poor spatial ordering"))


class Counted(io.FileIO):
    """A file that counts the bytes that are read from it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.bytes_read = 0

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(-1 if size is None else size) or b""
        self.bytes_read += len(found)
        return found


def box_of(tile: StoredTile, frame: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile, a little smaller than the tile."""
    west, south, east, north = frame[frame.tile_id == tile.id].total_bounds
    return west + 1e-4, south + 1e-4, east - 1e-4, north - 1e-4


@pytest.fixture(scope="module")
def wide_store(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingStore:
    """40 x 40 tiles of 36 patches in one part of 57 row groups."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "ROWS_A_GROUP", 1000)
        return make_store(tmp_path_factory.mktemp("wide"), [rows_at(tile) for tile in square_of_tiles(40, 6)])


@pytest.mark.parametrize("seed", range(4))
def test_a_box_is_read_without_the_rest_of_the_part(wide_store: EmbeddingStore, seed: int) -> None:
    path = wide_store.parts[0].path
    frame = gpd.read_parquet(path, columns=["tile_id", "geometry"])
    tile = wide_store.tiles[np.random.default_rng(seed).integers(len(wide_store.tiles))]
    west, south, east, north = box_of(tile, frame)
    meets = (
        (pc.field("bbox", "xmin") <= east) & (pc.field("bbox", "xmax") >= west)
        & (pc.field("bbox", "ymin") <= north) & (pc.field("bbox", "ymax") >= south)
    )  # fmt: skip
    with Counted(path) as file:
        pq.read_metadata(file)
        footer = file.bytes_read
        found = pq.read_table(file, filters=meets)
        read = file.bytes_read - 2 * footer
    assert read < 0.12 * path.stat().st_size
    inside = frame.geometry.intersects(shapely.box(west, south, east, north))
    assert set(found["tile_id"].to_pylist()) >= {tile.id}
    assert len(found) >= inside.sum()
    assert len(found) < 0.01 * wide_store.rows


def test_geopandas_reads_a_box_of_a_whole_store(wide_store: EmbeddingStore) -> None:
    frame = gpd.read_parquet(wide_store.parts[0].path)
    west, south, east, north = box_of(wide_store.tiles[700], frame)
    found = gpd.read_parquet(wide_store.folder, bbox=(west, south, east, north))
    inside = frame[frame.geometry.intersects(shapely.box(west, south, east, north))]
    assert len(found) >= len(inside) > 30
    assert set(inside.index) <= set(frame.index)
    assert found.geometry.intersects(shapely.box(west, south, east, north)).mean() > 0.7

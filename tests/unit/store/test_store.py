"""The store: what goes in comes out, others can open it, and nothing is half there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import duckdb
import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest

from engine.errors import DiskFull, StoreError
from engine.store import writer as writing
from engine.store.check import check_store
from engine.store.store import EmbeddingStore
from engine.store.writer import StoreWriter
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_what_goes_in_comes_out_to_the_bit(tmp_path: Path, dtype: str) -> None:
    rows = [rows_at(tile_at(column)) for column in range(5)]
    store = make_store(tmp_path, rows, meta_of(dtype=dtype))
    expected = np.concatenate([item.embeddings[0] for item in rows]).astype(dtype)
    assert store.read().dtype == dtype
    assert np.array_equal(store.read(), expected)


def test_a_tile_read_alone_equals_its_rows_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROWS_A_PART", 100)
    monkeypatch.setattr(writing, "ROWS_A_GROUP", 20)
    rows = [rows_at(tile_at(column, side=3 + column % 3)) for column in range(30)]
    store = make_store(tmp_path, rows)
    whole, first = store.read(), 0
    assert len(store.parts) > 3
    assert pq.ParquetFile(store.parts[0].path).num_row_groups > 1
    for tile in store.tiles:
        alone = store.read_tile(tile.id)
        assert alone.shape == (tile.h, tile.w, 5)
        assert np.array_equal(alone.reshape(tile.rows, 5), whole[first : first + tile.rows])
        first += tile.rows


def test_iterating_visits_every_row_once_and_in_order(tmp_path: Path) -> None:
    store = make_store(tmp_path, [rows_at(tile_at(column), gaps=2) for column in range(4)])
    seen = list(store.iterate())
    assert [tile for tile, _, _ in seen] == list(store.tiles)
    assert np.array_equal(np.concatenate([values.reshape(-1, 5) for _, values, _ in seen]), store.read())
    assert np.array_equal(
        np.concatenate([valid.ravel() for _, _, valid in seen]), store.read_valid_fraction()
    )


def test_two_layers_are_two_columns_of_their_own_width(tmp_path: Path) -> None:
    store = make_store(tmp_path, [rows_at(tile_at(0), dims=(3, 7))], meta_of(dims=(3, 7)))
    assert store.meta.columns == ("embedding_0", "embedding_1")
    assert store.read(0).shape == (16, 3)
    assert store.read(1).shape == (16, 7)
    with pytest.raises(StoreError, match="layers 0, 1"):
        store.read(2)


def test_an_unknown_tile_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="'nowhere'"):
        make_store(tmp_path, [rows_at(tile_at(0))]).read_tile("nowhere")


def test_geopandas_reads_a_part_with_its_crs_and_footprints(tmp_path: Path) -> None:
    store = make_store(tmp_path, [rows_at(tile_at(0))])
    frame = gpd.read_parquet(store.parts[0].path)
    assert frame.crs == "OGC:CRS84"
    assert frame.geometry.is_valid.all()
    # 16 patches of 480 m; geometry is in lon/lat, so measure it in the tile's own CRS.
    assert np.allclose(frame.to_crs("EPSG:32618").area, 480.0**2, rtol=1e-4)
    assert frame.geometry[0].bounds[3] > frame.geometry[12].bounds[3]  # rows from the north
    assert frame.geometry[0].bounds[0] < frame.geometry[3].bounds[0]  # columns from the west


def test_duckdb_counts_rows_and_reads_embeddings_past_the_manifest(tmp_path: Path) -> None:
    store = make_store(tmp_path, [rows_at(tile_at(column)) for column in range(3)])
    with duckdb.connect() as database:
        rows = database.execute(
            "SELECT embedding FROM read_parquet(?)", [str(store.folder / "*.parquet")]
        ).fetchall()
    assert len(rows) == 48
    assert np.allclose(np.array([row[0] for row in rows]), store.read().astype(np.float32))


def test_geo_metadata_has_what_geoparquet_1_1_requires(tmp_path: Path) -> None:
    store = make_store(tmp_path, [rows_at(tile_at(0))])
    schema = pq.read_schema(store.parts[0].path)
    geo = json.loads(schema.metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert geo["version"] == "1.1.0"
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Polygon"]
    assert column["crs"]["id"] == {"authority": "OGC", "code": "CRS84"}
    for side, (field, leaf) in column["covering"]["bbox"].items():
        assert side == leaf
        assert leaf in [item.name for item in schema.field(field).type]
    frame = gpd.read_parquet(store.parts[0].path)
    assert np.allclose(column["bbox"], frame.total_bounds)


def test_a_bounding_box_read_opens_only_the_row_groups_it_meets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROWS_A_GROUP", 16)
    store = make_store(tmp_path, [rows_at(tile_at(column * 3)) for column in range(20)])
    footer = pq.ParquetFile(store.parts[0].path).metadata
    names = [footer.row_group(0).column(i).path_in_schema for i in range(footer.num_columns)]
    west, east = names.index("bbox.xmin"), names.index("bbox.xmax")
    target = gpd.read_parquet(
        store.parts[0].path, filters=[("tile_id", "==", store.tiles[7].id)]
    ).total_bounds
    meets = [
        footer.row_group(group).column(west).statistics.min < target[2]
        and footer.row_group(group).column(east).statistics.max > target[0]
        for group in range(footer.num_row_groups)
    ]
    assert sum(meets) == 1


def test_a_torn_file_is_swept_away_and_its_rows_are_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROWS_A_PART", 16)
    first, second = rows_at(tile_at(0)), rows_at(tile_at(1))
    writer = StoreWriter(tmp_path, meta_of())
    writer.append(first)
    writer.close()
    torn = writer.folder / "part-00001.parquet.writing"
    torn.write_bytes(b"PAR1 half a part")
    again = StoreWriter(tmp_path, meta_of())
    assert not torn.exists()
    assert [tile.id for tile in again.written] == [first.tile.id]
    again.append(second)
    store = EmbeddingStore.open(again.finish())
    assert [tile.id for tile in store.tiles] == [first.tile.id, second.tile.id]


def test_parts_written_at_once_get_their_names_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROWS_A_PART", 16)
    monkeypatch.setattr(writing, "PARTS_AT_ONCE", 3)
    first_may_end, write_table = threading.Event(), writing._write_table

    def slow_first(path: Path, *args: object, **settings: object) -> None:
        write_table(path, *args, **settings)
        if "00000" in path.name:
            first_may_end.wait(20)

    monkeypatch.setattr(writing, "_write_table", slow_first)
    tiles = [rows_at(tile_at(column)) for column in range(5)]
    with closing(StoreWriter(tmp_path, meta_of())) as writer:
        for rows in tiles[:2]:
            writer.append(rows)
        while not list(writer.folder.glob("part-00001.parquet.*writing")):
            first_may_end.wait(0.001)
        assert not list(writer.folder.glob("*.parquet"))
        first_may_end.set()
        for rows in tiles[2:]:
            writer.append(rows)
        store = EmbeddingStore.open(writer.finish())
    assert [tile.id for tile in store.tiles] == [rows.tile.id for rows in tiles]


def test_after_a_part_that_failed_no_later_one_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROWS_A_PART", 16)
    monkeypatch.setattr(writing, "PARTS_AT_ONCE", 3)
    write_table = writing._write_table

    def no_room_for_the_second(path: Path, *args: object, **settings: object) -> None:
        if "00001" in path.name:
            raise OSError(28, "No space left on device")
        write_table(path, *args, **settings)

    monkeypatch.setattr(writing, "_write_table", no_room_for_the_second)
    with closing(StoreWriter(tmp_path, meta_of())) as writer, pytest.raises(DiskFull, match="part-00001"):
        for column in range(5):
            writer.append(rows_at(tile_at(column)))
        writer.finish()
    assert [path.name for path in writer.folder.iterdir()] == ["part-00000.parquet"]


def test_an_unfinished_store_is_not_opened(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path, meta_of())
    with pytest.raises(StoreError, match="unfinished"):
        EmbeddingStore.open(tmp_path)
    with pytest.raises(StoreError, match="unfinished"):
        EmbeddingStore.open(writer.folder)


def test_a_finished_store_is_never_written_to(tmp_path: Path) -> None:
    store = make_store(tmp_path, [rows_at(tile_at(0))])
    before = store.parts[0].path.read_bytes()
    with pytest.raises(StoreError, match="already holds a finished store of another"):
        StoreWriter(tmp_path, meta_of(config_hash="another"))
    same = StoreWriter(tmp_path, meta_of())
    with pytest.raises(StoreError, match="is finished, and tile"):
        same.append(rows_at(tile_at(1)))
    assert [path.read_bytes() for path in store.folder.glob("*.parquet")] == [before]


def test_a_run_killed_between_the_stores_last_step_and_its_own_finds_nothing_left_to_do(
    tmp_path: Path,
) -> None:
    store = make_store(tmp_path, [rows_at(tile_at(0))])
    again = StoreWriter(tmp_path, meta_of())
    assert again.written == list(store.tiles)
    assert again.finish() == store.folder
    assert np.array_equal(EmbeddingStore.open(tmp_path).read(), store.read())


def test_parts_of_another_configuration_are_not_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "ROWS_A_PART", 16)
    with closing(StoreWriter(tmp_path, meta_of())) as writer:
        writer.append(rows_at(tile_at(0)))
    with pytest.raises(StoreError, match="changed since"):
        StoreWriter(tmp_path, meta_of(config_hash="another"))


@pytest.mark.parametrize("version", [0, 99])
def test_a_store_of_another_schema_is_said_not_guessed(tmp_path: Path, version: int) -> None:
    with pytest.raises(StoreError, match=f"is of schema {version}"):
        make_store(tmp_path, [rows_at(tile_at(0))], meta_of(schema_version=version))
    with pytest.raises(StoreError, match=f"is of schema {version}"):  # nor is one continued
        StoreWriter(tmp_path, meta_of())
    assert f"is of schema {version}" in str(check_store(tmp_path / "store")[0])


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from engine.store import writer as writing
from engine.errors import RunFailure
from tests.unit.store.stores import meta_of, rows_at, tile_at
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write over the limit then fails as a full disk does, with a number of its own
writing.ROWS_A_PART = 16
writing.PARTS_AT_ONCE = int(sys.argv[2])
writer = writing.StoreWriter(Path(sys.argv[1]), meta_of())
writer.append(rows_at(tile_at(0)))
writer.close()
writer = writing.StoreWriter(Path(sys.argv[1]), meta_of())
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    for column in (1, 2, 3, 4):
        writer.append(rows_at(tile_at(column)))
    writer.finish()
except RunFailure as err:
    print(err)
    sys.exit(7)
"""


@pytest.mark.parametrize("parts_at_once", [1, 3])
def test_a_full_disk_leaves_earlier_parts_whole_and_nothing_torn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts_at_once: int
) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path), str(parts_at_once)]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert ended.returncode == 7, ended.stderr
    assert "part-00001.parquet could not be written (" in ended.stdout
    unfinished = tmp_path / writing.UNFINISHED
    assert [path.name for path in unfinished.iterdir()] == ["part-00000.parquet"]
    monkeypatch.setattr(writing, "ROWS_A_PART", 16)
    writer = StoreWriter(tmp_path, meta_of())
    writer.append(rows_at(tile_at(1)))
    expected = np.concatenate([rows_at(tile_at(column)).embeddings[0] for column in (0, 1)]).astype(
        np.float16
    )
    assert np.array_equal(EmbeddingStore.open(writer.finish()).read(), expected)

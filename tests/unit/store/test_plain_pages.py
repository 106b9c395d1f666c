"""Numbers read straight from their pages are pyarrow's numbers, and whatever is written otherwise is left to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import StoreError
from engine.store.plain_pages import PlainValues, find_plain_values
from engine.store.store import EmbeddingStore
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at

ARROW = {"float16": pa.float16(), "float32": pa.float32()}
OURS: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_statistics": False}


def table_of(values: np.ndarray, nullable: bool = False) -> pa.Table:
    kind = pa.list_(pa.field("element", ARROW[values.dtype.name], nullable=nullable), values.shape[1])
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1), kind.value_type), type=kind)
    schema = pa.schema([pa.field("key", pa.int32()), pa.field("e", kind, nullable=nullable)])
    return pa.Table.from_arrays([pa.array(np.arange(len(values), dtype=np.int32)), lists], schema=schema)


def found_in(path: Path, dim: int, dtype: str) -> PlainValues | None:
    with path.open("rb", buffering=0) as file:
        return find_plain_values(file, pq.read_metadata(path), "e", dim, dtype)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(1, 400),
    dim=st.integers(1, 70),
    dtype=st.sampled_from(["float16", "float32"]),
    group=st.integers(1, 400),
    page_bytes=st.sampled_from([1, 64, 1000, 1 << 20]),
    batch=st.sampled_from([1, 7, 1024]),
    page_index=st.booleans(),
    part=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_any_rows_of_any_layout_are_pyarrows_to_the_bit(
    tmp_path: Path,
    rows: int, dim: int, dtype: str, group: int, page_bytes: int, batch: int, page_index: bool,
    part: tuple[float, float],
) -> None:  # fmt: skip
    path = tmp_path / "e.parquet"
    bits = np.random.default_rng([rows, dim]).integers(
        0, 256, rows * dim * np.dtype(dtype).itemsize, np.uint8
    )
    pq.write_table(table_of(bits.view(dtype).reshape(rows, dim)), path, row_group_size=group,
                   data_page_size=page_bytes, write_batch_size=batch, write_page_index=page_index, **OURS)  # fmt: skip
    found = found_in(path, dim, dtype)
    assert found is not None
    first, last = sorted(int(share * rows) for share in part)
    values = np.empty((last - first) * dim, dtype)
    with path.open("rb", buffering=0) as file:
        found.read_into(file, first * dim, values)
    decoded = pq.read_table(path)["e"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    assert np.array_equal(values.view(np.uint8), decoded[first * dim : last * dim].view(np.uint8))


def test_a_chunk_of_several_pages_is_several_runs(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    pq.write_table(table_of(np.zeros((4000, 32), np.float32)), path, data_page_size=50_000, **OURS)
    found = found_in(path, 32, "float32")
    assert found is not None
    assert len(found.ends) > 3


FOREIGN = {
    "compressed": {"compression": "zstd"},
    "a dictionary": {"use_dictionary": True},
    "split bytes": {"use_byte_stream_split": ["e.list.element"]},
    "pages of version 2": {"data_page_version": "2.0"},
}


@pytest.mark.parametrize("way", FOREIGN)
def test_other_ways_of_writing_are_left_to_pyarrow(tmp_path: Path, way: str) -> None:
    path = tmp_path / "e.parquet"
    pq.write_table(table_of(np.ones((50, 8), np.float32)), path, **{**OURS, **FOREIGN[way]})
    assert found_in(path, 8, "float32") is None


def test_lists_that_may_be_null_or_of_another_kind_are_left_to_pyarrow(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    pq.write_table(table_of(np.ones((50, 8), np.float32), nullable=True), path, **OURS)
    assert found_in(path, 8, "float32") is None
    pq.write_table(table_of(np.ones((50, 8), np.float32)), path, **OURS)
    assert found_in(path, 8, "float16") is None
    assert found_in(path, 9, "float32") is None
    pq.write_table(pa.table({"e": pa.array(np.ones(50))}), path, **OURS)
    assert found_in(path, 1, "float32") is None


def test_lists_of_uneven_length_with_the_right_sum_are_not_cut_evenly(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    kind = pa.list_(pa.field("element", pa.float32(), nullable=False))
    lists = pa.array([[1.0, 2.0, 3.0], [4.0], [5.0, 6.0], [7.0, 8.0]], kind)
    pq.write_table(
        pa.table({"e": lists}, schema=pa.schema([pa.field("e", kind, nullable=False)])), path, **OURS
    )
    assert found_in(path, 2, "float32") is None


@pytest.mark.parametrize("flip", range(0, 60))
def test_a_damaged_page_header_never_passes_for_other_numbers(tmp_path: Path, flip: int) -> None:
    path = tmp_path / "e.parquet"
    values = np.arange(400, dtype=np.float32).reshape(50, 8)
    pq.write_table(table_of(values), path, **OURS)
    start = pq.read_metadata(path).row_group(0).column(1).data_page_offset
    whole = bytearray(path.read_bytes())
    whole[start + flip] ^= 0x11
    path.write_bytes(bytes(whole))
    found = found_in(path, 8, "float32")
    if found is not None:
        read = np.empty(400, np.float32)
        with path.open("rb", buffering=0) as file:
            found.read_into(file, 0, read)
        assert np.array_equal(read.reshape(50, 8), values)


def rewritten_compressed(store: EmbeddingStore) -> None:
    """The same rows as another writer might leave them."""
    for part in store.parts:
        table, told = pq.read_table(part.path), pq.read_metadata(part.path).metadata
        table = table.replace_schema_metadata({key: told[key] for key in (b"geo", b"emberscope")})
        pq.write_table(table, part.path, compression="zstd", row_group_size=7, data_page_version="2.0")


def test_a_store_that_another_program_wrote_anew_reads_the_same(tmp_path: Path) -> None:
    rows = [rows_at(tile_at(column), dims=(3, 5)) for column in range(4)]
    store = make_store(tmp_path, rows, meta_of(dims=(3, 5)))
    before = [store.read(layer) for layer in (0, 1)], store.read_tile(store.tiles[2].id, 1)
    rewritten_compressed(store)
    after = EmbeddingStore.open(store.folder)
    assert all(np.array_equal(a, after.read(layer)) for layer, a in enumerate(before[0]))
    assert np.array_equal(before[1], after.read_tile(store.tiles[2].id, 1))
    # The store that was open meanwhile sees that the file is another one.
    assert np.array_equal(before[1], store.read_tile(store.tiles[2].id, 1))


def test_a_part_that_vanishes_or_shrinks_under_an_open_store_is_said(tmp_path: Path) -> None:
    store = make_store(tmp_path, [rows_at(tile_at(column)) for column in range(4)])
    path = store.parts[0].path
    whole = path.read_bytes()
    path.write_bytes(whole[:300])
    with pytest.raises(StoreError, match="damaged or gone"):
        store.read()
    path.unlink()
    with pytest.raises(StoreError, match="damaged or gone"):
        store.read_tile(store.tiles[0].id)


def test_our_own_parts_are_read_without_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a part of ours was decoded")

    monkeypatch.setattr(EmbeddingStore, "_decoded", refuse)
    for dtype in ("float16", "float32"):
        rows = [rows_at(tile_at(column), dims=(3, 64)) for column in range(9)]
        store = make_store(tmp_path / dtype, rows, meta_of(dims=(3, 64), dtype=dtype))
        assert np.array_equal(store.read(1), np.concatenate([r.embeddings[1] for r in rows]).astype(dtype))


def test_a_part_with_other_rows_than_its_tiles_need_is_said(tmp_path: Path) -> None:
    store = make_store(tmp_path, [rows_at(tile_at(column)) for column in range(4)])
    path = store.parts[0].path
    table, told = pq.read_table(path), pq.read_metadata(path).metadata
    schema = table.schema.with_metadata({key: told[key] for key in (b"geo", b"emberscope")})
    pq.write_table(table.slice(0, 50).replace_schema_metadata(schema.metadata), path, compression="none")
    shorter = EmbeddingStore.open(store.folder)
    with pytest.raises(StoreError, match=r"holds 50 rows instead of 64"):
        shorter.read()
    with pytest.raises(StoreError, match="holds 50 rows"):
        shorter.read_tile(store.tiles[0].id)

"""The check finds what happens to stores: cut, flipped, lost, edited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine.errors import StoreError
from engine.jobs.configuration.config import to_yaml
from engine.store import writer
from engine.store.check import check_store
from engine.store.manifest import MANIFEST
from engine.store.store import EmbeddingStore
from tests.unit.store.stores import CONFIG, make_store, meta_of, rows_at, tile_at


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddingStore:
    monkeypatch.setattr(writer, "ROWS_A_PART", 64)
    (tmp_path / "config.yaml").write_text(to_yaml(CONFIG))
    return make_store(
        tmp_path, [rows_at(tile_at(column, row), gaps=1) for row in range(3) for column in range(4)]
    )


def words(folder: Path) -> str:
    return "\n".join(str(problem) for problem in check_store(folder))


def test_a_whole_store_has_no_problems_by_its_folder_or_its_runs(store: EmbeddingStore) -> None:
    assert check_store(store.folder) == []
    assert check_store(store.folder.parent) == []


def test_a_truncated_part_is_named(store: EmbeddingStore) -> None:
    path = store.parts[1].path
    path.write_bytes(path.read_bytes()[:-100])
    assert "part-00001.parquet: cannot be read" in words(store.folder)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9, 0.99])
def test_a_flipped_byte_is_found_wherever_it_is(store: EmbeddingStore, share: float) -> None:
    path = store.parts[2].path
    whole = bytearray(path.read_bytes())
    whole[int(share * len(whole))] ^= 0x10
    path.write_bytes(bytes(whole))
    assert "part-00002.parquet: has changed since it was written" in words(store.folder)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_missing_part_is_named_with_its_rows(store: EmbeddingStore, number: int) -> None:
    store.parts[number].path.unlink()
    assert f"part-0000{number}.parquet: is missing; the manifest counts 64 rows" in words(store.folder)


def test_a_missing_manifest_and_a_gap_in_the_numbers_are_told(store: EmbeddingStore) -> None:
    (store.folder / MANIFEST).unlink()
    store.parts[0].path.unlink()
    found = words(store.folder)
    assert "has no _manifest.json" in found
    assert "part-00000.parquet missing" in found


def test_an_edited_configuration_is_told(store: EmbeddingStore) -> None:
    config = store.folder.parent / "config.yaml"
    config.write_text(config.read_text().replace("seed: 0", "seed: 5"))
    assert "config.yaml was changed" in words(store.folder)


def test_a_checksum_that_is_not_of_the_configuration_inside_is_told(tmp_path: Path) -> None:
    store = make_store(tmp_path, [rows_at(tile_at(0))], meta_of(config_hash="made up"))
    assert "not the one whose checksum" in words(store.folder)


def test_numbers_that_are_not_finite_count_only_where_valid(tmp_path: Path) -> None:
    rows = rows_at(tile_at(0), gaps=2)
    rows.embeddings[0][1] = np.inf
    assert check_store(make_store(tmp_path / "gap", [rows]).folder) == []
    rows.embeddings[0][7] = np.nan
    assert "1 valid row(s) of embedding hold" in words(make_store(tmp_path / "valid", [rows]).folder)


def test_the_same_tile_twice_is_told(tmp_path: Path) -> None:
    assert "more than once" in words(make_store(tmp_path, [rows_at(tile_at(0)), rows_at(tile_at(0))]).folder)


def rewritten(store: EmbeddingStore, change: Callable[[dict[str, list[object]]], None]) -> str:
    """What the check says after the columns of the first part were changed."""
    path = store.parts[0].path
    footer = pq.read_metadata(path).metadata
    table = pq.read_table(path)
    schema = table.schema.with_metadata({key: footer[key] for key in (b"geo", b"emberscope")})
    columns = {name: table[name].to_pylist() for name in table.column_names}
    change(columns)
    arrays = [columns[name] for name in table.column_names]
    pq.write_table(type(table).from_arrays([_as(a, f.type) for a, f in zip(arrays, table.schema, strict=True)],
                                           schema=schema), path)  # fmt: skip
    return words(store.folder)


def _as(values: list[object], kind: object) -> object:
    import pyarrow as pa

    return pa.array(values, kind)


def test_rows_out_of_place_and_moved_footprints_are_told(store: EmbeddingStore) -> None:
    def swap(columns: dict[str, list[object]]) -> None:
        columns["row"][0], columns["row"][5] = columns["row"][5], columns["row"][0]
        columns["geometry"][0] = columns["geometry"][1]
        columns["bbox"][2] = columns["bbox"][3]

    found = rewritten(store, swap)
    assert "not where the tile list has them" in found
    assert "footprints do not lie" in found
    assert "bounding boxes do not lie" in found


def test_no_store_and_an_unfinished_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is no embedding store"):
        check_store(tmp_path)
    writer.StoreWriter(tmp_path, meta_of())
    with pytest.raises(StoreError, match="unfinished"):
        check_store(tmp_path)

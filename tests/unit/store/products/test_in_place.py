"""Embeddings that are read where they lie: the same rows as in a store made of them, and refused once the file is another one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from engine.errors import BadInput, StoreError
from engine.jobs.job import Job
from engine.jobs.keeping.archive import open_archive
from engine.jobs.keeping.zip_stream import zip_blocks
from engine.store.check import check_store
from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from engine.views.layer_view import view_of
from engine.views.lens.reduction import reduction_of
from tests.unit.store.products.made import alphaearth, unit_vectors, write_tiff
from tests.unit.store.products.test_raster_products import on_grid, region_of_pixels
from tests.unit.store.products.test_tables import squares, write_table


def table(path: Path) -> Path:
    vectors = unit_vectors(1, 7, 32)[0]
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 32)
    return write_table(path, {"embedding": column}, squares(7), rows_a_group=3)


@pytest.mark.parametrize("form", ["alphaearth", "table"])
def test_a_file_in_place_has_the_same_rows_as_a_store_made_of_it(tmp_path: Path, form: str) -> None:
    gaps = np.zeros((600, 90), bool)
    gaps[:70, :80] = True
    path = (
        table(tmp_path / "x.parquet")
        if form == "table"
        else alphaearth(tmp_path / "2021/x.tiff", unit_vectors(600, 90), gaps)
    )
    _, copied = import_embeddings(path, tmp_path / "copied")
    _, found = import_embeddings(path, tmp_path / "in_place", in_place=True)
    assert found.is_in_place and found.bytes_on_disk < 10_000 and not copied.is_in_place
    theirs = {tile.id: (tile, values, valid) for tile, values, valid in found.iterate()}
    for tile, values, valid in copied.iterate():
        same, read, is_valid = theirs[tile.id]
        assert same == tile and np.array_equal(read, values) and np.array_equal(is_valid, valid)
        assert np.array_equal(found.read_tile(tile.id), values)
    every = [values.reshape(-1, values.shape[-1]) for _, values, _ in theirs.values()]
    assert np.array_equal(found.read(), np.concatenate(every))
    fresh = EmbeddingStore.open(tmp_path / "in_place")
    assert fresh.read_valid_fraction().sum() == copied.read_valid_fraction().sum()
    assert Job(tmp_path / "in_place").state == "finished" and check_store(tmp_path / "in_place") == []


def test_a_region_in_place_is_drawn_as_a_lens(tmp_path: Path) -> None:
    path = alphaearth(tmp_path / "x.tiff", unit_vectors(300, 280))
    _, found = import_embeddings(path, tmp_path / "run", region_of_pixels(100, 120, 160, 150), in_place=True)
    there = np.argwhere(~np.isnan(on_grid(found, 300, 280)[..., 0]))
    assert there.min(axis=0) == pytest.approx([100, 120], abs=1)
    assert reduction_of(view_of(found, 0)).header.patches == found.rows


def test_a_file_that_was_changed_or_went_away_is_not_read_as_what_it_was(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "x.tif", unit_vectors(20, 20, 16))
    import_embeddings(path, tmp_path / "run", in_place=True)
    write_tiff(path, unit_vectors(21, 20, 16))
    with pytest.raises(StoreError, match=r"x\.tif was changed since"):
        EmbeddingStore.open(tmp_path / "run")
    path.unlink()
    with pytest.raises(StoreError, match="no longer at"):
        EmbeddingStore.open(tmp_path / "run")
    assert len(check_store(tmp_path / "run")) == 1


def test_an_archive_cannot_name_a_file_of_this_machine_to_be_read(tmp_path: Path) -> None:
    import_embeddings(write_tiff(tmp_path / "x.tif", unit_vectors(9, 9, 16)), tmp_path / "run", in_place=True)
    (tmp_path / "x.zip").write_bytes(b"".join(zip_blocks(tmp_path / "run")))
    with (tmp_path / "x.zip").open("rb") as file, pytest.raises(BadInput, match="another machine"):
        open_archive(file, tmp_path / "home")
    assert list((tmp_path / "home").glob("*")) == []

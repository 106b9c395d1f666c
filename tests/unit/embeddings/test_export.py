"""Exported embeddings are the store's, at the same place, in files that others read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rio_cogeo.cogeo import cog_validate

from engine.embeddings.export import export
from engine.errors import StoreError
from tests.unit.embeddings.stores import make_store, meta_of, rows_at, tile_at


def test_geotiff_holds_every_dimension_with_crs_names_and_gaps(tmp_path: Path) -> None:
    store = make_store(tmp_path / "run", [rows_at(tile_at(column), gaps=2) for column in range(2)])
    out = export(store, None, tmp_path / "e.tif", "geotiff")
    assert cog_validate(out)[0]
    with rasterio.open(out) as dataset:
        found = dataset.read()
        assert dataset.crs.to_epsg() == 32618
        assert dataset.descriptions[4] == "raw layer 0 dim 4"
        assert np.isnan(dataset.nodata)
        assert dataset.tags()["EMBERSCOPE_BACKBONE"] == "raw"
    second = store.read_tile(store.tiles[1].id).astype(np.float32)
    assert found.shape == (5, 4, 8)
    assert np.array_equal(found[:, 1:, 4:], np.moveaxis(second, -1, 0)[:, 1:])
    assert np.isnan(found[:, 0, 4:6]).all()


def test_npz_holds_the_rows_their_keys_and_the_facts(tmp_path: Path) -> None:
    store = make_store(
        tmp_path / "run", [rows_at(tile_at(c), dims=(3, 6)) for c in range(3)], meta_of(dims=(3, 6))
    )
    with np.load(export(store, 1, tmp_path / "e.npz", "npz"), allow_pickle=False) as found:
        assert np.array_equal(found["embeddings"], store.read(1))
        assert found["embeddings"].dtype == np.float16
        assert found["tile_id"][20] == store.tiles[1].id
        assert (found["row"][20], found["col"][21]) == (1, 1)
        assert json.loads(str(found["store"]))["meta"]["backbone"] == "raw"


def test_an_unknown_format_and_an_unknown_layer_are_refused(tmp_path: Path) -> None:
    store = make_store(tmp_path / "run", [rows_at(tile_at(0))])
    with pytest.raises(StoreError, match="geotiff or npz"):
        export(store, None, tmp_path / "e.csv", "csv")
    with pytest.raises(StoreError, match="layer 9"):
        export(store, 9, tmp_path / "e.tif", "geotiff")
    assert not (tmp_path / "e.tif").exists()

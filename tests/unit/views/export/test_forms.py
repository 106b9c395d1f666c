"""Exported embeddings are the store's, at the same place, in files that others read."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.enums import Interleaving
from rio_cogeo.cogeo import cog_validate

from engine.errors import BadInput, StoreError
from engine.store.importing.taking import import_embeddings
from engine.views.export.forms import FORMS, export
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at


def test_geotiff_holds_every_dimension_with_crs_names_and_gaps(tmp_path: Path) -> None:
    store = make_store(tmp_path / "run", [rows_at(tile_at(column), gaps=2) for column in range(2)])
    (out,) = export(store, None, tmp_path / "e.tif", "geotiff").files
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
    (out,) = export(store, 1, tmp_path / "e.npz", "npz").files
    with np.load(out, allow_pickle=False) as found:
        assert np.array_equal(found["embeddings"], store.read(1))
        assert found["embeddings"].dtype == np.float16
        assert found["tile_id"][20] == store.tiles[1].id
        assert (found["row"][20], found["col"][21]) == (1, 1)
        assert json.loads(str(found["store"]))["meta"]["backbone"] == "raw"


def test_an_unknown_format_and_an_unknown_layer_are_refused(tmp_path: Path) -> None:
    store = make_store(tmp_path / "run", [rows_at(tile_at(0))])
    with pytest.raises(StoreError, match="terratorch or npz"):
        export(store, None, tmp_path / "e.csv", "csv")
    with pytest.raises(StoreError, match="layer 9"):
        export(store, 9, tmp_path / "e.tif", "geotiff")
    assert not (tmp_path / "e.tif").exists()


def test_each_layer_is_exported_in_its_own_width_and_name(tmp_path: Path) -> None:
    store = make_store(tmp_path / "run", [rows_at(tile_at(0), dims=(3, 6))], meta_of(dims=(3, 6)))
    for layer, dim in ((0, 3), (1, 6)):
        (out,) = export(store, layer, tmp_path / f"{layer}.tif").files
        with rasterio.open(out) as dataset:
            assert np.array_equal(
                dataset.read(), np.moveaxis(store.read_tile(store.tiles[0].id, layer), -1, 0)
            )
            assert dataset.descriptions == tuple(f"raw layer {layer} dim {index}" for index in range(dim))
            assert dataset.tags()["EMBERSCOPE_LAYER"] == str(layer)


def test_tiles_of_several_zones_become_a_map_in_each_to_the_bit(tmp_path: Path) -> None:
    zones = {"EPSG:32618": 400_000.0, "EPSG:32617": 900_000.0}
    tiles = [tile_at(column, crs=crs, west=west) for crs, west in zones.items() for column in range(3)]
    store = make_store(tmp_path / "run", [rows_at(tile) for tile in tiles])
    written = export(store, None, tmp_path / "e.tif").files
    assert [path.name for path in written] == ["e_epsg32618.tif", "e_epsg32617.tif"]
    for path, crs in zip(written, zones, strict=True):
        own = [tile for tile in store.tiles if tile.crs == crs]
        expected = np.concatenate([np.moveaxis(store.read_tile(tile.id), -1, 0) for tile in own], axis=2)
        with rasterio.open(path) as dataset:
            assert dataset.crs == crs
            assert dataset.transform[:6] == own[0].patch_transform[:6]
            assert np.array_equal(dataset.read(), expected)
        assert cog_validate(path)[0]


EARLY, LATE, OTHER = "2021-03-18T10:12:13+00:00", "2021-03-18T22:30:00+02:00", "2021-09-02T00:00:00+00:00"


@pytest.mark.parametrize(
    ("moments", "labels"),
    [
        ([[EARLY], [OTHER]], ["2021-03-18", "2021-09-02"]),
        ([[EARLY], [LATE], [OTHER]], ["2021-03-18T101213", "2021-03-18T203000", "2021-09-02"]),
        ([[OTHER], [OTHER], [None]], ["2021-09-02T000000", "2021-09-02T000000_2", "undated"]),
        ([[None, EARLY], [EARLY, OTHER]], ["2021-03-18", "2021-09-02"]),  # the last of a series
        ([[EARLY]], [""]),
    ],
)
def test_maps_of_the_same_ground_are_named_by_their_dates_and_come_back_with_them(
    tmp_path: Path, moments: list[list[str | None]], labels: list[str]
) -> None:
    places = [tile_at(0), tile_at(1)]
    tiles = [
        replace(place, id=f"{place.id}_{number}", datetimes=tuple(own))
        for place in places
        for number, own in enumerate(moments)
    ]
    store = make_store(tmp_path / "run", [rows_at(tile) for tile in tiles])
    written = export(store, None, tmp_path / "e.tif").files
    assert [path.name for path in written] == [f"e{label and '_' + label}.tif" for label in labels]
    for number, path in enumerate(written):
        own = [store.read_tile(f"{place.id}_{number}") for place in places]
        with rasterio.open(path) as dataset:
            assert np.array_equal(dataset.read(), np.moveaxis(np.concatenate(own, axis=1), -1, 0))
        _, back = import_embeddings(path, tmp_path / f"back{number}")
        last = moments[number][-1]
        found = back.tiles[0].datetimes[0]
        assert found == last or datetime.fromisoformat(found or "") == datetime.fromisoformat(last or "")
        assert back.meta.layers == store.meta.layers


def test_a_map_whose_tiles_are_of_several_dates_states_none_and_says_so(tmp_path: Path) -> None:
    tiles = [
        replace(tile_at(column), datetimes=(moment,)) for column, moment in enumerate((EARLY, OTHER, None))
    ]
    store = make_store(tmp_path / "run", [rows_at(tile) for tile in tiles])
    made = export(store, None, tmp_path / "e.tif")
    assert "from 2021-03-18 to 2021-09-02 and of no date" in made.notes[0]
    with rasterio.open(tmp_path / "e.tif") as dataset:
        assert "EMBERSCOPE_DATETIME" not in dataset.tags()
    same_day = [
        replace(tile, datetimes=(moment,)) for tile, moment in zip(tiles, (EARLY, LATE), strict=False)
    ]
    store = make_store(tmp_path / "day", [rows_at(tile) for tile in same_day])
    assert export(store, None, tmp_path / "d.tif").notes == ()
    with rasterio.open(tmp_path / "d.tif") as dataset:
        assert dataset.tags()["EMBERSCOPE_DATETIME"] == "2021-03-18"


MANY = 300  # float32 bands of which GDAL's COG driver makes no block small enough


def test_many_dimensions_are_exported_without_a_complaint_and_with_small_blocks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tiles = [rows_at(tile_at(column, side=150), dims=(MANY,), gaps=2) for column in range(2)]
    store = make_store(tmp_path / "run", tiles, meta_of(dims=(MANY,)))
    with caplog.at_level(logging.INFO, "rasterio"):
        (out,) = export(store, None, tmp_path / "e.tif").files
    assert not [record for record in caplog.records if "CPLE" in record.getMessage()]
    assert cog_validate(out)[0]
    with rasterio.open(out) as dataset:
        height, width = dataset.block_shapes[0]
        a_block = height * width * (1 if dataset.interleaving == Interleaving.band else MANY) * 4
        assert a_block <= 16_000_000
        assert dataset.overviews(MANY)
        found = dataset.read()
    values = np.moveaxis(store.read_tile(store.tiles[1].id).astype(np.float32), -1, 0)
    assert np.array_equal(found[:, 1:, 150:], values[:, 1:]) and np.isnan(found[:, 0, :2]).all()


@pytest.mark.parametrize("dim", [48, 600])
def test_tiles_far_apart_are_exported_soon_and_sparse(tmp_path: Path, dim: int) -> None:
    store = make_store(tmp_path / "run", [rows_at(tile_at(at, at), dims=(dim,)) for at in (0, 1000)],
                       meta_of(dims=(dim,)))  # fmt: skip
    began = time.monotonic()
    (out,) = export(store, None, tmp_path / "e.tif").files
    assert time.monotonic() - began < 30
    assert out.stat().st_size < 4_000_000
    with rasterio.open(out) as dataset:
        found = dataset.read(
            window=((dataset.height - 4, dataset.height), (dataset.width - 4, dataset.width))
        )
    expected = np.moveaxis(store.read_tile(store.tiles[1].id).astype(np.float32), -1, 0)
    assert np.array_equal(found, expected)


def test_tiles_too_far_apart_for_one_raster_are_refused_with_what_to_do(tmp_path: Path) -> None:
    store = make_store(tmp_path / "run", [rows_at(tile_at(at, at), dims=(600,)) for at in (0, 8000)],
                       meta_of(dims=(600,)))  # fmt: skip
    with pytest.raises(StoreError, match=r"too far apart for one raster of 600 bands.*Export as npz"):
        export(store, None, tmp_path / "e.tif")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("form", [name for name, form in FORMS.items() if not form.is_folder])
def test_a_file_is_named_by_an_ending_that_import_knows(tmp_path: Path, form: str) -> None:
    store = make_store(tmp_path / "run", [rows_at(tile_at(0))])
    with pytest.raises(BadInput, match=rf"Write e.csv{FORMS[form].ending}\."):
        export(store, None, tmp_path / "e.csv", form)
    assert not list(tmp_path.glob("e*"))

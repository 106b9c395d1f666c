"""Of a Zarr store of embeddings that a STAC collection names, the groups and chunks of a region are fetched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from engine.errors import EngineError
from engine.store.catalogues.job import catalogue_job
from engine.store.check import check_store
from engine.store.store import EmbeddingStore
from tests.stac.range_server import RangeServer
from tests.unit.store.catalogues.made import config_of, offered, region_of, settle
from tests.unit.store.catalogues.test_stac_region import collection, item
from tests.unit.store.products.made import NORTH, WEST

REGION = region_of(40, 40, 60, 60)
SHAPE = (2, 16, 192, 192)


def geoemb(folder: Path) -> np.ndarray:
    """A store in the geoemb convention: zones, two years, 8 bits with scales, shards; (h, w, D) of 2023."""
    drawn = np.random.default_rng(0)
    numbers = drawn.integers(-127, 128, SHAPE).astype(np.int8)
    scales = drawn.uniform(0.01, 0.1, (2, *SHAPE[2:])).astype(np.float32)
    root = zarr.open_group(folder, mode="w", zarr_format=3)
    for zone, west in (("utm18", WEST), ("utm17", 900_000.0)):
        group = root.create_group(zone)
        group.update_attributes(
            {"proj:code": f"EPSG:326{zone[-2:]}", "spatial:transform": [10.0, 0.0, west, 0.0, -10.0, NORTH]}
        )
        made = group.create_array(
            "embeddings", shape=SHAPE, dtype="int8", chunks=(1, 16, 32, 32), shards=(1, 16, 96, 96), fill_value=0,
            dimension_names=("time", "band", "y", "x"),
        )  # fmt: skip
        made[:] = numbers
        group.create_array("scales", data=scales, chunks=(1, 32, 32), dimension_names=("time", "y", "x"))
        group.create_array("time", data=np.array([2023, 2024], np.int32), dimension_names=("time",))
    zarr.consolidate_metadata(folder)
    return np.moveaxis(numbers[0] * scales[0], 0, -1)


@pytest.fixture
def meant(server: RangeServer, home: Path) -> np.ndarray:
    found = geoemb(server.folder / "ours.zarr")
    links = [{"rel": "item", "href": "items/2023.json"}]
    server.pages["/collection.json"] = collection(links)
    server.pages["/items/2023.json"] = item(
        "e2023", "2023-01-01", "../ours.zarr", "application/vnd.zarr; version=3"
    )
    settle(home, server, ours=("stac", "collection.json"))
    return found


def test_the_chunks_of_a_region_and_a_year_become_a_store(
    server: RangeServer, meant: np.ndarray, tmp_path: Path
) -> None:
    offer = offered("ours", REGION)
    assert [one.part for one in offer.placed] == ["utm18"] and any("Zarr" in note for note in offer.notes)
    (tmp_path / "run").mkdir()
    list(catalogue_job(config_of("ours", REGION), tmp_path / "run"))
    assert check_store(tmp_path / "run") == []
    store = EmbeddingStore.open(tmp_path / "run/store")
    (tile,) = store.tiles
    row, column = round((NORTH - tile.transform[5]) / 10), round((tile.transform[2] - WEST) / 10)
    there = meant[row : row + tile.h, column : column + tile.w]
    assert np.allclose(store.read().reshape(there.shape), there, atol=5e-3) and row > 0
    chunks = sum(size for path, _, size in server.sent if "/embeddings/c/" in path)
    assert chunks <= 1.3 * 2 * 32 * 32 * 16 + 4096, "inner chunks of one shard, and its index"
    server.fault = lambda handler: handler.answer(503, b"") or True
    (tmp_path / "again").mkdir()
    list(catalogue_job(config_of("ours", REGION), tmp_path / "again"))
    assert np.array_equal(EmbeddingStore.open(tmp_path / "again/store").read(), store.read())


def test_a_store_without_a_description_of_all_is_refused(server: RangeServer, meant: np.ndarray) -> None:
    (server.folder / "ours.zarr/zarr.json").unlink()
    with pytest.raises(EngineError, match=r"neither zarr.json nor .zmetadata"):
        offered("ours", REGION)


def test_a_zarr_store_is_a_catalogue_by_itself_with_its_years(
    server: RangeServer, home: Path, tmp_path: Path
) -> None:
    expected = geoemb(server.folder / "ours.zarr")
    settle(home, server, ours=("zarr", "ours.zarr"))
    with pytest.raises(EngineError, match=r"2023, 2024"):
        offered("ours", REGION)
    offer = offered("ours", REGION, 2023)
    assert (offer.years, offer.dim, [one.part for one in offer.placed]) == ((2023, 2024), 16, ["utm18"])
    (tmp_path / "run").mkdir()
    list(catalogue_job(config_of("ours", REGION, 2023), tmp_path / "run"))
    (tile,) = EmbeddingStore.open(tmp_path / "run/store").tiles
    row, column = round((NORTH - tile.transform[5]) / 10), round((tile.transform[2] - WEST) / 10)
    there = expected[row : row + tile.h, column : column + tile.w]
    found = EmbeddingStore.open(tmp_path / "run/store").read()
    assert np.allclose(found.reshape(there.shape), there, atol=5e-3) and str(tile.datetimes[0])[:4] == "2023"
    with pytest.raises(EngineError, match="has no embeddings that the region meets"):
        offered("ours", region_of(0, 0, 9, 9, west=WEST + 90_000))

"""TESSERA's tiles over a region are found in geotessera's lists, checked where a sha256 is listed, and fetched into a store."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.errors import BadInput, RemoteError
from engine.imagery.remote import cache
from engine.store.catalogues.job import catalogue_job
from engine.store.check import check_store
from engine.store.store import EmbeddingStore
from tests.stac.range_server import RangeServer
from tests.unit.store.catalogues.made import config_of, offered, region_of, settle, tessera_tile
from tests.unit.store.products.made import NORTH, WEST, unit_vectors, write_tiff

# The tile's middle: the pixels of the files lie about here.
LON, LAT = -76.15, 37.05
SHAPE = (40, 30)
REGION = region_of(10, 5, 30, 25)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest(server: RangeServer) -> np.ndarray:
    """geotessera 0.11: sizes and no checksums; the tile of 2024, and others elsewhere and of other years."""
    _, meant = tessera_tile(server.folder, 2024, LON, LAT, SHAPE)
    rows = [
        {"year": 2024, "lon": LON, "lat": LAT, "grid_size": 1, "scales_size": 1},
        {"year": 2021, "lon": LON, "lat": LAT, "grid_size": 1, "scales_size": 1},
        *(
            {"year": 2024, "lon": 10.05 + n / 10, "lat": -20.05, "grid_size": 1, "scales_size": 1}
            for n in range(500)
        ),
    ]
    pq.write_table(pa.Table.from_pylist(rows), server.folder / "npy/v1/manifest.parquet", row_group_size=100)
    return meant


def registry(server: RangeServer, form: str) -> np.ndarray:
    """geotessera 0.7 (Parquet) or before (text): folders of other names, and a sha256 of each file."""
    name, meant = tessera_tile(server.folder, 2024, LON, LAT, SHAPE)
    (server.folder / "npy/v1").rename(server.folder / "global_0.1_degree_representation")
    (server.folder / "landmasks/v1").rename(server.folder / "global_0.1_degree_tiff_all")
    below = server.folder / f"global_0.1_degree_representation/2024/{name}"
    hashes = [sha256(below / f"{name}.npy"), sha256(below / f"{name}_scales.npy")]
    mask = sha256(server.folder / f"global_0.1_degree_tiff_all/{name}.tiff")
    if form == "parquet":
        row = {
            "year": 2024,
            "lon": LON,
            "lat": LAT,
            "hash": hashes[0],
            "scales_hash": hashes[1],
            "file_size": 1,
            "scales_size": 1,
        }
        pq.write_table(pa.Table.from_pylist([row]), server.folder / "registry.parquet")
        masks = pa.Table.from_pylist([{"lon": LON, "lat": LAT, "hash": mask, "file_size": 1}])
        pq.write_table(masks, server.folder / "landmasks.parquet")
    else:
        lines = f"2024/{name}/{name}.npy {hashes[0]}\n2024/{name}/{name}_scales.npy {hashes[1]}\n{name}.tiff {mask}\n"
        (server.folder / "registry.txt").write_text(lines)
    return meant


def taken(run: Path, year: int | None = 2024) -> EmbeddingStore:
    run.mkdir()
    list(catalogue_job(config_of("gt", REGION, year), run))
    assert check_store(run) == []
    return EmbeddingStore.open(run / "store")


def require_equal(store: EmbeddingStore, meant: np.ndarray) -> None:
    """The store holds the pixels of the region, in their places."""
    count = 0
    for tile, values, valid in store.iterate():
        row, column = round((NORTH - tile.transform[5]) / 10), round((tile.transform[2] - WEST) / 10)
        there = meant[row : row + tile.h, column : column + tile.w]
        assert (valid > 0).all() and np.allclose(values, there, rtol=1e-3, atol=1e-3)
        count += tile.rows
    assert 20 * 20 <= count <= 22 * 22


def test_of_a_manifest_without_checksums_only_the_rows_of_the_region_are_fetched(
    server: RangeServer, home: Path, tmp_path: Path
) -> None:
    meant = manifest(server)
    settle(home, server, gt=("tessera", "npy/v1/manifest.parquet"))
    offer = offered("gt", REGION, 2024)
    assert (offer.years, offer.dim, offer.product.licence) == ((2021, 2024), 128, "CC0-1.0")
    store = taken(tmp_path / "run")
    require_equal(store, meant)
    assert store.meta.backbone == "tessera" and store.tiles[0].datetimes == ("2024-01-01T00:00:00+00:00",)
    numbers = sum(size for path, _, size in server.sent if path.endswith(f"{LAT:.2f}.npy"))
    assert numbers <= 1.3 * offer.rows * 128 + 16_384  # and the header


@pytest.mark.parametrize("form", ["parquet", "txt"])
def test_a_registry_with_checksums_is_held_to_them(
    server: RangeServer, home: Path, tmp_path: Path, form: str
) -> None:
    meant = registry(server, form)
    settle(home, server, gt=("tessera", f"registry.{form}"))
    assert all(file.sha256 for file in offered("gt", REGION, 2024).placed[0].item.files)
    require_equal(taken(tmp_path / "run"), meant)
    scales = next(server.folder.rglob("*_scales.npy"))
    cache.drop(f"{server.address}/{scales.relative_to(server.folder).as_posix()}")
    scales.write_bytes(scales.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(
        RemoteError, match=r"_scales.npy is not the file that its catalogue lists: its sha256 begins"
    ):
        taken(tmp_path / "other")
    assert not (tmp_path / "other/store").exists()


def test_geotiffs_of_a_list_of_paths_are_fetched_in_blocks_or_whole_where_a_checksum_is_listed(
    server: RangeServer, home: Path, tmp_path: Path
) -> None:
    vectors = unit_vectors(*SHAPE, 128) * 4
    path = f"2024/grid_{LON:.2f}_{LAT:.2f}/grid_{LON:.2f}_{LAT:.2f}_2024.tiff"
    file = write_tiff(server.folder / "global_0.1_degree_representation" / path, vectors, nodata=float("nan"))
    settle(home, server, gt=("tessera", "registry.parquet"))
    for own in (None, sha256(file)):
        listed = {"path": [f"global_0.1_degree_representation/{path}"], "hash": [own]}
        pq.write_table(
            pa.table(listed, schema=pa.schema({"path": "string", "hash": "string"})),
            server.folder / "registry.parquet",
        )
        cache.drop(f"{server.address}/registry.parquet")
        (placed,) = offered("gt", REGION).placed
        assert placed.item.form == "cog" and bool(placed.item.files[0].sha256) == bool(own)
        require_equal(taken(tmp_path / f"run{bool(own)}"), vectors)
    pq.write_table(pa.table({"path": [path], "hash": ["0" * 40]}), server.folder / "registry.parquet")
    cache.drop(f"{server.address}/registry.parquet")
    with pytest.raises(RemoteError, match=r"is not the file that its catalogue lists"):
        taken(tmp_path / "wrong")


def test_a_year_without_tiles_there_names_those_with(server: RangeServer, home: Path) -> None:
    manifest(server)
    settle(home, server, gt=("tessera", "npy/v1/manifest.parquet"))
    with pytest.raises(BadInput, match=r"no embeddings of 2019 in the region; it has 2021, 2024"):
        offered("gt", REGION, 2019)


def test_neighbouring_tiles_that_overlap_give_each_place_once(
    server: RangeServer, home: Path, tmp_path: Path
) -> None:
    tessera_tile(server.folder, 2024, LON, LAT, SHAPE)
    tessera_tile(server.folder, 2024, LON + 0.1, LAT, SHAPE, seed=1, west=WEST + 250)
    rows = [{"year": 2024, "lon": LON + step, "lat": LAT, "grid_size": 1} for step in (0.0, 0.1)]
    pq.write_table(pa.Table.from_pylist(rows), server.folder / "npy/v1/manifest.parquet")
    settle(home, server, gt=("tessera", "npy/v1/manifest.parquet"))
    region = region_of(0, 0, 40, 300)
    (tmp_path / "run").mkdir()
    list(catalogue_job(config_of("gt", region, 2024), tmp_path / "run"))
    places = [
        (tile.transform[2] + column * 10, tile.transform[5] - row * 10)
        for tile, _, valid in EmbeddingStore.open(tmp_path / "run/store").iterate()
        for row, column in np.argwhere(valid > 0)
    ]
    assert len(places) == len(set(places)) > 1900
    assert {x for x, _ in places} == {WEST + column * 10 for column in range(55)}


def test_a_list_without_its_columns_is_refused(server: RangeServer, home: Path) -> None:
    (server.folder / "npy").mkdir()
    pq.write_table(pa.table({"a": [1]}), server.folder / "npy/manifest.parquet")
    settle(home, server, gt=("tessera", "npy/manifest.parquet"))
    with pytest.raises(RemoteError, match=r"no column lon, lat, year; it has a"):
        offered("gt", REGION, 2024)

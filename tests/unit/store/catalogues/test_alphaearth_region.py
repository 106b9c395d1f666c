"""A region and a year of AlphaEarth are found in its index, and just their blocks are fetched into a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import shapely

from engine.errors import BadInput, EngineError, RegionError, RemoteError
from engine.imagery.raster.rasters import open_raster
from engine.imagery.region import Region
from engine.imagery.remote import http
from engine.store.catalogues.job import catalogue_job
from engine.store.catalogues.remote_files.cog import here
from engine.store.check import check_store
from engine.store.store import EmbeddingStore
from engine.views.layer_view import view_of
from engine.views.pca import pca_of
from tests.stac.range_server import Handler, RangeServer, range_server
from tests.unit.store.catalogues.made import (
    BELOW,
    SIDE,
    config_of,
    offered,
    region_of,
    settle,
)
from tests.unit.store.products.made import NORTH, WEST

REGION = region_of(70, 80, 180, 120)


@pytest.fixture
def server(alphaearth_folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    """The catalogues `aef`, with an index in Parquet, and `csv`."""
    monkeypatch.setattr(http, "_PAUSE_S", 0.001)
    with range_server(alphaearth_folder) as made:
        below = f"{BELOW}/aef_index"
        settle(home, made, aef=("alphaearth", f"{below}.parquet"), csv=("alphaearth", f"{below}.csv"))
        yield made


def fetched(name: str, region: Region, run: Path, year: int | None = 2024) -> EmbeddingStore:
    run.mkdir(exist_ok=True)
    list(catalogue_job(config_of(name, region, year), run))
    return EmbeddingStore.open(run / "store")


def on_grid(store: EmbeddingStore) -> np.ndarray:
    found = np.full((SIDE, SIDE, 64), np.nan, np.float32)
    for tile, values, valid in store.iterate():
        row, column = round((NORTH - tile.transform[5]) / 10), round((tile.transform[2] - WEST) / 10)
        found[row : row + tile.h, column : column + tile.w] = np.where(valid[..., None] > 0, values, np.nan)
    return found


@pytest.mark.parametrize("name", ["aef", "csv"])
def test_what_is_there_is_told_before_anything_is_fetched(server: RangeServer, name: str) -> None:
    offer = offered(name, REGION, 2024)
    assert (offer.year, offer.years, offer.dim, offer.product.model) == (
        2024,
        (2023, 2024),
        64,
        "alphaearth_v1",
    )
    assert offer.product.licence == "CC-BY-4.0" and "Google DeepMind" in offer.product.attribution
    assert len(offer.placed) == 1 and 110 * 40 <= offer.rows <= 112 * 42
    assert 0.9 * offer.total < offer.to_fetch <= offer.total
    assert sum(size for path, _, size in server.sent if path.endswith(".tiff")) < 60_000, (
        "only the header came"
    )


def test_a_region_becomes_a_store_and_little_more_than_its_blocks_is_fetched(
    server: RangeServer, vectors: np.ndarray, tmp_path: Path
) -> None:
    store = fetched("aef", REGION, tmp_path / "run")
    assert check_store(tmp_path / "run") == []
    assert {tile.datetimes for tile in store.tiles} == {("2024-01-01T00:00:00+00:00",)}
    assert store.meta.backbone == "alphaearth_v1" and store.meta.licence == "CC-BY-4.0"
    assert "Google DeepMind" in store.meta.attribution and "fetched from 127.0.0.1 on 20" in store.meta.source
    assert str(server.address) in store.meta.scene_fingerprints[0]
    found = on_grid(store)
    there = np.argwhere(~np.isnan(found[..., 0]))
    assert there.min(axis=0) == pytest.approx([70, 80], abs=1) and there.max(axis=0) == pytest.approx(
        [179, 119], abs=1
    )
    assert np.nanmax(np.abs(found - vectors)) < 0.01
    assert pca_of(view_of(store, 0), components=3).components.shape == (3, 64)
    with open_raster(here(offered("aef", REGION, 2024).placed[0].item.files[0])) as dataset:
        blocks = [(column, row) for column in range(1) for row in range(2)]
        needed = sum(
            int(dataset.get_tag_item(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=band))
            for band in range(1, 65) for column, row in blocks
        )  # fmt: skip
    assert sum(size for path, _, size in server.sent if path.endswith(".tiff")) <= 1.3 * needed


def test_what_was_fetched_once_is_taken_again_without_a_network(server: RangeServer, tmp_path: Path) -> None:
    store = fetched("aef", REGION, tmp_path / "run")
    sent = len(server.sent)
    server.fault = lambda handler: handler.answer(503, b"") or True
    again = fetched("aef", REGION, tmp_path / "again")
    assert np.array_equal(again.read(), store.read()) and len(server.sent) == sent
    assert any("list that was fetched before" in note for note in offered("aef", REGION, 2024).notes)


def test_a_torn_download_is_continued_from_where_it_was(
    server: RangeServer, vectors: np.ndarray, tmp_path: Path
) -> None:
    config, run = config_of("aef", REGION, 2024), tmp_path / "run"
    run.mkdir()
    asked = [0]

    def torn(handler: Handler) -> bool:
        asked[0] += ".tiff" in handler.path
        if asked[0] <= 3 or ".tiff" not in handler.path:
            return False
        handler.send_response(206)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        handler.wfile.write(b"torn")
        handler.close_connection = True
        return True

    server.fault = torn
    with pytest.raises(RemoteError, match=r"18N.*of 2024.*cut short"):
        list(catalogue_job(config, run))
    assert not (run / "store").exists()
    server.fault = None
    list(catalogue_job(config, run))
    assert np.nanmax(np.abs(on_grid(EmbeddingStore.open(run / "store")) - vectors)) < 0.01


def test_a_year_that_is_not_there_names_those_that_are(server: RangeServer) -> None:
    with pytest.raises(BadInput, match=r"no embeddings of 2016 in the region; it has 2023, 2024"):
        offered("aef", REGION, 2016)
    with pytest.raises(BadInput, match=r"has embeddings of 2023, 2024 in the region. Choose one year"):
        offered("aef", REGION)


def test_a_region_that_meets_nothing_is_refused(server: RangeServer) -> None:
    with pytest.raises(RegionError, match=r"no embeddings that the region meets"):
        offered("aef", Region.from_bounds(10, 10, 10.1, 10.1), 2024)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_an_index_of_outlines_and_paths_alone_is_enough(server: RangeServer, home: Path, ending: str) -> None:
    table = pq.read_table(server.folder / BELOW / "aef_index.parquet")
    paths = [path.removeprefix("s3://us-west-2.opendata.source.coop/") for path in table["path"].to_pylist()]
    outlines = table["geom"].to_pylist()
    if ending == "parquet":
        pq.write_table(pa.table({"path": paths, "geometry": outlines}), server.folder / "other.parquet")
    else:
        texts = shapely.to_wkt(shapely.from_wkb(outlines)).tolist()
        pyarrow.csv.write_csv(pa.table({"WKT": texts, "path": paths}), server.folder / "other.csv")
    settle(home, server, other=("alphaearth", f"other.{ending}"))
    offer = offered("other", REGION, 2024)
    assert offer.years == (2020, 2023, 2024) and len(offer.placed) == 1


def test_a_server_that_is_down_is_said_in_words(server: RangeServer) -> None:
    server.fault = lambda handler: handler.answer(503, b"") or True
    with pytest.raises(RemoteError, match=r"index of Test aef.*503"):
        offered("aef", REGION, 2024)


def test_addresses_outside_the_settings_are_not_asked(server: RangeServer, home: Path) -> None:
    text = (home / "catalogues.yaml").read_text()
    (home / "catalogues.yaml").write_text(text.replace(server.host, "127.0.0.1:1", 1))
    with pytest.raises(EngineError, match=r"not one that may be asked|is not https"):
        offered("aef", REGION, 2024)

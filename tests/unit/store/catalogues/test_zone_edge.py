"""Where files of two UTM zones overlap, each place of the ground is taken once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.imagery.region import Region
from engine.store.catalogues.job import catalogue_job
from engine.store.store import EmbeddingStore
from tests.stac.range_server import RangeServer
from tests.unit.store.catalogues.made import alphaearth_file, alphaearth_index, config_of, settle, vectors_of


def test_over_the_edge_of_a_zone_each_place_is_taken_once(
    server: RangeServer, home: Path, tmp_path: Path
) -> None:
    east_of_edge, west_of_edge = 766_000.0, 233_400.0  # about 78 degrees west at 37 north, in zones 17 and 18
    rows = [
        alphaearth_file(server.folder, 2024, "17N", vectors_of(96, 160, seed=1), west=east_of_edge),
        alphaearth_file(server.folder, 2024, "18N", vectors_of(96, 160, seed=2), west=west_of_edge),
    ]  # fmt: skip
    settle(home, server, aef=("alphaearth", alphaearth_index(server.folder, rows)))
    west, east = rows[0]["wgs84_west"], rows[1]["wgs84_east"]
    assert rows[1]["wgs84_west"] < rows[0]["wgs84_east"], "the two files overlap"
    south, north = rows[0]["wgs84_south"] + 0.003, rows[0]["wgs84_north"] - 0.003
    region = Region.from_bounds(west, south, east, north)
    (tmp_path / "run").mkdir()
    list(catalogue_job(config_of("aef", region, 2024), tmp_path / "run"))
    store = EmbeddingStore.open(tmp_path / "run/store")
    assert {tile.crs for tile in store.tiles} == {"EPSG:32617", "EPSG:32618"}
    shares = {
        crs: float((store.read_valid_fraction()[[tile_crs == crs for tile_crs in row_crs(store)]] > 0).mean())
        for crs in ("EPSG:32617", "EPSG:32618")
    }
    assert shares["EPSG:32617"] == 1 and 0.2 < shares["EPSG:32618"] < 0.98
    valid = int((store.read_valid_fraction() > 0).sum())
    ground = (east - west) * 111_320 * np.cos(np.radians(south)) / 10 * (96 - 66)
    assert valid < 1.6 * ground


def row_crs(store: EmbeddingStore) -> list[str]:
    return [tile.crs for tile in store.tiles for _ in range(tile.rows)]

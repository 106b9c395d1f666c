"""Regions in the south, over the edge of two UTM zones and over the antimeridian are fetched whole from each kind of catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from affine import Affine
from pyproj import Transformer

from engine.errors import RemoteError
from engine.imagery.region import Region
from engine.store.catalogues.job import catalogue_job
from engine.store.check import check_store
from engine.store.products.decoding import POWER
from engine.store.store import EmbeddingStore
from tests.stac.range_server import RangeServer
from tests.unit.store.catalogues.made import (
    alphaearth_file,
    alphaearth_index,
    config_of,
    offered,
    settle,
    tessera_tile,
)
from tests.unit.store.products.made import in_8_bits, unit_vectors, write_tiff

SIDE = 60
# The zones on both sides of an edge, its longitude, and a latitude.
EDGES = {"south": (55, 56, 150.0, -37.9), "antimeridian": (60, 1, 180.0, -17.05)}
Meant = dict[str, tuple[float, float, np.ndarray]]


def corner(zone: int, lon: float, lat: float, back_px: int) -> tuple[float, float]:
    """West and north, on a grid of 10 m, of a file that begins so many pixels west of an edge."""
    x, y = Transformer.from_crs("EPSG:4326", f"EPSG:327{zone:02d}", always_xy=True).transform(lon, lat)
    return round(x / 10) * 10 - back_px * 10, round(y / 10) * 10


def over(lon: float, lat: float) -> Region:
    """A region of about 400 m on both sides of an edge."""
    west, east = lon - 0.004, lon + 0.004
    return Region.from_bounds(west, lat - 0.004, east if east <= 180 else east - 360, lat - 0.001)


def alphaearth(server: RangeServer, home: Path, edge: str) -> Meant:
    first, second, lon, lat = EDGES[edge]
    meant, rows = Meant(), []
    for zone, back, seed in ((first, SIDE - 8, 1), (second, 8, 2)):
        west, north = corner(zone, lon, lat, back)
        vectors = unit_vectors(SIDE, SIDE, seed=seed)
        rows.append(alphaearth_file(server.folder, 2024, f"{zone:02d}S", vectors, west=west, north=north))
        meant[f"EPSG:327{zone:02d}"] = west, north, POWER.decode(in_8_bits(vectors))
    settle(home, server, it=("alphaearth", alphaearth_index(server.folder, rows)))
    return meant


def tessera(server: RangeServer, home: Path, edge: str) -> Meant:
    first, second, lon, lat = EDGES[edge]
    meant, rows = Meant(), []
    for zone, back, seed, centre in ((first, SIDE, 1, lon - 0.05), (second, 0, 2, lon + 0.05)):
        west, north = corner(zone, lon, lat, back)
        middle, row = (centre - 360 if centre > 180 else centre), round(lat - 0.05, 2)
        crs = f"EPSG:327{zone:02d}"
        _, values = tessera_tile(server.folder, 2024, middle, row, (SIDE, SIDE), seed, west, crs, north)
        rows.append({"year": 2024, "lon": middle, "lat": row})
        meant[crs] = west, north, values
    pq.write_table(pa.Table.from_pylist(rows), server.folder / "npy/v1/manifest.parquet")
    settle(home, server, it=("tessera", "npy/v1/manifest.parquet"))
    return meant


def stac(server: RangeServer, home: Path, edge: str) -> Meant:
    first, second, lon, lat = EDGES[edge]
    meant, links = Meant(), []
    for zone, back, seed in ((first, SIDE, 1), (second, 0, 2)):
        west, north = corner(zone, lon, lat, back)
        crs, values = f"EPSG:327{zone:02d}", unit_vectors(SIDE, SIDE, 16, seed)
        write_tiff(
            server.folder / f"z{zone}.tif", values, transform=Affine(10, 0, west, 0, -10, north), crs=crs
        )
        bounds = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform_bounds(
            west, north - SIDE * 10, west + SIDE * 10, north
        )
        item = {
            "type": "Feature", "stac_version": "1.0.0", "id": f"z{zone}", "bbox": bounds,
            "geometry": shapely.geometry.mapping(Region.from_bounds(*bounds).polygon), "links": [],
            "properties": {"datetime": "2024-03-18T00:00:00Z"},
            "assets": {"embeddings": {"href": f"z{zone}.tif", "type": "image/tiff; application=geotiff"}},
        }  # fmt: skip
        (server.folder / f"z{zone}.json").write_text(json.dumps(item))
        links.append({"rel": "item", "href": f"z{zone}.json"})
        meant[crs] = west, north, values
    links.append({"rel": "emb:model", "href": "https://example.org/ours"})
    told = {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": "ours",
        "emb:dimensions": 16,
        "license": "CC0-1.0",
        "links": links,
    }
    (server.folder / "collection.json").write_text(json.dumps(told))
    settle(home, server, it=("stac", "collection.json"))
    return meant


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("listed", [alphaearth, tessera, stac])
def test_both_sides_of_an_edge_come_with_their_numbers_in_their_places(
    server: RangeServer, home: Path, tmp_path: Path, listed: object, edge: str
) -> None:
    meant: Meant = listed(server, home, edge)  # type: ignore[operator]
    region = over(*EDGES[edge][2:])
    offer = offered("it", region, 2024)
    assert not any("% of the region" in note for note in offer.notes), offer.notes
    run = tmp_path / "run"
    run.mkdir()
    list(catalogue_job(config_of("it", region, 2024), run))
    assert check_store(run) == []
    store, counts = EmbeddingStore.open(run / "store"), dict.fromkeys(meant, 0)
    for tile, values, valid in store.iterate():
        west, north, every = meant[tile.crs]
        row, column = round((north - tile.transform[5]) / 10), round((tile.transform[2] - west) / 10)
        there = every[row : row + tile.h, column : column + tile.w]
        assert np.allclose(values[valid > 0], there[valid > 0], rtol=2e-3, atol=2e-3)
        counts[tile.crs] += int((valid > 0).sum())
    ground = 0.008 * 111_320 * np.cos(np.radians(EDGES[edge][3])) * 0.003 * 110_600 / 100
    assert min(counts.values()) > 0.3 * ground and 0.93 * ground < sum(counts.values()) < 1.15 * ground, (
        counts
    )


def test_a_side_that_is_not_listed_is_told_and_one_that_is_listed_but_gone_ends_in_words(
    server: RangeServer, home: Path, tmp_path: Path
) -> None:
    alphaearth(server, home, "antimeridian")
    region = over(*EDGES["antimeridian"][2:])
    index = server.folder / offered("it", region, 2024).catalogue.address.removeprefix(f"{server.address}/")
    table = pq.read_table(index)
    pq.write_table(table.slice(0, 1), index)
    offer = offered("it", region, 2024)
    assert len(offer.placed) == 1 and any(
        "of the region; there is nothing of the rest" in note for note in offer.notes
    )
    pq.write_table(table, index)
    next((server.folder).rglob("01S/*.tiff")).unlink()
    with pytest.raises(RemoteError, match=r"01S/x.* of 2024"):
        (tmp_path / "run").mkdir()
        list(catalogue_job(config_of("it", region, 2024), tmp_path / "run"))
    assert not (tmp_path / "run/store").exists()

"""Items of a STAC collection of embeddings over a region become a store: GeoTIFFs and GeoParquet, of an API or of plain files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from engine.errors import BadInput, RegionError, RemoteError
from engine.imagery.region import Region
from engine.store.catalogues.job import catalogue_job
from engine.store.check import check_store
from engine.store.footprints import footprints
from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from engine.views.export.forms import export
from tests.stac.range_server import Handler, RangeServer
from tests.unit.store.catalogues.made import config_of, offered, region_of, settle
from tests.unit.store.products.made import NORTH, WEST, alphaearth, unit_vectors, write_tiff
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at

REGION = region_of(5, 5, 55, 45)
FAR = Region.from_bounds(10, 10, 10.1, 10.1)


def collection(links: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "type": "Collection", "stac_version": "1.0.0", "id": "ours", "title": "Our embeddings", "license": "CC-BY-SA-4.0",
        "emb:type": "pixel", "emb:dimensions": 16, "data_type": "float32", "providers": [{"name": "Our institute", "roles": ["producer"]}],
        "links": [{"rel": "emb:model", "href": "https://example.org/models/ours-v2", "title": "ours-v2"}, *links], **more,
    }  # fmt: skip


def item(
    name: str, day: str, href: str, media: str, region: Region = REGION, **properties: Any
) -> dict[str, Any]:
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": name, "geometry": shapely.geometry.mapping(region.polygon),
        "properties": {"datetime": f"{day}T00:00:00Z", **properties}, "links": [],
        "assets": {"thumbnail": {"href": "thumb.png", "type": "image/png"}, "embeddings": {"href": href, "type": media, "roles": ["embeddings"]}},
    }  # fmt: skip


TIFF, PARQUET = "image/tiff; application=geotiff; profile=cloud-optimized", "application/vnd.apache.parquet"


def api(server: RangeServer, items: list[dict[str, Any]], home: Path) -> None:
    """The collection of an API with two items a page."""
    below = f"{server.address}/collections/ours"
    server.pages["/collections/ours"] = collection([{"rel": "items", "href": f"{below}/items"}])

    def page(handler: Handler) -> dict[str, Any]:
        at = int(handler.path.rpartition("token=")[2]) if "token=" in handler.path else 0
        more = [{"rel": "next", "href": f"{below}/items?token={at + 2}"}] if at + 2 < len(items) else []
        return {"type": "FeatureCollection", "features": items[at : at + 2], "links": more}

    server.pages["/collections/ours/items"] = page
    settle(home, server, ours=("stac", "collections/ours"))


def taken(region: Region, run: Path, year: int | None = None) -> EmbeddingStore:
    run.mkdir()
    list(catalogue_job(config_of("ours", region, year), run))
    assert check_store(run) == []
    return EmbeddingStore.open(run / "store")


def test_geotiffs_of_an_api_become_a_store_with_what_the_collection_says(
    server: RangeServer, home: Path, tmp_path: Path
) -> None:
    vectors = unit_vectors(60, 50, 16) * 3
    write_tiff(server.folder / "a/ours.tif", vectors, nodata=float("nan"))
    items = [
        item("far", "2022-05-01", "far.tif", TIFF, FAR), item("old", "2021-05-01", f"{server.address}/a/old.tif", TIFF),
        item("new", "2022-05-01", f"{server.address}/a/ours.tif", TIFF),
    ]  # fmt: skip
    api(server, items, home)
    offer = offered("ours", REGION, 2022)
    assert (offer.years, offer.product.model, offer.product.licence, offer.dim) == (
        (2021, 2022),
        "ours-v2",
        "CC-BY-SA-4.0",
        16,
    )
    store = taken(REGION, tmp_path / "run", 2022)
    assert "Our institute" in store.meta.source and store.meta.backbone == "ours-v2"
    assert {tile.datetimes for tile in store.tiles} == {("2022-05-01T00:00:00+00:00",)}
    (tile,) = store.tiles
    row, column = round((NORTH - tile.transform[5]) / 10), round((tile.transform[2] - WEST) / 10)
    meant = vectors[row : row + tile.h, column : column + tile.w]
    assert np.allclose(store.read().reshape(meant.shape), meant, atol=2e-3) and row > 0 and column > 0


def test_8_bits_are_decoded_by_the_scale_that_the_item_states(
    server: RangeServer, home: Path, tmp_path: Path
) -> None:
    numbers = np.random.default_rng(0).integers(-100, 100, (60, 50, 16)).astype(np.int8)
    write_tiff(server.folder / "ours.tif", numbers)
    stated = {
        "emb:quantization": {
            "method": "linear",
            "original_dtype": "float32",
            "quantized_dtype": "int8",
            "scale": [0.25],
        }
    }
    api(server, [item("new", "2022-05-01", f"{server.address}/ours.tif", TIFF, **stated)], home)
    store = taken(region_of(0, 0, 60, 50), tmp_path / "run")
    assert np.array_equal(store.read(), numbers.reshape(-1, 16) * np.float16(0.25))


def test_whole_numbers_without_a_scale_are_refused(server: RangeServer, home: Path, tmp_path: Path) -> None:
    write_tiff(server.folder / "ours.tif", np.ones((60, 50, 16), np.int8))
    api(server, [item("new", "2022-05-01", f"{server.address}/ours.tif", TIFF)], home)
    with pytest.raises(BadInput, match=r"whole numbers \(int8\) and no scale"):
        taken(REGION, tmp_path / "run")


def test_footprints_of_plain_files_become_a_store_and_few_row_groups_are_fetched(
    server: RangeServer, home: Path, tmp_path: Path
) -> None:
    vectors = chips(server.folder / "chips.parquet")
    (server.folder / "items").mkdir()
    (server.folder / "items/chips.json").write_text(
        json.dumps(item("chips", "2022-05-01", "../chips.parquet", PARQUET))
    )
    (server.folder / "collection.json").write_text(
        json.dumps(collection([{"rel": "item", "href": "items/chips.json"}]))
    )
    settle(home, server, ours=("stac", "collection.json"))
    store = taken(REGION, tmp_path / "run")
    assert store.meta.granularity == "tile" and 1 <= store.rows < 40
    assert all((np.abs(vectors - row).max(axis=1) < 1e-2).any() for row in store.read())
    sent = sum(size for path, _, size in server.sent if path == "/chips.parquet")
    assert sent < 0.4 * (server.folder / "chips.parquet").stat().st_size


def chips(path: Path) -> np.ndarray:
    """A thousand chips on a lattice around the region, sorted, with a bbox covering and small row groups."""
    west, south = -77.0, 36.8
    n = 40
    boxes = [
        shapely.box(west + x / 20, south + y / 60, west + (x + 1) / 20, south + (y + 1) / 60)
        for y in range(n)
        for x in range(n)
    ]
    vectors = np.random.default_rng(0).normal(size=(n * n, 256)).astype(np.float32)
    bounds = shapely.bounds(boxes)
    sides = {name: bounds[:, column] for column, name in enumerate(("xmin", "ymin", "xmax", "ymax"))}
    bbox = pa.StructArray.from_arrays([pa.array(values) for values in sides.values()], names=list(sides))
    table = pa.table({
        "embedding": pa.FixedSizeListArray.from_arrays(vectors.ravel(), 256), "geometry": shapely.to_wkb(boxes), "bbox": bbox,
    })  # fmt: skip
    covering = {"bbox": {side: ["bbox", side] for side in sides}}
    geo = {"version": "1.1.0", "primary_column": "geometry",
           "columns": {"geometry": {"encoding": "WKB", "geometry_types": ["Polygon"], "covering": covering}}}  # fmt: skip
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path, row_group_size=80)
    return vectors


def test_a_collection_that_was_listed_once_is_known_without_a_network(
    server: RangeServer, home: Path, tmp_path: Path
) -> None:
    write_tiff(server.folder / "ours.tif", unit_vectors(60, 50, 16) * 3)
    api(server, [item("new", "2022-05-01", f"{server.address}/ours.tif", TIFF)], home)
    first = taken(REGION, tmp_path / "run")
    server.fault = lambda handler: handler.answer(503, b"") or True
    assert any("cannot be asked now" in note for note in offered("ours", REGION).notes)
    assert np.array_equal(taken(REGION, tmp_path / "again").read(), first.read())
    with pytest.raises(RemoteError, match=r"503"):
        offered("ours", FAR)


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ({"type": "Catalog"}, "no STAC collection at its address"),
        ([], "no JSON object"),
    ],
)
def test_an_address_without_a_collection_is_refused(
    server: RangeServer, home: Path, page: Any, says: str
) -> None:
    server.pages["/x"] = page
    settle(home, server, ours=("stac", "x"))
    with pytest.raises(RemoteError, match=says):
        offered("ours", REGION)


def test_an_item_of_another_form_is_left_out_and_that_is_said(server: RangeServer, home: Path) -> None:
    good = item("good", "2022-05-01", f"{server.address}/ours.tif", TIFF)
    write_tiff(server.folder / "ours.tif", unit_vectors(60, 50, 16))
    for key in ("properties", "assets", "links", "id", "geometry"):
        for value in (None, 3, [], ["x"], {"a": 1}):
            api(server, [{**good, "id": "bad", key: value}], home)
            if key in ("links", "id"):
                assert offered("ours", REGION).placed
                continue
            with pytest.raises(RegionError, match=r"no embeddings that the region meets") as told:
                offered("ours", REGION)
            assert ("are left out" in str(told.value)) == (key != "geometry")


def test_a_collection_with_nonsense_ends_in_words(server: RangeServer, home: Path) -> None:
    settle(home, server, ours=("stac", "c"))
    for key in ("links", "providers", "keywords", "summaries", "license", "title", "emb:dimensions"):
        for value in (None, 3, ["x"], {"a": [1]}):
            server.pages["/c"] = {**collection([]), key: value}
            with pytest.raises(RegionError, match=r"no embeddings that the region meets"):
                offered("ours", REGION)


def test_a_region_without_items_is_refused(server: RangeServer, home: Path) -> None:
    api(server, [item("new", "2022-05-01", f"{server.address}/ours.tif", TIFF)], home)
    with pytest.raises(RegionError, match=r"no embeddings that the region meets"):
        offered("ours", FAR)


def test_what_emberscope_exported_comes_back_from_a_server_and_still_says_that_it_is_simulated(
    server: RangeServer, home: Path, tmp_path: Path
) -> None:
    tiles = [rows_at(tile_at(column), (12,)) for column in (0, 1)]
    tiles += [rows_at(replace(tile_at(0), id="again", datetimes=("2020-09-01T00:00:00+00:00",)), (12,))]
    made = make_store(tmp_path / "made", tiles, meta_of((12,), licence="CC-BY-4.0", attribution="Somebody"))
    export(made, None, server.folder / "s", "stac", "float32")
    settle(home, server, ours=("stac", "s/collection.json"))
    west, south, east, north = footprints(made.tiles).total_bounds
    region = Region.from_bounds(west - 0.01, south - 0.01, east + 0.01, north + 0.01)
    assert any("SIMULATED" in note for note in offered("ours", region).notes)
    found = taken(region, tmp_path / "run")
    assert found.meta.is_simulated and found.meta.licence == "CC-BY-4.0"
    assert {tile.datetimes[0][:10] for tile in found.tiles if tile.datetimes[0]} == {
        "2020-06-01",
        "2020-09-01",
    }
    assert int((found.read_valid_fraction() > 0).sum()) == made.rows


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_an_export_of_a_published_product_comes_back_from_a_server_with_its_numbers(
    server: RangeServer, home: Path, tmp_path: Path, dtype: str
) -> None:
    source = alphaearth(tmp_path / "v1/annual/2021/18N/x.tiff", unit_vectors(40, 50))
    _, made = import_embeddings(source, tmp_path / "made", in_place=True)
    export(made, None, server.folder / "s", "stac", dtype)
    settle(home, server, ours=("stac", "s/collection.json"))
    found = taken(region_of(0, 0, 40, 50), tmp_path / "run")
    assert (found.meta.backbone, found.meta.licence) == ("alphaearth_v1", "CC-BY-4.0")
    assert {tile.datetimes for tile in found.tiles} == {("2021-01-01T00:00:00+00:00",)}
    assert np.allclose(found.read(), made.read(), atol=2e-4) and found.rows == made.rows


def test_a_region_that_is_covered_in_part_is_told(server: RangeServer, home: Path) -> None:
    write_tiff(server.folder / "ours.tif", unit_vectors(60, 50, 16))
    api(server, [item("new", "2022-05-01", f"{server.address}/ours.tif", TIFF)], home)
    notes = offered("ours", region_of(0, 0, 60, 100)).notes
    assert any("cover 3" in note and "% of the region" in note for note in notes)
    assert not any("cover" in note for note in offered("ours", REGION).notes)

"""What is written is read by other programs' own libraries, and keeps to the published conventions."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import geopandas as gpd
import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pystac
import pytest
import rasterio
import xarray as xr
import zarr

from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from engine.views.export.forms import FORMS, export
from tests.unit.views.export import rules
from tests.unit.views.export.conftest import DIM, ground

NOTICE = ("SIMULATED", "RANDOM WEIGHTS", "CC-BY-4.0", "Somebody")


def first_patch(store: EmbeddingStore) -> np.ndarray:
    """The last patch of the first tile, which is no gap."""
    return store.read_tile(store.tiles[0].id)[3, 3].astype(np.float32)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8"])
def test_zarr_and_xarray_read_a_group_a_zone_that_keeps_to_the_conventions(
    hard_store: EmbeddingStore, tmp_path: Path, dtype: str
) -> None:
    export(hard_store, None, tmp_path / "z", "zarr", dtype)
    root = zarr.open_group(tmp_path / "z", mode="r")
    rules.require_group(json.loads((tmp_path / "z/zarr.json").read_text()))
    assert (
        sorted(root.group_keys()) == ["utm17", "utm18"] and root.attrs["geoemb:spatial_layout"] == "utm_zones"
    )
    assert all(word in root.attrs["notice"] for word in NOTICE)
    for name in root.group_keys():
        attributes = dict(root[name].attrs)
        rules.require_group(json.loads((tmp_path / "z" / name / "zarr.json").read_text()))
        jsonschema.validate(attributes, rules.PLACED)
        assert attributes["proj:code"] == f"EPSG:326{name[3:]}"
    seen = xr.open_zarr(tmp_path / "z", group="utm18")
    assert seen.embeddings.dims == ("time", "band", "y", "x")
    assert [str(one)[:10] for one in seen.time.values] == ["2020-06-01", "2021-06-01"]
    tile = hard_store.tiles[0]
    x, y = tile.patch_transform @ (3.5, 3.5)
    found = seen.sel(time="2020-06-01", x=x, y=y).squeeze()
    values = found.embeddings.values.astype(np.float32) * (found.scales.item() if dtype == "int8" else 1)
    exact = first_patch(hard_store)
    assert np.abs(values - exact).max() <= (0.51 / 127 if dtype == "int8" else 0) * np.abs(exact).max()
    gap = seen.sel(
        time="2020-06-01", x=tile.patch_transform.c, y=tile.patch_transform.f, method="nearest"
    ).squeeze()
    assert np.isnan(gap.scales if dtype == "int8" else gap.embeddings).all()


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_stac_keeps_to_core_and_extension_and_rasterio_reads_its_assets(
    hard_store: EmbeddingStore, tmp_path: Path, dtype: str
) -> None:
    export(hard_store, None, tmp_path / "s", "stac", dtype)
    tree = json.loads((tmp_path / "s/collection.json").read_text())
    rules.require_stac(tree)
    assert tree["license"] == "CC-BY-4.0" and all(word in tree["description"] for word in NOTICE)
    assert tree["title"].startswith("SIMULATED") and tree["extent"]["temporal"]["interval"][0][1].startswith(
        "2021-06-01"
    )
    collection = pystac.Collection.from_file(str(tmp_path / "s/collection.json"))
    items = list(collection.get_items())
    assert len(items) == 3  # zone 17, zone 18 on two dates
    for item in items:
        raw = json.loads(Path(item.get_self_href() or "").read_text())
        rules.require_stac(raw)
        with rasterio.open(item.assets["embeddings"].get_absolute_href()) as dataset:
            assert dataset.count == DIM and dataset.tags()["EMBERSCOPE_SIMULATED"] == "yes"
            assert dataset.crs.to_epsg() == int(raw["properties"]["proj:code"].split(":")[1])


def test_places_and_licences_of_any_kind_keep_to_the_conventions_too(
    far_store: EmbeddingStore, tmp_path: Path
) -> None:
    for form in ("stac", "zarr", "geoparquet"):
        export(far_store, None, tmp_path / f"e{FORMS[form].ending}", form, "int8")
        if form == "stac":
            tree = json.loads((tmp_path / "e/collection.json").read_text())
            west, _, east, _ = tree["extent"]["spatial"]["bbox"][0]
            assert 178 < west < 180 and -180 < east < -179, (
                "over the antimeridian the west is beyond the east"
            )
            assert (
                tree["license"] == "proprietary" and "Our own licence / see our page" in tree["description"]
            )
            items = [json.loads(path.read_text()) for path in sorted((tmp_path / "e").glob("*/*.json"))]
            for document in (tree, *items):
                rules.require_stac(document)
            kinds = {
                (bool(item["properties"]["proj:code"]), "proj:wkt2" in item["properties"]) for item in items
            }
            assert kinds == {(True, False), (False, True)}
            shutil.rmtree(tmp_path / "e")
        elif form == "zarr":
            for group in (".", "utm60", "utm01", "other"):
                rules.require_group(json.loads((tmp_path / "e" / group / "zarr.json").read_text()))
            _, back = import_embeddings(tmp_path / "e", tmp_path / "back")
            assert ground(back).keys() == ground(far_store).keys()
    told = json.loads(pq.read_metadata(tmp_path / "e.parquet").metadata[b"geo"])["columns"]["geometry"]
    assert told["bbox"][0] > told["bbox"][2] and told["geometry_types"] == ["Polygon", "MultiPolygon"]
    assert gpd.read_parquet(tmp_path / "e.parquet").geometry.is_valid.all()


def test_the_rules_refuse_what_the_conventions_do_not_have(
    hard_store: EmbeddingStore, tmp_path: Path
) -> None:
    export(hard_store, None, tmp_path / "s", "stac")
    tree = json.loads((tmp_path / "s/collection.json").read_text())
    for change, refused in (
        ({"stac_version": "1.1.0"}, "1.0.0"), ({"links": []}, "None of"), ({"emb:invented": 1}, "emb:invented"),
        ({"license": "two words"}, "does not match"), ({"extent": {}}, "spatial"),
    ):  # fmt: skip
        with pytest.raises(jsonschema.ValidationError, match=refused):
            rules.require_stac(tree | change)


@pytest.mark.parametrize("dtype", FORMS["geoparquet"].dtypes)
def test_geopandas_and_duckdb_read_the_table_and_its_footers(
    hard_store: EmbeddingStore, tmp_path: Path, dtype: str
) -> None:
    path = tmp_path / "e.parquet"
    export(hard_store, None, path, "geoparquet", dtype)
    frame = gpd.read_parquet(path)
    assert len(frame) == hard_store.rows and frame.crs.to_authority() == ("OGC", "CRS84")
    scale = dtype == "int8"
    rows = duckdb.read_parquet(str(path)).filter("row = 3 and col = 3").fetchall()
    row = next(one for one in rows if one[0] == hard_store.tiles[0].id)
    values = np.array(row[5], np.float32) * (row[6] if scale else 1)
    exact = first_patch(hard_store)
    assert np.abs(values - exact).max() <= (0.51 / 127 if scale else 0) * np.abs(exact).max()
    told = json.loads(pq.read_metadata(path).metadata[b"emb"])
    assert told["model"]["id"] == "raw" and told["license"] == "CC-BY-4.0" and told["embedding"]["dim"] == DIM
    assert told["datetime"] == ["2020-06-01T00:00:00+00:00", "2021-06-01T00:00:00+00:00"]
    assert "SIMULATED" in told["notice"] and (told["embedding"]["quantization"] is not None) == scale
    part = json.loads(pq.read_metadata(hard_store.parts[0].path).metadata[b"emb"])
    assert part == told | {
        "embedding": told["embedding"] | {"quantization": None}
    }  # stores carry the footer themselves


def test_rasterio_gets_embeddings_of_8_bits_back_by_the_scales_of_the_file(
    hard_store: EmbeddingStore, tmp_path: Path
) -> None:
    written = export(hard_store, None, tmp_path / "e.tif", "geotiff", "int8")
    with rasterio.open(tmp_path / "e_epsg32618_2020-06-01.tif") as dataset:
        back = dataset.read(window=((3, 4), (3, 4))).ravel() * np.array(dataset.scales)
        assert dataset.nodata == -128 and (dataset.read(1, window=((0, 1), (0, 2))) == -128).all()
        steps = np.array(dataset.scales)
    assert (np.abs(back - first_patch(hard_store)) <= 0.51 * steps).all()
    loss = json.loads((tmp_path / "e.quantisation.json").read_text())
    assert written.loss is not None and loss["cosine_mean"] == written.loss.cosine_mean
    assert 0 < loss["cosine_mean"] < loss["cosine_worst"] < 1e-3 and loss["rows"] == 5 * 16 - 10


def test_numpy_reads_the_archive_without_our_code(hard_store: EmbeddingStore, tmp_path: Path) -> None:
    export(hard_store, None, tmp_path / "e.npz", "npz", "int8")
    with np.load(tmp_path / "e.npz") as found:
        assert (
            np.abs(found["embeddings"][15] * found["scales"][15] - first_patch(hard_store)).max()
            < 0.01 * np.abs(first_patch(hard_store)).max()
        )
        assert np.isnan(found["scales"][:2]).all() and all(word in str(found["notice"]) for word in NOTICE)
        centre = gpd.read_parquet(hard_store.folder).geometry[15].centroid
        assert (found["lon"][15], found["lat"][15]) == pytest.approx((centre.x, centre.y), abs=1e-4)

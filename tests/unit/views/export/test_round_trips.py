"""A store leaves in each form and comes back through `import` as it was, within what its numbers were made smaller by."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import xarray as xr
import zarr
from affine import Affine

from engine.errors import EngineError, StoreError
from engine.imagery.region import Region
from engine.store.check import check_store
from engine.store.footprints import footprints
from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from engine.views.export import geotiff, zarr_chips
from engine.views.export.forms import FORMS, export
from tests.unit.store.products.made import unit_vectors, write_tiff
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at
from tests.unit.views.export import rules
from tests.unit.views.export.conftest import DIM, ground

# Largest difference, as a share of the largest number of an embedding: half a step of 127, or half a unit of 11 bits.
TOLERANCE = {"float32": 0.0, "float16": 2**-11, "int8": 0.51 / 127}
OWN = [
    (name, dtype)
    for name in ("npz", "geoparquet", "terratorch", "zarr", "stac")
    for dtype in FORMS[name].dtypes
]


@pytest.mark.parametrize(("form", "dtype"), OWN)
def test_a_store_comes_back_with_its_places_dates_gaps_and_facts(
    hard_store: EmbeddingStore, tmp_path: Path, form: str, dtype: str
) -> None:
    store, out = hard_store, tmp_path / f"e{FORMS[form].ending}"
    written = export(store, None, out, form, None if dtype == "store" else dtype)
    told, back = import_embeddings(out, tmp_path / "back")
    assert check_store(tmp_path / "back") == []
    assert back.tiles == store.tiles or {tile.id for tile in back.tiles} == {tile.id for tile in store.tiles}
    before, after = ground(store), ground(back)
    assert before.keys() == after.keys()
    largest = np.abs(list(before.values())).max(
        axis=0
    )  # of each dimension: STAC's GeoTIFFs have a scale a band
    for key, exact in before.items():
        reach = largest if form == "stac" else np.abs(exact).max()
        assert (np.abs(after[key] - exact) <= TOLERANCE[written.dtype] * reach).all(), key
    for fact in (
        "backbone",
        "weights_sha256",
        "bands",
        "sensor",
        "level",
        "is_simulated",
        "patch_px",
        "licence",
        "attribution",
    ):
        assert getattr(back.meta, fact) == getattr(store.meta, fact), fact
    said = " ".join(told.notes)
    assert "SIMULATED" in said and "RANDOM WEIGHTS" in said


@pytest.mark.parametrize("form", ["npz", "geoparquet", "zarr", "stac", "terratorch"])
def test_layers_of_two_resolutions_leave_and_come_back_each_at_its_own(tmp_path: Path, form: str) -> None:
    tiles = [rows_at(tile_at(column, side=2), (3, 4 * 5)) for column in range(2)]
    store = make_store(tmp_path / "run", tiles, meta_of((3, 4 * 5), cells=(1, 2)))
    fine = store.at_own_patches(1)
    out = tmp_path / f"e{FORMS[form].ending}"
    export(store, None if form == "terratorch" else 1, out, form)
    _, back = import_embeddings(out, tmp_path / "back")
    assert ground(back.at_own_patches(1)).keys() == ground(fine).keys()
    for key, exact in ground(fine).items():
        assert np.array_equal(ground(back.at_own_patches(1))[key], exact)
    if form == "terratorch":  # both layers, in one store
        assert back.meta.dims == store.meta.dims and back.meta.layers == (0, 1)
        assert np.array_equal(back.read(0), store.read(0)) and np.array_equal(back.read(1), store.read(1))


def test_only_a_region_of_an_export_comes_back(hard_store: EmbeddingStore, tmp_path: Path) -> None:
    west, south, east, north = footprints([hard_store.tiles[0]]).total_bounds
    region = Region.from_bounds(west + 1e-3, south + 1e-3, east - 1e-3, north - 1e-3)
    for form in ("npz", "geoparquet", "zarr", "stac", "terratorch"):
        out = tmp_path / f"{form}-out{FORMS[form].ending}"
        export(hard_store, None, out, form)
        _, back = import_embeddings(out, tmp_path / form, region)
        assert {tile.id for tile in back.tiles} == {hard_store.tiles[0].id, "again"}


def test_a_store_of_both_hemispheres_of_a_zone_is_one_group_and_comes_back(tmp_path: Path) -> None:
    north = tile_at(0)
    a, b, c, d, e, _ = north.transform
    tiles = [replace(north, id="n", transform=(a, b, c, d, e, 1920.0)),
             replace(north, id="s", crs="EPSG:32718", transform=(a, b, c, d, e, 10_000_000.0))]  # fmt: skip
    store = make_store(tmp_path / "run", [rows_at(tile, (DIM,)) for tile in tiles], meta_of((DIM,)))
    made = export(store, None, tmp_path / "z", "zarr")
    assert made.notes == () and (tmp_path / "z/utm18/embeddings").is_dir()
    _, back = import_embeddings(tmp_path / "z", tmp_path / "back")
    before, after = ground(store), ground(back)
    assert before.keys() == after.keys() and all(np.array_equal(after[key], before[key]) for key in before)


def chips_apart(folder: Path, count: int = 110) -> EmbeddingStore:
    """Chips of one patch in both hemispheres of a zone and beside it, each on a grid of its own; every second without a date."""
    tiles = []
    for number in range(count):
        crs = ("EPSG:32618", "EPSG:32718", "EPSG:32617")[number % 3]
        west, north = 400_000 + 137.31 * number, 1e7 if crs == "EPSG:32718" else 4_100_000 - 91.7 * number
        tiles.append(replace(tile_at(0, side=1, crs=crs), id=f"row_{number}", transform=(30.0, 0.0, west, 0.0, -30.0, north),
                             datetimes=(None if number % 2 else "2021-03-18T10:12:13+00:00",)))  # fmt: skip
    meta = meta_of((DIM,), dtype="float32", granularity="tile", pooling="mean")
    return make_store(
        folder, [rows_at(tile, (DIM,), gaps=number == 4) for number, tile in enumerate(tiles)], meta
    )


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_chips_of_any_place_are_a_list_in_zarr_that_xarray_reads_and_that_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    monkeypatch.setattr(zarr_chips, "_CHUNK_NUMBERS", 20 * DIM)
    store = chips_apart(tmp_path / "run")
    made = export(store, None, tmp_path / "z", "zarr", dtype)
    assert "each of the 2 zones is a list of chips" in made.notes[0]
    for name, rows in (("utm18", 74), ("utm17", 36)):
        jsonschema.validate(dict(zarr.open_group(tmp_path / "z", mode="r")[name].attrs), rules.GEOEMB)
        seen = xr.open_zarr(tmp_path / "z", group=name)
        assert seen.embeddings.dims == ("chip", "band") and seen.sizes["chip"] == rows
        assert {"x", "y", "time"} <= set(seen.embeddings.coords)
    first = seen.isel(chip=0)  # the third tile: even, with a date
    x, y = store.tiles[2].patch_transform @ (0.5, 0.5)
    assert (float(first.x), float(first.y)) == (x, y) and str(first.time.values)[:16] == "2021-03-18T10:12"
    assert np.isnat(seen.time.values[1])
    values = first.embeddings.values * (float(first.scales) if dtype == "int8" else 1)
    assert np.abs(values - store.read_tile("row_2").ravel()).max() <= 0.02 * np.abs(values).max() * (
        dtype == "int8"
    )
    _, back = import_embeddings(tmp_path / "z", tmp_path / "back")
    before, after = ground(store), ground(back)
    assert before.keys() == after.keys() and back.tiles == store.tiles
    for key, exact in before.items():
        assert (np.abs(after[key] - exact) <= TOLERANCE[dtype] * np.abs(exact).max()).all(), key
    with pytest.raises(StoreError, match=r"would be \d+ maps.*geoparquet"):
        monkeypatch.setattr(geotiff, "_MOST_MAPS", 2)
        export(store, None, tmp_path / "e.tif", "geotiff")
    shutil.rmtree(tmp_path / "z/utm17")
    with pytest.raises(StoreError, match="chunks of it are missing"):
        import_embeddings(tmp_path / "z", tmp_path / "again")


def terratorch_folder(folder: Path, transform: Affine | None, crs: str | None, stems: int = 2) -> Path:
    """What TerraTorch leaves: float32, no nodata, often no CRS."""
    (folder / "layer_00").mkdir(parents=True)
    for stem in range(stems):
        write_tiff(
            folder / f"layer_00/chip{stem}_embedding.tif",
            unit_vectors(4, 4, 16, stem),
            transform=transform,
            crs=crs,
        )
    (folder / "configuration_summary.json").write_text(
        json.dumps(
            {
                "backbone": "terratorch_prithvi_eo_v2_300",
                "layers": [{"output_folder_name": "layer_00", "layer_number": 12}],
            }
        )
    )
    return folder


def test_terratorchs_files_without_a_place_lie_where_the_images_of_their_stems_lie(tmp_path: Path) -> None:
    folder = terratorch_folder(tmp_path / "out", Affine.identity(), None)
    with pytest.raises(StoreError, match=r"chip0_embedding.tif says nowhere where it lies.*--images"):
        import_embeddings(folder, tmp_path / "none")
    images = tmp_path / "images"
    for stem in range(2):
        at = Affine(10, 0, 400_000 + stem * 5000, 0, -10, 4_100_000)
        write_tiff(images / f"chip{stem}.tif", np.ones((64, 64, 6), np.float32), transform=at)
    told, store = import_embeddings(folder, tmp_path / "back", images=images)
    assert (told.model, store.meta.layers, store.meta.patch_px) == ("prithvi_eo_v2_300", (11,), 16)
    assert np.array_equal(store.read_tile("chip1"), unit_vectors(4, 4, 16, 1))
    assert store.tiles[1].transform[:3] == (10.0, 0.0, 405_000.0) and check_store(tmp_path / "back") == []
    write_tiff(images / "chip1.tif", np.ones((63, 64, 6), np.float32))
    with pytest.raises(StoreError, match=r"4 x 4 patches, and its image chip1.tif has 63 x 64"):
        import_embeddings(folder, tmp_path / "none", images=images)


def test_folders_whose_layers_hold_other_chips_are_refused(tmp_path: Path) -> None:
    folder = terratorch_folder(tmp_path / "out", None, "EPSG:32618")
    (folder / "layer_01").mkdir()
    write_tiff(folder / "layer_01/chip0_embedding.tif", unit_vectors(4, 4, 16))
    with pytest.raises(
        StoreError, match=r"do not hold the same chips: 1 stand in one of them only, such as chip1"
    ):
        import_embeddings(folder, tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("form", ["npz", "geoparquet", "zarr", "stac", "terratorch"])
def test_a_torn_export_is_refused_in_words_and_leaves_no_half_store(
    hard_store: EmbeddingStore, tmp_path: Path, form: str
) -> None:
    out = tmp_path / f"e{FORMS[form].ending}"
    export(hard_store, None, out, form)
    chunks = [one for one in out.rglob("*") if one.is_file() and one.suffix not in (".json",)]
    torn = out if out.is_file() else max(chunks, key=lambda one: one.stat().st_size)
    torn.write_bytes(torn.read_bytes()[: torn.stat().st_size // 2])
    with pytest.raises(EngineError):
        import_embeddings(out, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_lost_chunk_of_a_zarr_store_is_noticed(hard_store: EmbeddingStore, tmp_path: Path) -> None:
    export(hard_store, None, tmp_path / "z", "zarr")
    next(one for one in (tmp_path / "z/utm18/embeddings/c").rglob("*") if one.is_file()).unlink()
    with pytest.raises(StoreError, match=r"70 were written: chunks of it are missing"):
        import_embeddings(tmp_path / "z", tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("dtype", FORMS["geotiff"].dtypes)
def test_maps_come_back_with_places_dates_and_warnings(
    hard_store: EmbeddingStore, tmp_path: Path, dtype: str
) -> None:
    written = export(hard_store, None, tmp_path / "e.tif", "geotiff", dtype)
    before, after = ground(hard_store), dict[tuple[str, int, int, str | None], np.ndarray]()
    largest = np.abs(list(before.values())).max(axis=0)
    for number, path in enumerate(written.files):
        told, back = import_embeddings(path, tmp_path / f"back{number}")
        after |= ground(back)
        assert (told.model, back.meta.weights_sha256, back.meta.is_simulated) == ("raw", "random", True)
        assert (back.meta.licence, back.meta.attribution) == ("CC-BY-4.0", "Somebody")
        assert "SIMULATED" in " ".join(told.notes) and "RANDOM WEIGHTS" in " ".join(told.notes)
    assert before.keys() == after.keys()
    for key, exact in before.items():
        assert (np.abs(after[key] - exact) <= (TOLERANCE[dtype] + 2**-11 * (dtype == "int8")) * largest).all()


def test_a_map_of_embeddings_that_others_made_comes_back_with_their_name_and_licence(tmp_path: Path) -> None:
    meta = meta_of(
        (DIM,), backbone="alphaearth_v1", weights_sha256="", is_simulated=False, licence="CC-BY-4.0"
    )
    store = make_store(tmp_path / "run", [rows_at(tile_at(0), (DIM,))], meta)
    export(store, None, tmp_path / "e.tif", "geotiff", "int8")
    told, back = import_embeddings(tmp_path / "e.tif", tmp_path / "back")
    assert (told.model, told.licence, back.meta.weights_sha256) == ("alphaearth_v1", "CC-BY-4.0", "")
    assert not back.meta.is_simulated and not any("--model" in note for note in told.notes)

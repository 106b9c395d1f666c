"""Chips that TerraTorch wrote, as GeoTIFFs or tables, are read where they lie: the same rows as in a store made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from affine import Affine

from engine.errors import EngineError, StoreError
from engine.imagery.region import Region
from engine.store.check import check_store
from engine.store.importing.forms import is_folder_of_embeddings, understand
from engine.store.importing.preview import Preview, preview
from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from engine.views.layer_view import view_of
from engine.views.lens.reduction import reduction_of
from tests.unit.store.products.made import NORTH, WEST, write_tiff

_PX, _DIM = 10.0, 12


def image(
    folder: Path, stem: str, number: int, height: int = 64, width: int = 64, crs: str = "EPSG:32618"
) -> None:
    """The chip that embeddings were made of, beside the others."""
    where = Affine(_PX, 0, WEST + number * 10_000, 0, -_PX, NORTH)
    write_tiff(folder / f"{stem}.tif", np.ones((height, width, 3), np.float32), transform=where, crs=crs)


def drawn(seed: int, h: int = 4, w: int = 4, dim: int = _DIM) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(h, w, dim)).astype(np.float32)


def tiff_folder(folder: Path) -> tuple[Path, Path]:
    """Two layers without CRS and nodata, the second of patches half as large; and the folder of their images."""
    out, images = folder / "out", folder / "images"
    for number, stem in enumerate(("HLS.S30.T10TGS.2018285.v1.4", "b", "c")):
        image(images, stem, number)
        first = drawn(number)
        first[1, 2] = np.nan if number == 1 else first[1, 2]
        for layer, values in (("layer_00", first), ("layer_01", drawn(10 + number, 8, 8, _DIM + 4))):
            write_tiff(out / layer / f"{stem}_embedding.tif", values, transform=Affine.identity(), crs=None)
    layers = [{"output_folder_name": f"layer_0{n}", "layer_number": n * 6 + 6} for n in (0, 1)]
    (out / "configuration_summary.json").write_text(
        json.dumps({"backbone": "prithvi_eo_v2_300", "layers": layers})
    )
    return out, images


def same_rows(found: EmbeddingStore, copied: EmbeddingStore) -> None:
    assert found.is_in_place and not copied.is_in_place and found.meta.dims == copied.meta.dims
    for layer in copied.meta.layers:
        one, other = found.at_own_patches(layer), copied.at_own_patches(layer)
        valid = one.read_valid_fraction()
        assert one.tiles == other.tiles and np.array_equal(valid, other.read_valid_fraction())
        assert np.array_equal(one.read(layer)[valid > 0], other.read(layer)[valid > 0])
        tile = one.tiles[-1].id
        assert np.array_equal(one.read_tile(tile, layer), other.read_tile(tile, layer))


def test_layers_of_chips_are_read_where_they_lie_each_at_its_own_patches(tmp_path: Path) -> None:
    out, images = tiff_folder(tmp_path)
    told, copied = import_embeddings(out, tmp_path / "copied", images=images)
    _, found = import_embeddings(out, tmp_path / "run", images=images, in_place=True)
    same_rows(found, copied)
    assert told.model == "prithvi_eo_v2_300" and found.meta.layers == (5, 11) and found.bytes_on_disk < 20_000
    finer = found.at_own_patches(11)
    assert np.array_equal(
        finer.read_tile("b", 11)[2:4, 4:6], np.zeros((2, 2, _DIM + 4))
    )  # a gap in the coarse layer
    assert np.array_equal(finer.read_tile("c", 11), drawn(12, 8, 8, _DIM + 4))
    assert reduction_of(view_of(found, 11)).header.patches == 3 * 64
    assert check_store(tmp_path / "run") == []


def test_chips_that_lie_far_apart_are_drawn_side_by_side(tmp_path: Path) -> None:
    out, images = tiff_folder(tmp_path)
    seen = preview(out, None, None, images)
    assert seen.is_sheet and (seen.pixels[..., 3] > 0).mean() > 0.6
    assert not preview(out, Region.from_bounds(*_around(seen)), None, images).is_sheet


def _around(seen: Preview) -> tuple[float, float, float, float]:
    lon, lat = seen.middle_lonlat
    return lon - 0.001, lat - 0.001, lon + 0.001, lat + 0.001


def test_a_region_takes_its_chips_and_another_state_of_one_is_refused(tmp_path: Path) -> None:
    out, images = tiff_folder(tmp_path)
    west, south, east, north = understand(out, images=images).bounds_lonlat
    third = (east - west) / 3
    _, found = import_embeddings(
        out,
        tmp_path / "run",
        Region.from_bounds(east - third, south, east, north),
        images=images,
        in_place=True,
    )
    assert [tile.id for tile in found.tiles] == ["c"]
    write_tiff(out / "layer_01/c_embedding.tif", drawn(0, 8, 8, 20), transform=Affine.identity(), crs=None)
    with pytest.raises(StoreError, match="was changed since"):
        EmbeddingStore.open(tmp_path / "run")


def nested(values: np.ndarray, order: str) -> Any:
    """What TerraTorch writes into the column: lists in lists of float64."""
    flat = values.reshape(-1, values.shape[-1])
    return {
        "channels": np.moveaxis(values, -1, 0), "channels_last": values, "tokens": flat,
        "class_token": np.vstack([np.full(flat.shape[1], 9.0), flat]), "vector": flat.mean(axis=0),
    }[order].astype(np.float64).tolist()  # fmt: skip


def chip_table(path: Path, stems: dict[str, Any], geometry: bool = False, **columns: list[Any]) -> Path:
    told = {}
    table: dict[str, Any] = {"file_id": list(stems), "embedding": list(stems.values()), **columns}
    if geometry:
        boxes = [
            shapely.box(WEST + n * 10_000, NORTH - 640, WEST + n * 10_000 + 640, NORTH)
            for n in range(len(stems))
        ]
        table["geometry"] = [shapely.to_wkb(one) for one in boxes]
        geo = {
            "primary_column": "geometry",
            "columns": {"geometry": {"encoding": "WKB", "crs": "EPSG:32618"}},
        }
        told = {b"geo": json.dumps(geo).encode()}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(table).replace_schema_metadata(told), path, row_group_size=2)
    return path


@pytest.mark.parametrize("order", ["channels", "tokens", "class_token", "vector", "channels_last"])
@pytest.mark.parametrize("form", ["a file a chip", "joint", "one file"])
def test_the_lists_of_a_table_become_patches_in_their_places(tmp_path: Path, order: str, form: str) -> None:
    stems = ("x.v1.4", "y", "z")
    for number, stem in enumerate(stems):
        image(tmp_path / "images", stem, number)
    values = {stem: drawn(number) for number, stem in enumerate(stems)}
    lists = {stem: nested(one, order) for stem, one in values.items()}
    folder = tmp_path / "out/layer_00"
    if form == "a file a chip":
        for stem, one in lists.items():
            chip_table(folder / f"{stem}_embedding.parquet", {stem: one})
    else:
        chip_table(folder / "embeddings.parquet", {f"/data/{stem}.tif": one for stem, one in lists.items()})
    path = folder / "embeddings.parquet" if form == "one file" else tmp_path / "out"
    assert form == "one file" or is_folder_of_embeddings(path)
    told, found = import_embeddings(path, tmp_path / "run", images=tmp_path / "images", in_place=True)
    assert found.meta.granularity == ("tile" if order == "vector" else "patch") and told.dim == _DIM
    for number, stem in enumerate(stems):
        expected = values[stem].mean(axis=(0, 1))[None, None] if order == "vector" else values[stem]
        assert np.allclose(found.read_tile(stem), expected, atol=1e-6)
        tile = next(tile for tile in found.tiles if tile.id == stem)
        assert tile.transform == (_PX, 0, WEST + number * 10_000, 0, -_PX, NORTH) and tile.height_px == 64
    if order == "class_token":
        assert any("after 1 class token" in note for note in told.notes)


def test_a_table_whose_geometries_are_in_metres_needs_no_images(tmp_path: Path) -> None:
    values = {"a": drawn(0, 8, 8), "b": drawn(1, 8, 8)}
    lists = {stem: nested(one, "channels") for stem, one in values.items()}
    path = chip_table(tmp_path / "any.parquet", lists, geometry=True, datetime=["2020-05-01", "2021-06-02"])
    _, copied = import_embeddings(path, tmp_path / "copied", model="tiny")
    told, found = import_embeddings(path, tmp_path / "run", in_place=True, model="tiny")
    same_rows(found, copied)
    assert told.crs == "EPSG:32618" and [tile.datetimes[0][:10] for tile in found.tiles if tile.datetimes[0]] == [
        "2020-05-01", "2021-06-02",
    ]  # fmt: skip
    assert found.tiles[1].patch_transform[:6] == pytest.approx(
        (80, 0, WEST + 10_000, 0, -80, NORTH), abs=1e-3
    )


@pytest.mark.parametrize(
    ("lists", "says"),
    [
        ({"a": np.ones((15, 12)).tolist()}, "nothing tells which of them are of which patch"),
        ({"a": np.ones((12, 4, 8)).tolist()}, "neither dimensions x rows x columns"),
        ({"a": np.ones((16, 12)).tolist(), "b": np.ones((25, 12)).tolist()}, "change their shape"),
        ({"a": [[1.0] * 12, [1.0] * 11]}, "changes its length: 11 to 12"),
        ({"x/a.tif": np.ones((16, 12)).tolist(), "y/a.tif": np.ones((16, 12)).tolist()}, "more than once in file_id"),
        ({"a": np.ones((16, 12), int).tolist()}, "holds int64 in its lists"),
        ({"a": None}, "no column of vectors"),
    ],
)  # fmt: skip
def test_lists_whose_patches_are_not_told_are_refused(
    tmp_path: Path, lists: dict[str, Any], says: str
) -> None:
    path = chip_table(tmp_path / "embeddings.parquet", lists, geometry=True)
    with pytest.raises(EngineError, match=says):
        import_embeddings(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_tables_that_nothing_places_ask_for_the_images(tmp_path: Path) -> None:
    path = chip_table(tmp_path / "embeddings.parquet", {"a": nested(drawn(0), "tokens")})
    with pytest.raises(StoreError, match="--images"):
        understand(path)

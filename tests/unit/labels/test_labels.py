from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from affine import Affine

from engine.errors import LabelError, StoreError
from engine.jobs.configuration.config import LabelsConfig
from engine.labels.build import build_labels, labels_for
from engine.labels.patches import to_patches, to_pixels
from engine.labels.sidecar import (
    Labels,
    open_labels,
    read_labels,
)
from engine.store.schema import SCHEMA_VERSION, StoredTile, StoreMeta, TileRows
from engine.store.store import EmbeddingStore
from engine.store.writer import StoreWriter

SIDE, PATCH = 16, 4


def tile_at(index: int) -> StoredTile:
    transform = (30.0, 0.0, 500000.0 + index * SIDE * 30, 0.0, -30.0, 4500000.0)
    side = SIDE // PATCH
    return StoredTile(
        f"t{index}", "EPSG:32610", transform, side, side, SIDE, SIDE, (None,), (f"s{index}",), None
    )


@pytest.fixture
def store(tmp_path: Path) -> EmbeddingStore:
    return make_store(tmp_path / "run")


def make_store(folder: Path, tiles: int = 3, granularity: str = "patch") -> EmbeddingStore:
    meta = StoreMeta(
        schema_version=SCHEMA_VERSION, backbone="raw", weights_sha256="none", layers=(0,), dims=(2,),
        columns=("embedding",), granularity=granularity, pooling=None, patch_px=PATCH, gsd_m=30.0, dtype="float32",
        bands=("red",), is_simulated=False, source="", config_hash="x", config={},
    )  # fmt: skip
    writer = StoreWriter(folder, meta)
    for index in range(tiles):
        tile = tile_at(index)
        valid = np.ones(tile.rows, np.float32)
        valid[5] = 0
        writer.append(TileRows(tile, (np.zeros((tile.rows, 2), np.float32),), valid))
    return EmbeddingStore.open(writer.finish())


def write_labels(path: Path, values: np.ndarray, west: float = 500000.0, **more: object) -> Path:
    height, width = values.shape
    profile = {"driver": "GTiff", "count": 1, "dtype": str(values.dtype), "height": height, "width": width,
               "crs": "EPSG:32610", "transform": Affine(30, 0, west, 0, -30, 4500000), **more}  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(values, 1)
    return path


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(0).integers(-1, 2, (SIDE, 3 * SIDE)).astype(np.int16)


@pytest.fixture
def raster(tmp_path: Path, truth: np.ndarray) -> Path:
    return write_labels(tmp_path / "truth.tif", truth)


def test_labels_come_back_at_the_pixels_they_were_drawn_on(
    store: EmbeddingStore, raster: Path, truth: np.ndarray, tmp_path: Path
) -> None:
    values = read_labels(build_labels(store, None, raster, tmp_path / "labels"), store)
    expected = truth.copy()
    for index in range(3):  # patch 5 of each tile, row 1 and column 1, has no valid pixel
        expected[PATCH : 2 * PATCH, index * SIDE + PATCH : index * SIDE + 2 * PATCH] = -1
    rows = store.tiles[0].rows
    found = [to_pixels(values[i * rows : (i + 1) * rows], tile) for i, tile in enumerate(store.tiles)]
    np.testing.assert_array_equal(np.concatenate(found, axis=1), expected)
    assert values.dtype == np.int8


def test_the_sidecar_carries_the_keys_of_the_store(
    store: EmbeddingStore, raster: Path, tmp_path: Path
) -> None:
    labels = build_labels(store, None, raster, tmp_path / "labels")
    keys = ["tile_id", "row", "col"]
    stored = pq.read_table(store.parts[0].path, columns=keys).to_pylist()
    assert pq.read_table(labels.path, columns=keys).to_pylist() == stored
    assert sum(labels.pixels.values()) + labels.missing == store.rows * PATCH**2
    assert open_labels(labels.path) == labels


def test_the_same_sources_are_not_read_again_and_a_changed_one_is(
    store: EmbeddingStore, raster: Path, truth: np.ndarray
) -> None:
    config = LabelsConfig(source="raster", path=str(raster))
    first = labels_for(store, config, raster.parent)
    written = first.path.stat().st_mtime_ns
    assert labels_for(store, config, raster.parent).path.stat().st_mtime_ns == written
    write_labels(raster, np.ones_like(truth), compress="deflate")
    again = labels_for(store, config, raster.parent)
    assert again.path != first.path
    assert again.pixels["not burnt"] == 0
    assert not list(first.path.parent.glob("*.writing"))


def test_pixels_outside_the_raster_are_missing(
    store: EmbeddingStore, truth: np.ndarray, tmp_path: Path
) -> None:
    half = write_labels(tmp_path / "half.tif", np.ones((SIDE, SIDE), np.int16), west=500000.0 + SIDE * 30)
    values = read_labels(build_labels(store, None, half, tmp_path / "labels"), store)
    rows = store.tiles[0].rows
    assert (values[:rows] == -1).all()
    assert (values[2 * rows :] == -1).all()
    assert (np.delete(values[rows : 2 * rows], 5, axis=0) == 1).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"values": 2}, "has the value 2, which is no label: labels are 0 \\(not burnt\\), 1"),
        ({"west": 900000.0}, "no labelled pixel"),
        ({"crs": None}, "has no CRS"),
    ],
)
def test_a_raster_that_cannot_be_labels_is_refused(
    store: EmbeddingStore, truth: np.ndarray, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    if change.pop("values", None):
        truth[3, 3] = 2
    path = write_labels(tmp_path / "odd.tif", truth, **change)
    with pytest.raises(LabelError, match=words):
        build_labels(store, None, path, tmp_path / "labels")
    assert not list(tmp_path.glob("labels/*"))


def test_a_declared_nodata_value_is_missing(store: EmbeddingStore, truth: np.ndarray, tmp_path: Path) -> None:
    coded = np.where(truth < 0, 255, truth).astype(np.uint8)
    path = write_labels(tmp_path / "bytes.tif", coded, nodata=255)
    plain = write_labels(tmp_path / "plain.tif", truth)
    found, expected = (
        read_labels(build_labels(store, None, p, tmp_path / p.stem), store) for p in (path, plain)
    )
    np.testing.assert_array_equal(found, expected)


def test_how_many_rasters_lie_on_another_grid_is_told_once(
    store: EmbeddingStore, truth: np.ndarray, tmp_path: Path
) -> None:
    turned = Affine(30, 0, 500000, 0, -30, 4500000) @ Affine.rotation(3)
    beside = [write_labels(tmp_path / f"t{i}.tif", truth, transform=turned) for i in range(3)]
    notes = build_labels(store, None, None, tmp_path / "labels", beside=beside).notes
    assert len(notes) == 1 and "t0.tif" in notes[0] and "with 2 more label raster(s)" in notes[0]


def test_a_raster_that_is_not_there_is_refused(store: EmbeddingStore, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"no file at .*nowhere\.tif"):
        build_labels(store, None, tmp_path / "nowhere.tif", tmp_path)


def test_a_store_of_tiles_has_no_pixels_to_label(raster: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="granularity: patch"):
        build_labels(make_store(tmp_path / "tiles", granularity="tile"), None, raster, tmp_path / "labels")


def test_labels_of_another_store_are_refused(store: EmbeddingStore, raster: Path, tmp_path: Path) -> None:
    labels: Labels = build_labels(store, None, raster, tmp_path / "labels")
    with pytest.raises(LabelError, match="another store"):
        read_labels(labels, make_store(tmp_path / "other", tiles=2))


def test_damaged_labels_are_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(LabelError, match="Train again"):
        open_labels(tmp_path / "labels.parquet")


def test_patches_and_pixels_are_each_others_way_back() -> None:
    pixels = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    patches = to_patches(pixels, PATCH)
    np.testing.assert_array_equal(to_pixels(patches, tile_at(0)), pixels)
    np.testing.assert_array_equal(patches[5], pixels[PATCH : 2 * PATCH, PATCH : 2 * PATCH].reshape(-1))

"""Rasters of embeddings that others published become stores with the right values in the right places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from rasterio.windows import Window

from engine.errors import BadInput, EngineError, StoreError
from engine.imagery.region import Region
from engine.jobs.configuration.config import ExtractConfig, load_config
from engine.jobs.job import Job
from engine.store.check import check_store
from engine.store.importing.forms import understand
from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from engine.views.layer_view import view_of
from engine.views.pca import pca_of
from tests.unit.store.products.made import (
    ALPHAEARTH_BANDS,
    CRS,
    NORTH,
    WEST,
    alphaearth,
    in_8_bits,
    unit_vectors,
    write_tiff,
)


def on_grid(store: EmbeddingStore, h: int, w: int) -> np.ndarray:
    """(h, w, D) of a store on the pixels of the files of `made`, NaN where it has no valid row."""
    found = np.full((h, w, store.meta.dims[0]), np.nan, np.float32)
    for tile, values, valid in store.iterate():
        row, column = round((NORTH - tile.transform[5]) / 10), round((tile.transform[2] - WEST) / 10)
        found[row : row + tile.h, column : column + tile.w] = np.where(valid[..., None] > 0, values, np.nan)
    return found


def region_of_pixels(top: int, left: int, bottom: int, right: int) -> Region:
    """A region that lies within some pixels, and touches all of them."""
    lonlat = Transformer.from_crs("EPSG:32618", "EPSG:4326", always_xy=True)
    west, north = lonlat.transform(WEST + left * 10 + 4, NORTH - top * 10 - 4)
    east, south = lonlat.transform(WEST + right * 10 - 4, NORTH - bottom * 10 + 4)
    return Region.from_bounds(west, south, east, north)


def test_a_south_up_alphaearth_file_with_gaps_becomes_a_store(tmp_path: Path) -> None:
    vectors, gaps = unit_vectors(140, 150), np.zeros((140, 150), bool)
    gaps[:20, :30], gaps[128:, 128:] = True, True  # the last tile has no embedding at all
    path = alphaearth(tmp_path / "v1/annual/2023/18N/x_8192.tiff", vectors, gaps)
    told, store = import_embeddings(path, tmp_path / "run")
    assert (told.model, told.dim, told.year, told.licence) == ("alphaearth_v1", 64, 2023, "CC-BY-4.0")
    assert told.is_unit_length and told.decoding == "x = sign(v) (v / 127.5)^2"
    assert "Google DeepMind" in store.meta.attribution and "CC-BY-4.0" in store.meta.source
    assert store.meta.licence == "CC-BY-4.0"
    found = on_grid(store, 140, 150)
    assert np.array_equal(np.isnan(found[..., 0]), gaps)
    assert np.abs(found[~gaps] - vectors[~gaps]).max() < 0.01  # half a step of the quantisation
    assert len(store.tiles) == 8 and {tile.datetimes for tile in store.tiles} == {
        ("2023-01-01T00:00:00+00:00",)
    }
    assert check_store(tmp_path / "run") == []
    assert Job(tmp_path / "run").state == "finished"
    assert pca_of(view_of(store, 0), components=3).components.shape == (3, 64)


def test_only_a_region_of_a_file_is_taken_and_its_pixels_keep_their_places(tmp_path: Path) -> None:
    vectors = unit_vectors(300, 280)
    path = alphaearth(tmp_path / "x.tiff", vectors)
    _, store = import_embeddings(path, tmp_path / "run", region_of_pixels(100, 120, 160, 150))
    found = on_grid(store, 300, 280)
    there = np.argwhere(~np.isnan(found[..., 0]))
    assert there.min(axis=0) == pytest.approx([100, 120], abs=1)
    assert there.max(axis=0) == pytest.approx([159, 149], abs=1)
    assert np.nanmax(np.abs(found - vectors)) < 0.01


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        (lambda vectors: vectors, ""),
        (lambda vectors: in_8_bits(vectors) / np.float32(127.5), "decoded linearly by another program"),
        (lambda vectors: in_8_bits(vectors) / np.float32(128), "decoded linearly by another program"),
        (lambda vectors: in_8_bits(vectors).astype(np.float32), "8-bit ones written as floats"),
        (lambda vectors: np.round(vectors * 127).astype(np.int8), "decoded linearly, not by AlphaEarth's squares"),
    ],
)  # fmt: skip
def test_the_decoding_of_alphaearth_is_the_one_that_gives_length_1(
    tmp_path: Path, stored: object, says: str
) -> None:
    vectors = unit_vectors(20, 24)
    path = write_tiff(tmp_path / "export_2021.tif", np.asarray(stored(vectors)), ALPHAEARTH_BANDS)  # type: ignore[operator]
    told, store = import_embeddings(path, tmp_path / "run")
    assert told.is_unit_length and told.year == 2021
    assert says in " ".join(told.notes)
    assert bool(says) == any("decoded" in note for note in told.notes)
    assert np.abs(on_grid(store, 20, 24) - vectors).max() < 0.03


def test_a_file_named_like_alphaearth_that_no_decoding_fits_is_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "x.tif", unit_vectors(20, 20) * 5, ALPHAEARTH_BANDS)
    with pytest.raises(StoreError, match="no known decoding gives that: as stored gives 5"):
        import_embeddings(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_tessera_geotiff_is_known_by_its_name_and_nan_is_a_gap(tmp_path: Path) -> None:
    vectors = unit_vectors(30, 20, 128) * 3
    vectors[4:9, 5] = np.nan
    path = write_tiff(tmp_path / "grid_-76.15_37.05_2024.tiff", vectors)
    told, store = import_embeddings(path, tmp_path / "run")
    assert (told.model, told.year, told.is_unit_length) == ("tessera", 2024, False)
    assert np.array_equal(on_grid(store, 30, 20), vectors, equal_nan=True)


def test_an_unknown_geotiff_is_taken_as_stored_and_the_model_can_be_said(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "mine.tif", unit_vectors(20, 20, 16))
    told, _ = import_embeddings(path, tmp_path / "run")
    assert told.model == "unknown" and any("--model" in note for note in told.notes)
    told, store = import_embeddings(path, tmp_path / "other", model="my-encoder")
    assert store.meta.backbone == "my-encoder" and not any("--model" in note for note in told.notes)


def test_a_raster_in_degrees_takes_the_nearest_embedding_and_says_so(tmp_path: Path) -> None:
    vectors = unit_vectors(30, 30, 16)
    path = write_tiff(
        tmp_path / "degrees.tif", vectors, transform=Affine(1e-4, 0, -76, 0, -1e-4, 37), crs="EPSG:4326"
    )
    told, store = import_embeddings(path, tmp_path / "run")
    assert told.crs == "EPSG:32618" and any(
        "nearest embedding" in note and "bilinear" not in note for note in told.notes
    )
    known = {tuple(row) for row in vectors.reshape(-1, 16).tolist()}
    rows = store.read()[store.read_valid_fraction() > 0]
    assert len(rows) > 500 and {tuple(row) for row in rows.tolist()} <= known


@pytest.mark.parametrize(
    ("values", "how", "says"),
    [
        (np.ones((20, 20, 16), np.int16), {}, "no scale"),
        (np.ones((20, 20, 3), np.float32), {}, "has 3 bands"),
        (np.full((20, 20, 16), np.nan, np.float32), {}, "only gaps"),
        (np.ones((20, 20, 16), np.float32), {"crs": None}, "has no CRS"),
    ],
)
def test_a_raster_that_is_not_understood_is_refused_and_leaves_nothing(
    tmp_path: Path, values: np.ndarray, how: dict[str, None], says: str
) -> None:
    path = write_tiff(tmp_path / "x.tif", values, **how)  # type: ignore[arg-type]
    with pytest.raises(EngineError, match=says):
        import_embeddings(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_damaged_file_leaves_no_half_store(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "x.tif", unit_vectors(600, 300, 8))
    heard: list[str] = []

    def cut_short(line: str) -> None:
        heard.append(line)
        if len(heard) == 1:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(EngineError):
        import_embeddings(path, tmp_path / "run", tell=cut_short)
    assert not (tmp_path / "run").exists()


def test_more_than_16_million_embeddings_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    path, grid = tmp_path / "large.tif", Affine(10, 0, WEST, 0, -10, NORTH)
    with rasterio.open(
        path, "w", driver="GTiff", height=5000, width=4000, count=8, dtype="float32", crs=CRS, transform=grid,
        sparse_ok=True, tiled=True, nodata=0,
    ) as file:  # fmt: skip
        file.write(np.ones((8, 16, 16), np.float32), window=Window(0, 0, 16, 16))
    heard: list[str] = []
    with pytest.raises(BadInput, match=r"20,000,000 embeddings.*--region"):
        import_embeddings(path, tmp_path / "run", tell=heard.append)
    assert any("5000 x 4000 pixels" in line for line in heard) and not (tmp_path / "run").exists()


def test_a_folder_that_holds_files_is_kept(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/mine.txt").write_text("kept")
    with pytest.raises(BadInput, match="already holds files"):
        import_embeddings(write_tiff(tmp_path / "x.tif", unit_vectors(9, 9, 16)), tmp_path / "run")
    assert (tmp_path / "run/mine.txt").read_text() == "kept"


def test_an_imported_store_says_that_it_has_no_imagery_and_no_labels_of_its_own(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "x.tif", unit_vectors(20, 20, 16))
    import_embeddings(path, tmp_path / "run")
    config = load_config(tmp_path / "run/config.yaml")
    assert isinstance(config, ExtractConfig)
    with pytest.raises(EngineError, match="without the imagery"):
        config.scene.find(tmp_path)
    with pytest.raises(EngineError, match="no labels named severity"):
        list(config.scene.prepare_labels(tmp_path, "severity"))


def test_a_mask_inside_the_file_marks_gaps(tmp_path: Path) -> None:
    vectors, known = unit_vectors(30, 21, 16), np.ones((30, 21), bool)
    known[20:, 5:] = False
    for is_south_up in (False, True):
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            path = write_tiff(tmp_path / f"{is_south_up}.tif", vectors, south_up=is_south_up)
            with rasterio.open(path, "r+") as file:
                file.write_mask((known[::-1] if is_south_up else known).astype(np.uint8) * 255)
        told, store = import_embeddings(path, tmp_path / f"run_{is_south_up}", in_place=True)
        assert np.array_equal(~np.isnan(on_grid(store, 30, 21)[..., 0]), known)
        assert told.nodata == "NaN in a band, or zero in all bands, and the file's mask"


@pytest.mark.parametrize("named", ["a{:02d}", "A{}", "A{:02d} (axis)", "A{:02d}: unit sphere"])
def test_alphaearths_bands_are_known_as_programs_write_them(tmp_path: Path, named: str) -> None:
    numbers = in_8_bits(unit_vectors(9, 9))
    path = write_tiff(
        tmp_path / "x.tif", numbers, tuple(named.format(number) for number in range(64)), nodata=-128
    )
    assert understand(path).model == "alphaearth_v1"


def test_a_few_pixels_in_a_large_gap_are_found(tmp_path: Path) -> None:
    values = np.full((300, 700, 8), np.nan, np.float32)
    values[133:137, 401:405] = 2
    _, store = import_embeddings(write_tiff(tmp_path / "x.tif", values, nodata=np.nan), tmp_path / "run")
    assert int((store.read_valid_fraction() > 0).sum()) == 16

"""Denser maps by shifted passes, and maps without seams by overlap: what each row is, and where it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from shapely.geometry import Point

from engine.errors import ConfigError
from engine.extraction import extract as job
from engine.extraction.plan import make_plan
from engine.jobs.configuration.config import ExtractConfig, TrainConfig, parse_config
from engine.jobs.events import ExtractDone
from engine.labels.build import build_labels
from engine.labels.label_raster import read_label_raster
from engine.labels.patches import to_pixels
from engine.labels.reading import BURNED_OR_NOT
from engine.labels.sidecar import read_labels
from engine.learning.train import train
from engine.store.check import check_store
from engine.store.store import EmbeddingStore
from engine.views.health.seams import seam_score
from engine.views.layer_view import view_of
from engine.views.maps.overlay import pca_overlay

WriteRaster = Callable[..., Path]
GRID = Affine(20, 0, 400_640, 0, -20, 4_100_480)  # on the corner of a tile of 32 px of 20 m
VIT = {"name": "timm/vit_tiny_patch16_224", "weights": "random"}


def config_for(path: Path, patch_px: int = 4, **changes: object) -> ExtractConfig:
    backbone = {"name": "raw", "settings": {"patch_px": str(patch_px)}}
    parsed = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(path)}, "backbone": backbone, "device": "cpu",
        "tiles": {"size_px": 32}, "output": {"dtype": "float32"}, **changes,
    })  # fmt: skip
    assert isinstance(parsed, ExtractConfig)
    return parsed


def store_of(config: ExtractConfig, folder: Path) -> EmbeddingStore:
    list(job.extract(config, folder, folder.parent))
    return EmbeddingStore.open(folder)


@pytest.fixture
def scene(write_raster: WriteRaster) -> Path:
    """96 x 96 pixels, no two alike, on the corner of a tile."""
    pixels = np.random.default_rng(5).permutation(6 * 96 * 96).reshape(6, 96, 96).astype(np.uint16)
    path = write_raster("ground.tif", pixels + 1, transform=GRID)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales = [1e-5] * 6  # reflectance up to 0.55
    return path


@pytest.mark.parametrize(("patch", "stride"), [(4, 2), (4, 1), (8, 4), (8, 2)])
@pytest.mark.parametrize("overlap", [0, 16])
def test_each_row_is_the_patch_around_its_own_ground(
    scene: Path, tmp_path: Path, patch: int, stride: int, overlap: int
) -> None:
    tiles = {"size_px": 32, "stride_px": stride, "overlap_px": overlap}
    store = store_of(config_for(scene, patch, tiles=tiles), tmp_path / "run")
    assert store.meta.patch_px == stride
    with rasterio.open(scene) as dataset:
        pixels = dataset.read() * np.float32(1e-5)
    seen = 0
    for tile, values, valid in store.iterate():
        left, top = (round(v) for v in ~GRID @ (tile.transform[2], tile.transform[5]))
        for row in range(tile.h):
            for column in range(tile.w):
                y, x = (
                    at * stride - (patch - stride) // 2 + corner
                    for at, corner in ((row, top), (column, left))
                )
                if valid[row, column] == 1 and 0 <= y <= 96 - patch and 0 <= x <= 96 - patch:
                    window = pixels[:, y : y + patch, x : x + patch].transpose(1, 2, 0)
                    assert np.allclose(values[row, column], window.ravel(), atol=1e-6)
                    seen += 1
    assert seen >= ((96 - patch) // stride) ** 2


def test_an_encoders_shifted_pass_is_the_plain_run_on_ground_moved_the_other_way(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(6).integers(1, 4000, (6, 192, 192)).astype(np.int16)
    tiles = {"size_px": 64}
    corner = Affine(20, 0, 401_920, 0, -20, 4_101_120)  # of a tile of 64 px
    dense = config_for(write_raster("here.tif", pixels, transform=corner), backbone=VIT,
                       tiles=tiles | {"stride_px": 8})  # fmt: skip
    fine = store_of(dense, tmp_path / "fine")
    middle = next(t for t in fine.tiles if t.transform[2::3] == (401_920 + 64 * 20, 4_101_120 - 64 * 20))
    values = fine.read_tile(middle.id)  # passes begin 4 px before and after the tile's corner
    for place, shift in ((0, 4), (1, -4)):
        moved = corner @ Affine.translation(shift, shift)
        plain = config_for(
            write_raster(f"moved{place}.tif", pixels, transform=moved), backbone=VIT, tiles=tiles
        )
        # the moved file's pixels lie on another phase of no more than whole pixels: the same tiles
        there = store_of(plain, tmp_path / f"plain{place}").read_tile(middle.id)
        assert np.allclose(values[place::2, place::2], there, atol=2e-4)


def test_a_marker_lands_in_the_one_cell_that_lies_around_it(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    pixels = np.full((6, 96, 96), 1000, np.int16)
    pixels[:, 41, 74] = 9000
    path = write_raster("m.tif", pixels, transform=GRID)
    store = store_of(config_for(path, tiles={"size_px": 32, "stride_px": 2}), tmp_path / "run")
    frame = gpd.read_parquet(tmp_path / "run/store")
    middle = np.stack(frame.embedding).reshape(-1, 4, 4, 6)[:, 1:3, 1:3].max(axis=(1, 2, 3))
    marked = frame[(middle > 0.85) & (frame.valid_fraction == 1)]
    lonlat = Transformer.from_crs(32618, 4326, always_xy=True).transform(*(GRID @ (74.5, 41.5)))
    assert len(marked) == 1
    assert marked.geometry.iloc[0].contains(Point(lonlat))
    assert not check_store(store.folder)


def test_labels_colours_and_training_follow_the_cells(
    write_raster: WriteRaster, tmp_path: Path, scene: Path
) -> None:
    mask = (np.random.default_rng(1).random((1, 96, 96)) > 0.5).astype(np.int16)
    raster = write_raster("mask.tif", mask, names=None, transform=GRID)
    tiles = {"size_px": 32, "overlap_px": 16, "stride_px": 2}
    store = store_of(config_for(scene, tiles=tiles), tmp_path / "run")
    labels = read_labels(build_labels(store, None, raster, tmp_path / "labels"), store)
    assert labels.shape == (store.rows, 4)
    first = 0
    for tile in store.tiles:
        there = read_label_raster(raster, tile, BURNED_OR_NOT)
        assert np.array_equal(to_pixels(labels[first : first + tile.rows], tile), there)
        first += tile.rows
    pca_overlay(view_of(store), tmp_path / "pca.tif")
    with rasterio.open(tmp_path / "pca.tif") as colours:
        assert colours.res == (40.0, 40.0)
        assert (colours.read(4) > 0).sum() == (store.read_valid_fraction() > 0).sum()
    config = parse_config({
        "kind": "train", "store": str(store.folder), "labels": {"source": "raster", "path": str(raster)},
        "epochs": 1, "device": "cpu", "head": {"name": "linear"},
    })  # fmt: skip
    assert isinstance(config, TrainConfig)
    (tmp_path / "train").mkdir()
    assert [e for e in train(config, tmp_path / "train", tmp_path) if type(e).__name__ == "TestDone"]


@pytest.mark.parametrize(
    ("tiles", "words"),
    [
        ({"stride_px": 3}, "does not divide the patch of raw"),
        ({"stride_px": 8}, "Choose one of 1, 2, 4"),
        ({"overlap_px": 30}, "leaves no whole patch"),
    ],
)
def test_strides_and_overlaps_that_break_patches_are_refused(
    scene: Path, tmp_path: Path, tiles: dict[str, int], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        store_of(config_for(scene, tiles={"size_px": 32, **tiles}), tmp_path / "run")


def test_tiles_that_are_rounded_to_whole_patches_are_said(write_raster: WriteRaster, tmp_path: Path) -> None:
    path = write_raster("chips/data/a_merged.tif", np.ones((6, 512, 512), np.int16))
    largest = {
        "name": "prithvi_eo_v2_600_tl",
        "weights": "random",
    }  # its patch is 14 px, which 512 is no multiple of
    plan = make_plan(config_for(path, backbone=largest, tiles={"size_px": 512, "overlap_px": 20}), tmp_path)
    assert plan.notes == (
        "tiles.size_px is 518 px, not 512: whole patches of 14 px.",
        "tiles.overlap_px is 28 px, not 20: whole patches of 14 px.",
    )
    assert {item.window.height for item in plan.tiles} == {518}
    assert {item.tile.height for item in plan.tiles} == {182, 336}  # whole patches of the 512 px
    chips = {"source": "chips", "path": str(tmp_path / "chips")}
    plan = make_plan(config_for(path, backbone=largest, scene=chips, tiles={}), tmp_path)
    assert [item.tile.height for item in plan.tiles] == [518]
    assert "an encoder sees mirrored pixels beyond a chip" in plan.notes[0]


def test_at_half_a_tile_of_overlap_a_vit_shows_no_seams(tmp_path: Path) -> None:
    """Measured on the sample scene: 1.27 without overlap, 1.04 with it; the weights are random."""
    found = {}
    for overlap in (0, 112):
        config = config_for(
            Path("assets/samples/virginia.tif"), backbone=VIT, output={"dtype": "float16"},
            region={"bounds_lonlat": [-75.70, 37.60, -75.62, 37.66]}, tiles={"size_px": 224, "overlap_px": overlap},
        )  # fmt: skip
        *_, done = job.extract(config, tmp_path / f"run{overlap}", tmp_path)
        assert isinstance(done, ExtractDone) and done.seam is not None
        found[overlap] = done.seam
        store = EmbeddingStore.open(Path(done.store))
        assert seam_score(store, most_pairs=10_000) == pytest.approx(done.seam, abs=1e-3)
    assert found[112] < 1.1 < found[0]

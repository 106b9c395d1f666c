"""Extraction: every pixel's embedding lies where the pixel is, and a stopped run goes on as if it never stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
from affine import Affine
from pyproj import Transformer
from shapely.geometry import Point

from engine.errors import BackboneError, MissingBand, RegionError, SceneError, StoreError
from engine.extraction import extract as job
from engine.extraction.encode import fold
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.events import Event, ExtractDone, ExtractPlanned, TileDone, TileSkipped
from engine.store import writer
from engine.store.store import EmbeddingStore
from tests.unit.store.stores import interrupted, stop_after_the_first_part

WriteRaster = Callable[..., Path]


def config_for(path: Path, **changes: object) -> ExtractConfig:
    tree: dict[str, object] = {
        "kind": "extract",
        "scene": {"source": "file", "path": str(path)},
        "backbone": {"name": "raw"},
        "tiles": {"size_px": 32},
        "output": {"dtype": "float32"},
        "device": "cpu",
    }
    parsed = parse_config({**tree, **changes})
    assert isinstance(parsed, ExtractConfig)
    return parsed


def run(config: ExtractConfig, folder: Path) -> list[Event]:
    return list(job.extract(config, folder, folder.parent))


def test_a_marked_pixel_block_is_found_in_the_patch_whose_footprint_holds_it(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    pixels = np.full((6, 96, 96), 1000, np.int16)
    pixels[:, 40:44, 72:76] = 4000
    transform = Affine(20, 0, 400_080, 0, -20, 4_100_160)
    run(config_for(write_raster("marked.tif", pixels, transform=transform)), tmp_path / "run")
    frame = gpd.read_parquet(tmp_path / "run/store")
    bright = frame[
        [
            bool(np.max(e) > 0.39 and v == 1)
            for e, v in zip(frame.embedding, frame.valid_fraction, strict=True)
        ]
    ]
    x, y = transform @ (74, 42)
    lon, lat = Transformer.from_crs(32618, 4326, always_xy=True).transform(x, y)
    assert len(bright) == 1
    assert bright.geometry.iloc[0].contains(Point(lon, lat))
    assert np.allclose(bright.embedding.iloc[0], 0.4, atol=1e-3)
    assert frame.crs == "OGC:CRS84"


def test_events_tell_the_plan_each_tile_and_the_end(scene_file: Path, tmp_path: Path) -> None:
    events = run(config_for(scene_file), tmp_path / "run")
    (plan,) = [e for e in events if isinstance(e, ExtractPlanned)]
    tiles = [e for e in events if isinstance(e, TileDone)]
    assert [e.done for e in tiles] == list(range(1, plan.tiles + 1))
    assert isinstance(events[-1], ExtractDone)
    assert events[-1].patches == plan.patches == EmbeddingStore.open(tmp_path / "run").rows


def test_only_patches_inside_the_region_count_as_valid(scene_file: Path, tmp_path: Path) -> None:
    to_lonlat = Transformer.from_crs(32618, 4326, always_xy=True)
    corners = [
        to_lonlat.transform(400_000 + x, 4_100_000 - y) for x, y in ((400, 400), (1000, 400), (400, 1000))
    ]
    run(config_for(scene_file, region={"polygon_lonlat": corners}), tmp_path / "run")
    store = EmbeddingStore.open(tmp_path / "run")
    pixels = store.read_valid_fraction().sum() * store.meta.patch_px**2
    assert pixels * 400 == pytest.approx(600 * 600 / 2, rel=0.05)  # the triangle's square metres


@pytest.mark.parametrize("after", [1, 2, 3, 4, 7])
def test_a_stopped_run_goes_on_and_ends_row_for_row_like_an_undisturbed_one(
    scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(writer, "ROWS_A_PART", 128)
    config = config_for(scene_file, batch_size=2)
    run(config, tmp_path / "whole")
    interrupted(job.extract(config, tmp_path / "cut", tmp_path), after)
    assert not (tmp_path / "cut/store").exists()
    with pytest.raises(StoreError, match="unfinished"):
        EmbeddingStore.open(tmp_path / "cut")
    run(config, tmp_path / "cut")
    tables = [
        [
            pq.read_table(part).drop_columns([])
            for part in sorted((tmp_path / name / "store").glob("part-*.parquet"))
        ]
        for name in ("whole", "cut")
    ]
    assert len(tables[0]) > 1
    assert all(a.equals(b) for a, b in zip(*tables, strict=True))


def test_a_scene_changed_before_the_resume_is_refused(
    scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_for(scene_file, batch_size=1)
    stop_after_the_first_part(job.extract(config, tmp_path / "run", tmp_path), tmp_path / "run", monkeypatch)
    scene_file.touch()
    with pytest.raises(StoreError, match="changed since"):
        run(config, tmp_path / "run")


def test_an_all_nodata_raster_ends_in_words_and_leaves_no_store(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    path = write_raster("empty.tif", np.full((6, 64, 64), -9999, np.int16), nodata=-9999)
    with pytest.raises(SceneError, match="only gaps"):
        run(config_for(path), tmp_path / "run")
    assert not (tmp_path / "run/store").exists()


def test_a_region_beside_the_scene_is_refused_with_where_the_scene_lies(
    scene_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(RegionError, match="meets none"):
        run(config_for(scene_file, region={"bounds_lonlat": [0.0, 0.0, 0.1, 0.1]}), tmp_path / "run")


def test_too_few_bands_are_refused_with_the_backbones_that_fit(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    path = write_raster("rgb.tif", np.ones((3, 64, 64), np.int16), names=("blue", "green", "red"))
    with pytest.raises(MissingBand, match=r"'swir_2'.*fit it: .*efficientnet_lite0"):
        run(config_for(path, backbone={"name": "csmask_b4_l2a"}), tmp_path / "run")


@pytest.mark.parametrize("layers", [[7], [-9], [0, 0]])
def test_layers_that_the_backbone_lacks_are_refused(
    scene_file: Path, tmp_path: Path, layers: list[int]
) -> None:
    with pytest.raises(BackboneError, match="layer"):
        run(config_for(scene_file, backbone={"name": "csmask_b4_l2a", "layers": layers}), tmp_path / "run")


def damaged(path: Path) -> None:
    """Overwrite the middle of the compressed pixels, so that some tiles cannot be decoded."""
    body = bytearray(path.read_bytes())
    middle = len(body) // 2
    body[middle : middle + 15_000] = b"\xff" * 15_000
    path.write_bytes(bytes(body))


def test_an_unreadable_tile_is_fatal_or_recorded_by_a_setting(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(1).integers(100, 4000, (6, 96, 96)).astype(np.int16)
    blocks = {"tiled": True, "blockxsize": 32, "blockysize": 32, "compress": "deflate"}
    path = write_raster("damaged.tif", pixels, creation=blocks)
    damaged(path)
    with pytest.raises(SceneError, match="damaged"):
        run(config_for(path), tmp_path / "fatal")
    assert not (tmp_path / "fatal/store").exists()
    events = run(config_for(path, tiles={"size_px": 32, "unreadable": "skip"}), tmp_path / "skip")
    skipped = [e for e in events if isinstance(e, TileSkipped)]
    assert skipped
    assert all("damaged" in e.reason or "no valid" in e.reason for e in skipped)


def test_random_weights_are_asked_for_and_said_in_the_store(scene_file: Path, tmp_path: Path) -> None:
    events = run(
        config_for(scene_file, backbone={"name": "csmask_b4_l2a", "weights": "random"}), tmp_path / "run"
    )
    assert EmbeddingStore.open(tmp_path / "run").meta.is_random
    assert "Random weights" in json.dumps([vars(e) for e in events])


def test_two_layers_become_two_columns_on_one_patch_grid(scene_file: Path, tmp_path: Path) -> None:
    run(config_for(scene_file, backbone={"name": "csmask_b4_l2a", "layers": [0, 2]}), tmp_path / "run")
    store = EmbeddingStore.open(tmp_path / "run")
    assert store.meta.columns == ("embedding_0", "embedding_2")
    assert store.meta.patch_px == 8
    assert store.read(0).shape == (store.rows, 24 * 16)
    assert store.read(2).shape == (store.rows, 56)


def test_folding_keeps_the_cells_of_a_patch_row_major() -> None:
    layer = np.arange(4 * 6 * 2).reshape(4, 6, 2)
    folded = fold(layer, (2, 3))
    assert (
        folded[1, 2].tolist() == np.concatenate([layer[2, 4], layer[2, 5], layer[3, 4], layer[3, 5]]).tolist()
    )


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_a_tile_becomes_one_row_pooled_over_its_patches(
    scene_file: Path, tmp_path: Path, pooling: str
) -> None:
    run(config_for(scene_file), tmp_path / "patches")
    run(config_for(scene_file, granularity="tile", pooling=pooling), tmp_path / "tiles")
    tiles = EmbeddingStore.open(tmp_path / "tiles")
    assert tiles.rows == len(tiles.tiles)
    for (_, patches, valid), (_, pooled, _) in zip(
        EmbeddingStore.open(tmp_path / "patches").iterate(), tiles.iterate(), strict=True
    ):
        usable = patches[valid > 0]
        assert np.allclose(pooled[0, 0], getattr(usable, pooling)(axis=0), atol=1e-5)


@pytest.mark.parametrize(
    ("way", "dim", "tiles"),
    [("mean", 96, 1), ("concatenate", 192, 1), ("difference", 96, 1), ("keep", 96, 2)],
)
def test_two_dates_become_one_row_or_stay_two(
    write_raster: WriteRaster, tmp_path: Path, way: str, dim: int, tiles: int
) -> None:
    for folder, value in (("pre", 0.1), ("data", 0.3)):
        write_raster(f"data/simulated-3/{folder}/a_merged.tif", np.full((6, 32, 32), value, np.float32))
    config = parse_config({
        "kind": "extract", "scene": {"source": "simulated", "seed": 3, "date": "both"}, "device": "cpu",
        "backbone": {"name": "raw", "temporal": way}, "output": {"dtype": "float32"},
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    list(job.extract(config, tmp_path / "run", tmp_path))
    store = EmbeddingStore.open(tmp_path / "run")
    assert (len(store.tiles), store.meta.dims) == (tiles, (dim,))
    want = {"mean": {0.2}, "concatenate": {0.1, 0.3}, "difference": {0.2, -0.2}, "keep": {0.1, 0.3}}[way]
    assert {round(float(v), 5) for v in np.unique(store.read())} <= want

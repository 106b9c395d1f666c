"""Where a scene ends: windows stay on it, rows end with it, and encoders see mirrored ground instead of nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from affine import Affine

from engine.extraction import extract as job
from engine.extraction.pixels.tile_reader import read_pixels, read_tile
from engine.extraction.plan import make_plan
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.store.check import check_store
from engine.store.store import EmbeddingStore

WriteRaster = Callable[..., Path]
NODATA = -9999
# With 400,000 m east a corner of every fixed grid of tiles of 32 px or of a half or a quarter of it, at 20 m.
NORTH_M = 4_099_840


def config_of(path: Path, size_px: int, patch_px: int = 4, **changes: object) -> ExtractConfig:
    backbone = {"name": "raw", "settings": {"patch_px": str(patch_px)}}
    tiles = {"size_px": size_px, **changes}
    parsed = parse_config(
        {
            "kind": "extract",
            "scene": {"source": "file", "path": str(path)},
            "backbone": backbone,
            "tiles": tiles,
        }
    )
    assert isinstance(parsed, ExtractConfig)
    return parsed


def scene(write_raster: WriteRaster, height: int, width: int, shift_px: tuple[int, int] = (0, 0)) -> Path:
    """A scene of noise whose corner lies so many pixels south and east of a corner of the grid."""
    pixels = np.random.default_rng(5).integers(200, 4000, (6, height, width)).astype(np.int16)
    grid = Affine(20, 0, 400_000 + 20 * shift_px[1], 0, -20, NORTH_M - 20 * shift_px[0])
    return write_raster("scene.tif", pixels, transform=grid, nodata=NODATA)


def test_rows_beyond_the_scene_do_not_exist_and_are_not_counted(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    plan = make_plan(config_of(scene(write_raster, 224, 224), 256), tmp_path)
    assert plan.patches == 56 * 56
    assert {(item.window.height, item.window.width) for item in plan.windows} == {(224, 224)}


@pytest.mark.parametrize("shift_px", [(0, 0), (1, 3), (37, 50)])
@pytest.mark.parametrize("overlap_px", [0, 32])
def test_windows_of_a_scene_that_is_larger_see_no_more_than_a_patch_beyond_it(
    write_raster: WriteRaster, tmp_path: Path, shift_px: tuple[int, int], overlap_px: int
) -> None:
    path = scene(write_raster, 150, 131, shift_px)
    plan = make_plan(config_of(path, 64, 8, overlap_px=overlap_px), tmp_path)
    for item in plan.windows:
        valid = read_pixels(item, plan).valid[0]
        assert valid.shape == (64, 64)
        assert (~valid.any(axis=1)).sum() < 8
        assert (~valid.any(axis=0)).sum() < 8
        read = read_tile(item, plan)
        assert read.chip is not None and read.chip.valid.all()
        assert read.window_fraction == pytest.approx(valid.mean())


def test_what_remains_is_mirrored_at_the_edge_and_gaps_inside_stay_gaps(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(6).integers(200, 4000, (6, 30, 30)).astype(np.int16)
    pixels[:, 5, 7] = pixels[:, 28, 20] = NODATA
    path = write_raster("small.tif", pixels, transform=Affine(20, 0, 400_000, 0, -20, NORTH_M), nodata=NODATA)
    plan = make_plan(config_of(path, 32, 16), tmp_path)
    (item,) = plan.tiles
    read = read_tile(item, plan)
    assert read.chip is not None
    wanted = np.pad(pixels, ((0, 0), (0, 2), (0, 2)), mode="symmetric")
    assert np.array_equal(read.chip.valid[0], wanted[0] != NODATA)
    assert (~read.chip.valid[0]).sum() == 3  # one of them also mirrored
    seen = np.broadcast_to(read.chip.valid[0], wanted.shape)
    assert np.array_equal(read.chip.stored[0][seen], wanted[seen])


def test_a_row_says_what_share_of_its_window_was_valid(write_raster: WriteRaster, tmp_path: Path) -> None:
    path = scene(write_raster, 128, 130)
    list(job.extract(config_of(path, 64, 16), tmp_path / "run", tmp_path))
    store = EmbeddingStore.open(tmp_path / "run")
    assert not check_store(store.folder)
    frame = pq.read_table(store.folder).to_pandas()
    assert frame.window_fraction.dtype == np.float32
    assert (frame[frame.valid_fraction < 1].window_fraction < 1).all()
    whole = frame.window_fraction == 1
    assert 0.2 < whole.mean() < 1
    assert frame.window_fraction.min() > 0.7
    found = store.read_window_fraction()
    assert found is not None and np.array_equal(found, frame.window_fraction)
    for tile in store.tiles:
        assert tile.in_window is not None
        row, column, h, w = tile.in_window
        assert 0 <= row <= h - tile.h and 0 <= column <= w - tile.w and (h, w) == (4, 4)


def test_a_store_of_an_earlier_version_opens_and_does_not_say_it() -> None:
    store = EmbeddingStore.open(Path("tests/unit/learning/earlier/extract-12e3b18fc46e"))
    assert store.read_window_fraction() is None
    assert {tile.in_window for tile in store.tiles} == {None}

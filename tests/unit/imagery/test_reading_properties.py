"""Whatever a raster's affine, CRS, type and gaps: on every reading road its values and gaps are those of an oracle."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.ndimage import minimum_filter

from engine.imagery.chip import Chip, read_chip
from engine.imagery.raster.facts import Overrides
from engine.imagery.scene import Scene
from engine.imagery.sources.chip_folder import folder_scenes
from engine.imagery.sources.raster_file import file_scene
from engine.imagery.sources.scene_stack import files_scenes
from engine.imagery.tiles.tile_plan import cut, cut_best
from engine.imagery.tiles.windows import PlannedTile, Tiling
from tests.unit.imagery.made_rasters import BANDS, GAP_VALUE, GAPS, Made, ramp, rasters

_SAID = Overrides(sensor="hls")
_FEW = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
# Source pixels by which GDAL's warper may place a pixel of a tile differently: it interpolates between exact
# coordinates, and its kernel for coarser pixels is not quite even.
_PLACED_PX = 0.08


def scenes_of(road: str, path: Path) -> tuple[Scene, ...]:
    """The raster through a source."""
    if road == "file":
        return (file_scene(path, _SAID),)
    return files_scenes([path], _SAID) if road == "files" else folder_scenes(path.parent, "*.tif", _SAID)


def tiles_of(road: str, scenes: Sequence[Scene], tiling: Tiling) -> list[PlannedTile]:
    return (cut_best if road == "files" else cut)(scenes, None, tiling)


def steps_of(made: Made, chip: Chip) -> float:
    """Source pixels a pixel of a chip, along the coarser side."""
    column, row, _ = made.at(chip.tile.grid)
    return float(max(np.abs(np.diff(column, axis=0)).max() + np.abs(np.diff(row, axis=0)).max(),
                     np.abs(np.diff(column, axis=1)).max() + np.abs(np.diff(row, axis=1)).max()))  # fmt: skip


def require_equal(made: Made, scene: Scene, chip: Chip) -> int:
    """Values and gaps of a chip against the raster's planes; returns how many values were compared."""
    column, row, is_clear = made.at(chip.tile.grid)
    expected, valid = made.has_value(column, row), chip.valid[0]
    more, less = int((valid & ~expected)[is_clear].sum()), int((expected & ~valid)[is_clear].sum())
    assert (more, less) == (0, 0), f"{more} values in gaps, {less} values missing"
    asset = scene.assets["blue"]
    stored = (chip.image[0].astype(np.float64) - asset.offset) / asset.scale
    truth = ramp(column, row, made.dtype)
    slope = np.abs(
        ramp(np.ones(1), np.ones(1), made.dtype) - ramp(np.zeros(1), np.zeros(1), made.dtype)
    ).max()
    reach = max(1.0, steps_of(made, chip)) + 0.5  # of the kernel, in source pixels
    deep = minimum_filter(~made.is_gap, size=2 * int(np.ceil(reach)) + 1, mode="constant", cval=0)
    rows, columns = (
        np.clip(np.floor(at), 0, n - 1).astype(int) for at, n in zip((row, column), deep.shape, strict=True)
    )
    rounding = 0.51 if not made.dtype.startswith("float") else 0.01
    allowed = np.where(deep[rows, columns], _PLACED_PX * slope + rounding, 1.5 * reach * slope + rounding)
    error = np.abs(stored - truth).max(axis=0)
    excess = float((error - allowed)[valid].max(initial=-1))
    assert excess <= 0, f"{excess} too far off, of {stored[:, valid].max()}"
    return int(valid.sum())


@_FEW
@given(
    made=rasters(),
    road=st.sampled_from(["file", "files", "chips"]),
    share=st.sampled_from([None, None, 0.4, 2.3]),
    size_px=st.sampled_from([16, 32]),
)
def test_values_and_gaps_are_the_rasters_own(
    made: Made, road: str, share: float | None, size_px: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = made.write(Path(folder) / "made.tif")
        scenes = scenes_of(road, path)
        gsd_m = None if share is None else scenes[0].gsd_m * share
        tiles = tiles_of(road, scenes, Tiling(size_px, 8, gsd_m=gsd_m))
        compared = sum(
            require_equal(made, scenes[0], read_chip(item.scenes, item.window, BANDS)) for item in tiles
        )
    if not made.is_gap.any():
        assert compared > 0


@_FEW
@given(
    made=rasters(is_aligned=True),
    road=st.sampled_from(["file", "files", "chips"]),
    size_px=st.sampled_from([8, 16, 64]),
)
def test_each_pixel_of_an_aligned_raster_appears_once(made: Made, road: str, size_px: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = made.write(Path(folder) / "made.tif")
        scenes = scenes_of(road, path)
        if scenes[0].notes and any("resampled" in note for note in scenes[0].notes):
            return
        seen = np.zeros(made.is_gap.shape, int)
        for item in tiles_of(road, scenes, Tiling(size_px, 8)):
            chip = read_chip(item.scenes, item.tile, BANDS)
            column, row, _ = made.at(item.tile.grid)
            valid = chip.valid[0]
            rows, columns = np.floor(row[valid]).astype(int), np.floor(column[valid]).astype(int)
            np.add.at(seen, (rows, columns), 1)
            asset = scenes[0].assets["blue"]
            stored = (chip.image[0][:, valid].astype(np.float64) - asset.offset) / asset.scale
            assert np.allclose(stored, made.stored[:, rows, columns], rtol=1e-6, atol=1e-3)
    assert np.array_equal(seen, (~made.is_gap).astype(int))


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("share", [None, 0.4, 2.3])
def test_each_kind_of_gap_is_a_gap_in_files_of_many_bands(
    tmp_path: Path, gap: str, share: float | None
) -> None:
    row, column = np.mgrid[:40, :30] + 0.5
    dtype = {"nan": "float32", "undeclared": "int16"}.get(gap, "uint16")
    stored, is_gap = np.round(ramp(column, row, dtype)), np.zeros((40, 30), bool)
    is_gap[9:17, 12:15] = gap != "none"
    stored[:, is_gap] = np.nan if gap == "nan" else GAP_VALUE[dtype]
    if gap == "band by band":
        stored[:, is_gap] -= np.arange(6)[:, None]
    made = Made("EPSG:32633", Affine(30, 0, 480_000, 0, -30, 5_200_000), dtype, stored, is_gap, gap)
    scenes = scenes_of("file", made.write(tmp_path / "made.tif"))
    tiling = Tiling(32, 8, gsd_m=None if share is None else 30 * share)
    assert sum(
        require_equal(made, scenes[0], read_chip(item.scenes, item.window, BANDS))
        for item in tiles_of("file", scenes, tiling)
    )

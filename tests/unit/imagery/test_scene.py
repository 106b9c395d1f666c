"""Pixels come back as reflectance where they are, and bad rasters say what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from engine.errors import MissingBand, SceneError
from engine.imagery.chip import read_chip
from engine.imagery.sources.chip_folder import chip_scenes
from engine.imagery.sources.raster_file import file_scene
from engine.imagery.tiles.tile_plan import cut
from engine.imagery.tiles.windows import Tiling

BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
WriteRaster = Callable[..., Path]


def test_tiles_hold_the_scenes_own_pixels_and_mark_what_lies_outside(scene_file: Path) -> None:
    import rasterio

    with rasterio.open(scene_file) as dataset:
        stored, grid = dataset.read(), dataset.transform
    scene = file_scene(scene_file)
    seen = np.zeros((96, 96), int)
    for planned in cut([scene], None, Tiling(64, 16)):
        chip = read_chip(planned.scenes, planned.tile, BANDS)
        column, row = (round(v) for v in ~grid @ (planned.tile.transform.c, planned.tile.transform.f))
        for r, c in zip(*np.nonzero(chip.valid[0]), strict=True):
            seen[row + r, column + c] += 1
        inside = np.nonzero(chip.valid[0])
        got = chip.image[0][:, *inside]
        assert np.allclose(got, stored[:, inside[0] + row, inside[1] + column] * 1e-4, atol=1e-7)
    assert (seen == 1).all()


def test_nodata_is_a_mask_and_never_a_value(write_raster: WriteRaster) -> None:
    pixels = np.full((6, 32, 32), 2000, np.int16)
    pixels[2, 5, 7] = -9999
    scene = file_scene(write_raster("gap.tif", pixels, nodata=-9999))
    chips = [read_chip(p.scenes, p.tile, BANDS) for p in cut([scene], None, Tiling(32, 16))]
    assert sum(int(chip.valid.sum()) for chip in chips) == 32 * 32 - 1
    assert all(np.allclose(chip.image[0][:, chip.valid[0]], 0.2) for chip in chips)


def test_bands_come_in_the_order_asked(scene_file: Path) -> None:
    scene = file_scene(scene_file)
    planned = cut([scene], None, Tiling(96, 16))[0]
    forward = read_chip(planned.scenes, planned.tile, BANDS).image
    backward = read_chip(planned.scenes, planned.tile, BANDS[::-1]).image
    assert np.array_equal(forward[:, ::-1], backward)


def test_a_scene_in_degrees_is_read_through_its_utm_zone(write_raster: WriteRaster) -> None:
    pixels = np.full((6, 64, 64), 3000, np.int16)
    path = write_raster("degrees.tif", pixels, crs="EPSG:4326", transform=Affine(2e-4, 0, 10, 0, -2e-4, 45))
    scene = file_scene(path)
    assert scene.crs == "EPSG:32632"
    chips = [read_chip(p.scenes, p.tile, BANDS) for p in cut([scene], None, Tiling(32, 16))]
    values = np.concatenate([chip.image[0][:, chip.valid[0]] for chip in chips], axis=1)
    assert values.shape[1] > 1000
    assert np.allclose(values, 0.3, atol=1e-6)


def test_a_missing_band_is_refused_by_name(write_raster: WriteRaster) -> None:
    scene = file_scene(
        write_raster("rgb.tif", np.ones((3, 32, 32), np.int16), names=("blue", "green", "red"))
    )
    with pytest.raises(MissingBand, match="'swir_2'"):
        scene.require(BANDS, "csmask")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"crs": None}, "CRS"),
        ({"names": None, "pixels": np.ones((2, 32, 32), np.int16)}, "2 bands without names"),
    ],
)
def test_a_raster_that_cannot_be_placed_or_named_is_refused(
    write_raster: WriteRaster, options: dict[str, object], word: str
) -> None:
    pixels = options.pop("pixels", np.ones((6, 32, 32), np.int16))
    with pytest.raises(SceneError, match=word):
        file_scene(write_raster("bad.tif", pixels, **options))


def test_a_truncated_raster_is_said_to_be_cut_short(scene_file: Path) -> None:
    scene = file_scene(scene_file)
    planned = cut([scene], None, Tiling(96, 16))
    whole = scene_file.read_bytes()
    scene_file.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(SceneError, match=r"damaged|cannot be opened"):
        for item in planned:
            read_chip(item.scenes, item.tile, BANDS)


@pytest.mark.parametrize(
    "path", ["http://127.0.0.1:9/scene.tif", "/vsicurl/http://127.0.0.1:9/x.tif", "no/such.tif"]
)
def test_addresses_and_absent_files_are_never_opened(path: str) -> None:
    with pytest.raises(SceneError, match="no readable raster"):
        file_scene(Path(path))


def test_a_vrt_in_disguise_is_not_opened(tmp_path: Path, scene_file: Path) -> None:
    disguised = tmp_path / "innocent.tif"
    disguised.write_text(
        f'<VRTDataset rasterXSize="96" rasterYSize="96"><VRTRasterBand dataType="Int16" band="1"><SimpleSource>'
        f"<SourceFilename>{scene_file}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(SceneError, match="cannot be opened"):
        file_scene(disguised)


def test_chips_of_the_burn_scar_layout_bring_masks_splits_and_dates(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    stem = "subsetted_512x512_HLS.S30.T10TGS.2018285.v1.4"
    write_raster(f"chips/data/{stem}_merged.tif", np.full((6, 32, 32), 0.2, np.float32))
    write_raster(f"chips/data/{stem}.mask.tif", np.zeros((1, 32, 32), np.int16), names=None)
    (tmp_path / "chips/splits").mkdir()
    (tmp_path / "chips/splits/val.txt").write_text(stem + "\n")
    (scene,) = chip_scenes(tmp_path / "chips")
    assert scene.split == "val"
    assert scene.mask_path is not None
    assert scene.datetime is not None
    assert scene.datetime.date().isoformat() == "2018-10-12"
    assert {asset.scale for asset in scene.assets.values()} == {1.0}


def test_a_chip_in_two_splits_is_refused(write_raster: WriteRaster, tmp_path: Path) -> None:
    write_raster("chips/data/a_merged.tif", np.full((6, 32, 32), 0.2, np.float32))
    (tmp_path / "chips/splits").mkdir()
    for name in ("val", "test"):
        (tmp_path / f"chips/splits/{name}.txt").write_text("a\n")
    with pytest.raises(SceneError, match="Keep each chip in one split"):
        chip_scenes(tmp_path / "chips")

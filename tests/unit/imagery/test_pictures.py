"""The picture of a raster that was just opened, and the limits of one that somebody sends."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.errors import SceneError
from engine.imagery.raster import picture
from engine.imagery.raster.layout import layout_of, require_bounded
from engine.imagery.raster.picture import PictureBand, picture_of
from tests.conftest import WriteRaster

ORIENTATIONS = {
    "north-up": Affine(20, 0, 400_000, 0, -20, 4_100_000),
    "south-up": Affine(20, 0, 400_000, 0, 20, 4_098_720),
    "mirrored": Affine(-20, 0, 401_280, 0, -20, 4_100_000),
    "turned": Affine(0, 20, 400_000, -20, 0, 4_100_000),
}


def _bright_northwest(grid: Affine) -> np.ndarray:
    """(1, 64, 64), bright where the ground is the north-west quarter."""
    column, row = np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5)
    x, y = grid.a * column + grid.b * row + grid.c, grid.d * column + grid.e * row + grid.f
    return (100 + 900 * ((x < 400_640) & (y > 4_099_360)))[None].astype(np.int16)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_north_is_up_in_the_picture_of_a_raster_however_it_lies(
    write_raster: WriteRaster, orientation: str
) -> None:
    grid = ORIENTATIONS[orientation]
    path = write_raster("one.tif", _bright_northwest(grid), transform=grid, names=("red",))
    seen = picture_of([PictureBand(path, 1)]).pixels[..., 0]
    assert seen.shape == (64, 64)
    assert seen[:32, :32].min() > seen[32:, :].max()
    assert seen[:32, :32].min() > seen[:32, 32:].max()


def test_gaps_are_transparent_and_do_not_count_for_the_stretch(write_raster: WriteRaster) -> None:
    pixels = np.random.default_rng(0).integers(100, 200, (3, 32, 32)).astype(np.int16)
    pixels[1, :4] = -9999
    path = write_raster("one.tif", pixels, names=("red", "green", "blue"))
    seen = picture_of([PictureBand(path, index, (-9999.0,)) for index in (1, 2, 3)])
    assert (seen.pixels[:4, :, 3] == 0).all()
    assert (seen.pixels[4:, :, 3] == 255).all()
    assert all(99 <= low < high <= 200 for low, high in seen.limits)


def test_of_a_large_raster_without_overviews_the_middle_is_shown(
    write_raster: WriteRaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "_MOST_UNPACKED_PX", 1000)
    monkeypatch.setattr(picture, "_MIDDLE_PX", 16)
    pixels = np.zeros((1, 64, 64), np.int16)
    pixels[0, 24:40, 24:40] = np.arange(256).reshape(16, 16)
    path = write_raster("one.tif", pixels, names=("red",))
    seen = picture_of([PictureBand(path, 1)], side_px=16)
    assert seen.is_middle
    assert len(np.unique(seen.pixels[..., 0])) > 200
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2])
    assert not picture_of([PictureBand(path, 1)]).is_middle


def test_a_small_file_that_would_unpack_to_too_much_is_refused_without_unpacking(
    write_raster: WriteRaster,
) -> None:
    path = write_raster("bomb.tif", np.zeros((1, 4, 4), np.uint8), names=None)
    for size, creation in (
        (60_000, {"tiled": True, "sparse_ok": True, "compress": "deflate"}),
        (
            30_000,
            {
                "tiled": True,
                "blockxsize": 30_000,
                "blockysize": 30_000,
                "sparse_ok": True,
                "compress": "deflate",
            },
        ),
    ):
        profile = {"driver": "GTiff", "count": 1, "height": size, "width": size, "dtype": "uint8"}
        with rasterio.open(
            path, "w", crs="EPSG:32618", transform=Affine.scale(10, -10), **profile, **creation
        ):
            pass
        with pytest.raises(SceneError, match=r"bomb\.tif (unpacks to|is stored in blocks of)"):
            require_bounded(path, 2_000_000_000)
    assert layout_of(path).unpacked_bytes == 900_000_000


def test_a_layout_names_bands_as_the_file_does_and_leaves_out_its_alpha_band(
    write_raster: WriteRaster,
) -> None:
    path = write_raster("four.tif", np.ones((4, 8, 8), np.uint8), names=("red", "", "blue", ""), nodata=0,
                        creation={"photometric": "RGB", "alpha": "yes"})  # fmt: skip
    found = layout_of(path)
    assert found.bands == ("red", "", "blue", "alpha")
    assert found.indexes == (1, 2, 3)
    assert found.nodata[0] == 0

"""Map tiles: right pixels where there are some, nothing elsewhere, and no way to other files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyproj import Transformer

from engine.errors import SceneError
from pages.ui.map.routes import rendering, tiles
from tests.conftest import WriteRaster

BURNED = (236, 112, 40, 255)


@pytest.fixture(autouse=True)
def _may_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", str(tmp_path))


@pytest.fixture
def classes(write_raster: WriteRaster) -> Path:
    """128 x 128 pixels of 20 m: burnt in the north, not in the south, missing in the west."""
    pixels = np.zeros((1, 128, 128), np.int16)
    pixels[:, :64] = 1
    pixels[:, :, :32] = -1
    return write_raster("mask.tif", pixels, nodata=-1, names=None)


def test_a_class_lies_where_its_pixels_are(classes: Path) -> None:
    token = tiles.register(tiles.Layer(((tiles.Band(classes),),), colours=((1, BURNED),)))
    assert _colour_at(token, 400_000 + 20 * 80, 4_100_000 - 20 * 20) == BURNED
    assert _colour_at(token, 400_000 + 20 * 80, 4_100_000 - 20 * 100)[3] == 0
    assert _colour_at(token, 400_000 + 20 * 10, 4_100_000 - 20 * 20)[3] == 0


def test_a_tile_beside_the_layer_is_transparent(classes: Path) -> None:
    token = tiles.register(tiles.Layer(((tiles.Band(classes),),), colours=((1, BURNED),)))
    assert rendering.render(token, 10, 0, 0) == rendering.empty_png()
    assert np.asarray(Image.open(io.BytesIO(rendering.empty_png())))[..., -1].max() == 0


def test_several_rasters_are_one_layer(write_raster: WriteRaster) -> None:
    from affine import Affine

    west = write_raster("west.tif", np.full((3, 64, 64), 10, np.uint8), names=None)
    east = write_raster(
        "east.tif",
        np.full((3, 64, 64), 200, np.uint8),
        names=None,
        transform=Affine(20, 0, 401_280, 0, -20, 4_100_000),
    )
    token = tiles.register(tiles.Layer((rgb(west), rgb(east))))
    assert _colour_at(token, 400_600, 4_099_400)[0] == 10
    assert _colour_at(token, 401_900, 4_099_400)[0] == 200


def test_a_picture_is_made_of_bands_in_files_of_their_own_with_scale_and_gaps_of_their_own(
    write_raster: WriteRaster,
) -> None:
    red, green, blue = (
        write_raster(f"{name}.tif", np.full((1, 64, 64), value, np.int16), names=None)
        for name, value in (("red", 1000), ("green", 3000), ("blue", 30))
    )
    gap = np.full((1, 64, 64), 50, np.int16)
    gap[:, :32] = -7
    gapped = write_raster("gapped.tif", gap, names=None)
    bands = (
        tiles.Band(red, scale=1e-4),
        tiles.Band(green, scale=1e-4, offset=-0.1),
        tiles.Band(blue, scale=1e-2),
    )
    stretch = ((0.0, 0.4),) * 3
    token = tiles.register(tiles.Layer((bands,), stretch))
    at = 400_000 + 20 * 30, 4_100_000 - 20 * 50
    shown = _colour_at(token, *at)
    measured = np.array([0.1, 0.2, 0.3]) / 0.4  # before the gamma that lifts the dark: its order stays
    assert list(np.argsort(shown[:3])) == list(np.argsort(measured))
    assert shown[3] == 255
    token = tiles.register(tiles.Layer(((*bands[:2], tiles.Band(gapped, nodata=(-9.0, -7.0))),), stretch))
    assert _colour_at(token, *at)[3] == 255
    assert _colour_at(token, at[0], 4_100_000 - 20 * 10)[3] == 0


def rgb(path: Path) -> tuple[tiles.Band, ...]:
    return tuple(tiles.Band(path, index) for index in (1, 2, 3))


@pytest.mark.parametrize(
    ("z", "x", "y"), [(21, 0, 0), (99, 0, 0), (3, 8, 0), (3, 0, 8), (-1, 0, 0), (2, -1, 0)]
)
def test_a_tile_that_does_not_exist_is_not_looked_for(classes: Path, z: int, x: int, y: int) -> None:
    token = tiles.register(tiles.Layer(((tiles.Band(classes),),), colours=((1, BURNED),)))
    with pytest.raises(LookupError):
        rendering.render(token, z, x, y)


@pytest.mark.parametrize("token", ["", "0" * 32, "..", "../../etc/passwd"])
def test_an_unknown_token_is_no_path(token: str) -> None:
    with pytest.raises(LookupError):
        rendering.render(token, 3, 0, 0)


def test_a_raster_outside_the_roots_is_refused(classes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", "")
    with pytest.raises(SceneError, match="EMBERSCOPE_DATA"):
        tiles.register(tiles.Layer(((tiles.Band(classes),),)))


def test_a_link_that_leads_out_of_the_roots_is_refused(
    classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.tif").symlink_to(classes)
    monkeypatch.setenv("EMBERSCOPE_DATA", str(inside))
    with pytest.raises(SceneError):
        tiles.register(tiles.Layer(((tiles.Band(inside / "link.tif"),),)))


@pytest.mark.parametrize("ending", ["kept/..", "kept/../..", "linked/outside.tif", "."])
def test_no_spelling_of_a_path_leads_out_of_the_roots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    root, outside = tmp_path / "root", tmp_path / "elsewhere"
    for folder in (root / "kept", outside):
        folder.mkdir(parents=True)
    (outside / "outside.tif").touch()
    (root / "linked").symlink_to(outside)
    monkeypatch.setenv("EMBERSCOPE_DATA", str(root / "kept"))
    with pytest.raises(SceneError, match="may not show"):
        tiles.require_all_shown([root / "kept" / "inside.tif", root / ending])


def test_the_same_layer_has_the_same_token_until_its_file_changes(classes: Path) -> None:
    layer = tiles.Layer(((tiles.Band(classes),),), colours=((1, BURNED),))
    before = tiles.register(layer)
    assert tiles.register(layer) == before
    classes.touch()
    assert tiles.register(layer) != before


def test_the_table_of_layers_is_bounded(classes: Path) -> None:
    first = tiles.register(tiles.Layer(((tiles.Band(classes, nodata=(-99.0,)),),)))
    for number in range(tiles.MAX_LAYERS):
        tiles.register(tiles.Layer(((tiles.Band(classes, nodata=(float(number),)),),)))
    with pytest.raises(LookupError):
        rendering.render(first, 3, 0, 0)


def _colour_at(token: str, x_m: float, y_m: float, zoom: int = 14) -> tuple[int, ...]:
    """Red, green, blue and alpha of the map at a place of EPSG:32618."""
    lon, lat = Transformer.from_crs(32618, 4326, always_xy=True).transform(x_m, y_m)
    column = (lon + 180) / 360 * 2**zoom
    row = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * 2**zoom
    image = Image.open(io.BytesIO(rendering.render(token, zoom, int(column), int(row)))).convert("RGBA")
    return tuple(image.getpixel((int(column % 1 * 256), int(row % 1 * 256))))

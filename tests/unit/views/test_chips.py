"""Small pictures around patches show the ground where the patch lies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from affine import Affine

from engine.imagery.scene import Scene
from engine.jobs.configuration.config import FileScene
from engine.views.maps.chips import Place, chips
from tests.conftest import WriteRaster
from tests.unit.store.stores import tile_at


def scene_with_a_bright_patch(write_raster: WriteRaster, room: Path) -> Scene:
    pixels = np.random.default_rng(0).integers(500, 900, (6, 128, 128)).astype(np.int16)
    pixels[:, 48:64, 32:48] = 6000  # row 3, column 2 in patches of 16 px
    path = write_raster("scene.tif", pixels, transform=Affine(30, 0, 400_000, 0, -30, 4_100_000))
    (scene,) = FileScene(source="file", path=str(path)).find(room)
    return scene


def test_a_chip_has_its_patch_in_the_middle_and_a_place_without_imagery_has_none(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    scene = scene_with_a_bright_patch(write_raster, tmp_path)
    here, away = tile_at(0, side=8), tile_at(400, side=8)
    found = chips([Place(here, 3, 2, [scene]), Place(away, 0, 0, [scene])])
    assert found[1] is None
    picture = found[0]
    assert picture is not None
    assert picture.shape == (96, 96, 3)
    assert picture[46:50, 46:50].mean() > 200
    assert picture[10:20, 70:80].mean() < 130
    assert chips([]) == []
    assert chips([Place(here, 0, 0, [])]) == [None]

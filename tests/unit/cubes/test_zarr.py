"""Zarr stores are understood as netCDF files are, and what is missing, torn or points elsewhere is said by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from engine.errors import EngineError, SceneError
from engine.imagery.chip import Chip, read_chip
from engine.imagery.grid import Tile
from engine.imagery.scene import Scene, fingerprint
from engine.imagery.sources import source_of
from tests.unit.cubes.made import BANDS, DAYS, write_cube, write_zarr


@pytest.fixture(scope="module")
def netcdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cube(tmp_path_factory.mktemp("cube") / "cube.nc", "band")


def scenes_of(path: Path) -> tuple[Scene, ...]:
    return source_of(path).find(path.parent)


def read(scene: Scene, bands: tuple[str, ...] = BANDS) -> Chip:
    return read_chip([scene], Tile("all", scene.grid), bands)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("cube.zarr", "variables"),
        ("cube.2.zarr", "band"),
        ("cube.zarr", "south-up"),
        ("cube.2.zarr", "columns first"),
    ],
)
def test_a_store_has_the_dates_grid_and_pixels_of_the_same_netcdf(
    tmp_path: Path, netcdf: Path, name: str, form: str
) -> None:
    ours, want = scenes_of(write_cube(tmp_path / name, form)), scenes_of(netcdf)
    assert [f"{scene.datetime:%Y-%m-%d}" for scene in ours] == list(DAYS)
    for own, other in zip(ours, want, strict=True):
        assert (own.grid, own.bands, own.sensor) == (other.grid, BANDS, other.sensor)
        assert np.array_equal(read(own).image, read(other).image)
        assert np.array_equal(read(own).valid, read(other).valid)
    assert any("none between 2023-07-11" in note for note in ours[0].notes)


@pytest.mark.parametrize(("name", "chunk"), [("cube.zarr", "red/c/1/0/2"), ("cube.2.zarr", "red/1.0.2")])
@pytest.mark.parametrize("length", [0, 9, -20])
def test_a_torn_chunk_is_said_by_name_and_others_are_read(
    tmp_path: Path, name: str, chunk: str, length: int
) -> None:
    path = write_cube(tmp_path / name)
    torn = path / chunk
    torn.write_bytes(torn.read_bytes()[:length])
    scenes = scenes_of(path)
    read(scenes[0])
    with pytest.raises(SceneError, match=chunk):
        read(scenes[1])


def test_chunks_that_are_not_there_are_told(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "cube.zarr")
    (path / "red/c/0/0/0").unlink()
    (path / "blue/c/0/0/0").unlink()
    notes = scenes_of(path)[0].notes
    assert any("1 of the 27 chunks of red are not there; Zarr reads them as 0" in note for note in notes)
    assert any("1 of the 27 chunks of blue" in note for note in notes)


def test_a_chunk_that_changed_changes_what_a_run_knows_the_scene_by(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "cube.zarr")
    before = fingerprint(scenes_of(path)[0])
    (path / "red/c/0/0/0").write_bytes(b"other")
    assert fingerprint(scenes_of(path)[0]) != before


def test_links_and_codecs_that_run_code_are_refused(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "cube.2.zarr")
    inside = tmp_path / "secret"
    (path / "red/0.0.0").rename(inside)
    (path / "red/0.0.0").symlink_to(inside)
    with pytest.raises(SceneError, match="is a link"):
        scenes_of(path)
    shutil.rmtree(path)
    path = write_cube(path)
    said = json.loads((path / "x/.zarray").read_text())
    for packed, words in (
        ({"filters": [{"id": "pickle"}], "dtype": "|O", "fill_value": None}, "pickle"),
        ({"filters": [{"id": "base64"}]}, "x is packed with base64"),
    ):
        (path / "x/.zarray").write_text(json.dumps(said | packed))
        with pytest.raises(SceneError, match=words):
            scenes_of(path)


def test_what_is_no_cube_is_refused_in_words(tmp_path: Path) -> None:
    outer = tmp_path / "groups.zarr"
    zarr.open_group(outer, mode="w").create_group("measurements")
    broken = write_cube(tmp_path / "broken.zarr")
    (broken / "zarr.json").write_text("{")
    with xr.open_dataset(write_cube(tmp_path / "flat.nc", grid_mapping=None), decode_cf=False) as held:
        flat = write_zarr(tmp_path / "flat.zarr", held.drop_vars("crs").drop_encoding())
    for path, words in (
        (outer, "its groups: measurements"),
        (broken, "broken.zarr"),
        (flat, "flat.zarr has no CRS"),
    ):
        with pytest.raises(EngineError, match=words):
            scenes_of(path)

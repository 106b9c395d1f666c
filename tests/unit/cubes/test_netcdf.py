"""The same pixels through netCDF and GeoTIFF are the same to the last bit, and what cannot be read is refused with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr

from engine.errors import EngineError, SceneError
from engine.imagery.chip import read_chip
from engine.imagery.cubes.virtual_tiff import block_side
from engine.imagery.grid import Tile
from engine.imagery.scene import Scene
from engine.imagery.sources import source_of
from tests.unit.cubes.made import BANDS, DAYS, stored, write_cube, write_geotiff

FORMS = ("variables", "band", "south-up", "classic", "columns first")


def scenes_of(path: Path) -> tuple[Scene, ...]:
    return source_of(path).find(path.parent)


@pytest.mark.parametrize("form", FORMS)
def test_each_date_of_a_cube_is_a_scene_with_the_pixels_of_its_geotiff(tmp_path: Path, form: str) -> None:
    scenes = scenes_of(write_cube(tmp_path / "cube.nc", form))
    assert [f"{scene.datetime:%Y-%m-%d}" for scene in scenes] == list(DAYS)
    for day, scene in enumerate(scenes):
        (flat,) = scenes_of(write_geotiff(tmp_path / f"{form}/{day}.tif", day))
        assert (scene.grid, scene.bands) == (flat.grid, BANDS)
        part = Tile("part", flat.grid[2:90, 2:99])
        ours, want = (read_chip([one], part, BANDS) for one in (scene, flat))
        assert not want.valid.all()
        assert np.array_equal(ours.valid, want.valid)
        assert np.array_equal(ours.image, want.image)


def test_packed_values_are_unpacked_once(tmp_path: Path) -> None:
    scene = scenes_of(write_cube(tmp_path / "cube.nc"))[2]
    chip = read_chip([scene], Tile("all", scene.grid), ["red"])
    want = np.where(chip.valid[0], stored()[2, 2] * 0.0001 + 0.01, 0)
    assert np.allclose(chip.image[0, 0], want, atol=1e-6)
    assert chip.valid[0].sum() == 100 * 100 - 6 * 9


def test_values_beyond_the_valid_range_are_gaps(tmp_path: Path) -> None:
    limits = np.array([0, 1500], np.int16)
    scene = scenes_of(write_cube(tmp_path / "cube.nc", valid_range=limits, _FillValue=None))[0]
    chip = read_chip([scene], Tile("all", scene.grid), ["blue"])
    assert np.array_equal(chip.valid[0], (stored()[0, 0] >= 0) & (stored()[0, 0] <= 1500))


def test_longitudes_and_latitudes_without_a_grid_mapping_are_wgs_84_and_that_is_said(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "metres.nc", grid_mapping=None)
    with xr.open_dataset(path, decode_cf=False) as held:
        degrees = held.rename(x="lon", y="lat").assign_coords(
            lon=("lon", 15 + 3e-4 * np.arange(100), {"units": "degrees_east"}),
            lat=("lat", 47 - 3e-4 * np.arange(100), {"units": "degrees_north"}),
        )
        degrees.to_netcdf(tmp_path / "degrees.nc", engine="h5netcdf")
    scene = scenes_of(tmp_path / "degrees.nc")[0]  # its only CRS is in metres, and is not meant
    assert scene.crs == "EPSG:32633"
    assert any("WGS 84" in note for note in scene.notes)
    lon, lat = scene.footprint.centroid.coords[0]
    assert abs(lon - 15.015) < 1e-3
    assert abs(lat - 46.985) < 1e-3


def test_a_cube_that_names_no_grid_mapping_has_the_only_crs_in_it_and_that_is_said(tmp_path: Path) -> None:
    scene = scenes_of(write_cube(tmp_path / "lost.nc", grid_mapping=None))[0]
    assert scene.crs == "EPSG:32633"
    assert any("names no grid_mapping" in note for note in scene.notes)
    with pytest.raises(SceneError, match="no CRS"):
        scenes_of(changed(tmp_path / "lost.nc", lambda held: held.drop_vars("crs")))


def test_a_gap_in_a_series_is_said(tmp_path: Path) -> None:
    notes = scenes_of(write_cube(tmp_path / "cube.nc"))[0].notes
    assert any("none between 2023-07-11 and 2023-07-31" in note for note in notes)


def test_days_are_chosen_and_the_last_alone(tmp_path: Path) -> None:
    source = source_of(write_cube(tmp_path / "cube.nc"))
    some = source.model_copy(update={"dates": tuple(np.array(DAYS[:2], "datetime64[D]").tolist())})
    assert len(some.find(tmp_path)) == 2
    assert [f"{one.datetime:%Y-%m-%d}" for one in some.last_date().find(tmp_path)] == ["2023-07-11"]


def test_dates_that_are_not_in_order_are_put_in_order_with_their_pixels(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "cube.nc")
    scenes = scenes_of(changed(path, lambda held: held.isel(time=[2, 0, 1])))
    assert [f"{scene.datetime:%Y-%m-%d}" for scene in scenes] == list(DAYS)
    for own, want in zip(scenes, scenes_of(path), strict=True):
        ours, theirs = (read_chip([one], Tile("all", want.grid), ["red"]) for one in (own, want))
        assert np.array_equal(ours.image, theirs.image)


def changed(path: Path, change: Any) -> Path:
    """A cube written again after a change of what it states."""
    with xr.open_dataset(path, decode_cf=False) as held:
        change(held).to_netcdf(path.with_name("changed.nc"), engine="h5netcdf")
    return path.with_name("changed.nc")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda held: held.assign_coords(time=held.time.assign_attrs(calendar="noleap")), "calendar noleap"),
        (lambda held: held.assign_coords(time=held.time.assign_attrs(calendar="360_day")), "calendar 360_day"),
        (lambda held: held.assign_coords(time=held.time.assign_attrs(units="days")), "without a unit"),
        (lambda held: held.assign_coords(
            time=("time", [3.0, 3.0, 4.0], held.time.attrs)), "several images of one time"),
        (lambda held: held.drop_vars(["x", "y"]), "no coordinates"),
        (lambda held: held.drop_vars("time"), "no coordinates of its dimension time"),
        (lambda held: held.assign_coords(x=("x", np.arange(100.0) ** 2, held.x.attrs)), "not evenly spaced"),
        (lambda held: held.assign_coords(x=held.x.assign_attrs(units="rad")), "in rad"),
        (lambda held: held.drop_vars("crs"), "grid_mapping crs"),
        (lambda held: held.drop_attrs().rename(x="a", y="b"), "no dimensions of rows and columns"),
        (lambda held: held.drop_vars(list(BANDS)), "no variable"),
    ],
)  # fmt: skip
def test_a_cube_that_has_no_sensible_reading_is_refused(tmp_path: Path, change: Any, words: str) -> None:
    path = write_cube(tmp_path / "cube.nc")
    with pytest.raises(SceneError, match=words):
        scenes_of(changed(path, change))


def test_a_file_that_points_at_other_files_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(3 * 100 * 100 * 2))
    for kind in ("link", "external", "virtual"):
        path = write_cube(tmp_path / f"{kind}.nc")
        with h5py.File(path, "a") as file:
            del file["blue"]
            if kind == "link":
                file["blue"] = h5py.ExternalLink(str(tmp_path / "external.nc"), "/blue")
            elif kind == "external":
                file.create_dataset("blue", (3, 100, 100), "i2", external=[(str(secret), 0, 60_000)])
            else:
                layout = h5py.VirtualLayout((3, 100, 100), "i2")
                layout[:] = h5py.VirtualSource(str(tmp_path / "external.nc"), "red", (3, 100, 100))
                file.create_virtual_dataset("blue", layout)
        with pytest.raises(SceneError, match="other file"):
            scenes_of(path)


def test_what_is_no_netcdf_or_is_cut_short_is_told_in_words(tmp_path: Path) -> None:
    whole = write_cube(tmp_path / "cube.nc")
    for name, content in (("text.nc", b"hello"), ("cut.nc", whole.read_bytes()[:5000]), ("empty.nc", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(EngineError, match=name):
            scenes_of(tmp_path / name)


def test_pixels_that_are_damaged_are_told_when_they_are_read(tmp_path: Path) -> None:
    path = write_cube(tmp_path / "cube.nc")
    with h5py.File(path) as file:
        spot = file["red"].id.get_chunk_info(0).byte_offset
    body = bytearray(path.read_bytes())
    body[spot : spot + 200] = b"\xff" * 200
    path.write_bytes(bytes(body))
    scene = scenes_of(path)[0]
    with pytest.raises(SceneError, match="damaged or cut short"):
        read_chip([scene], Tile("all", scene.grid), ["red"])


@pytest.mark.parametrize("chunk", [1, 16, 40, 60, 100, 128, 250, 256, 500, 512, 1000])
def test_blocks_hold_whole_chunks_where_a_tiff_can(chunk: int) -> None:
    side = block_side(chunk)
    assert side % 16 == 0
    assert 64 <= side <= 512
    assert side % chunk == 0 or chunk in (250, 500, 1000)

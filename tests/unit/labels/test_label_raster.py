"""Labels lie where their raster says, on any grid, and a gap is a gap however the raster tells it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import ColorInterp, Resampling
from rasterio.warp import reproject, transform_bounds

from engine.errors import LabelError
from engine.labels.label_raster import (
    check_label_raster,
    grid_note,
    nodata_note,
    read_label_raster,
    require_overlap,
)
from engine.labels.reading import BURNED_OR_NOT, ClassLabels
from engine.store.schema import StoredTile

UTM, NORTH_UP = "EPSG:32610", Affine(30, 0, 500000, 0, -30, 4500000)
TILE = StoredTile("t", UTM, tuple(NORTH_UP[:6]), 4, 4, 32, 32, (None,), ("s",), None)
ROTATED = Affine.translation(499500, 4499900) @ Affine.rotation(30) @ Affine.scale(25, -25)
GRIDS = {
    "same": (UTM, NORTH_UP),
    "shifted by whole pixels": (UTM, NORTH_UP @ Affine.translation(-7, 5)),
    "half the pixels": (UTM, NORTH_UP @ Affine.scale(0.5)),
    "south-up": (UTM, NORTH_UP @ Affine.translation(0, 40) @ Affine.scale(1, -1)),
    "rotated": (UTM, ROTATED),
    "next zone": ("EPSG:32611", None),
    "degrees": ("EPSG:4326", None),
}
GAPS = ("value -1", "nodata 7", "NaN", "NaN declared", "internal mask", "mask beside", "alpha")


def grid_of(name: str, side: int) -> tuple[str, Affine]:
    crs, transform = GRIDS[name]
    if transform is None:
        bounds = (NORTH_UP.c - 200, NORTH_UP.f - 1160, NORTH_UP.c + 1160, NORTH_UP.f + 200)
        west, south, east, north = transform_bounds(UTM, crs, *bounds)
        transform = rasterio.transform.from_bounds(west, south, east, north, side, side)
    return crs, transform


def write(
    path: Path, truth: np.ndarray, gap: str, crs: str | None, transform: Affine | None, bands: int = 1
) -> Path:
    """Truth of -1 (missing), 0 and 1, its gaps told in one of several ways."""
    missing = truth < 0
    values = truth.astype(np.float32 if "NaN" in gap else np.int16 if "-1" in gap else np.uint8)
    values[missing] = {"value -1": -1, "nodata 7": 7, "NaN": np.nan, "NaN declared": np.nan}.get(gap, 1)
    nodata = {"nodata 7": 7, "NaN declared": np.nan}.get(gap)
    count = 2 if gap == "alpha" else bands
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=gap == "internal mask"),
        rasterio.open(
            path, "w", driver="GTiff", count=count, dtype=values.dtype, height=truth.shape[0], width=truth.shape[1],
            crs=crs, transform=transform, nodata=nodata,
        ) as out,
    ):  # fmt: skip
        out.write(values, 1)
        if gap == "alpha":
            out.colorinterp = (ColorInterp.gray, ColorInterp.alpha)
            out.write(np.where(missing, 0, 255).astype(np.uint8), 2)
        if "mask" in gap:
            out.write_mask(~missing)
    return path


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("grid", GRIDS)
def test_labels_on_any_grid_are_those_of_nearest_neighbour_and_gaps_stay_gaps(
    grid: str, gap: str, tmp_path: Path
) -> None:
    truth = np.kron(np.random.default_rng(0).integers(-1, 2, (20, 20)), np.ones((4, 4), int)).astype(np.int16)
    crs, transform = grid_of(grid, 80)
    found = read_label_raster(write(tmp_path / "l.tif", truth, gap, crs, transform), TILE, BURNED_OR_NOT)
    expected = np.full((32, 32), -1, np.int16)
    reproject(truth, expected, src_transform=transform, src_crs=crs, dst_transform=NORTH_UP, dst_crs=UTM,
              resampling=Resampling.nearest, init_dest_nodata=False, src_nodata=-9, dst_nodata=-9)  # fmt: skip
    assert found.dtype == np.int8
    assert {-1, 0, 1} == set(np.unique(found).tolist())
    assert (found != expected).mean() <= (0.01 if grid in ("next zone", "degrees", "rotated") else 0)


def test_ground_beyond_the_raster_is_missing(tmp_path: Path) -> None:
    path = write(
        tmp_path / "l.tif", np.ones((8, 8), int), "value -1", UTM, NORTH_UP @ Affine.translation(4, 10)
    )
    found = read_label_raster(path, TILE, BURNED_OR_NOT)
    expected = np.full((32, 32), -1)
    expected[10:18, 4:12] = 1
    assert (found == expected).all()


def test_a_raster_far_finer_than_the_tile_is_read_in_strips(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = np.random.default_rng(1).integers(0, 2, (320, 320))
    path = write(tmp_path / "l.tif", truth, "value -1", UTM, NORTH_UP @ Affine.scale(0.1))
    complete = read_label_raster(path, TILE, BURNED_OR_NOT)
    monkeypatch.setattr("engine.labels.label_raster._MOST_PIXELS", 5000)
    assert (read_label_raster(path, TILE, BURNED_OR_NOT) == complete).all()
    assert (complete == truth[5::10, 5::10]).all()


def test_values_become_the_indexes_of_classes(tmp_path: Path) -> None:
    reading = ClassLabels((10, 30, 20), ("a", "b", "c"), (-1, 99))
    values = np.random.default_rng(2).choice([10, 20, 30, 99, -1], (32, 32))
    path = write(tmp_path / "l.tif", values, "as they are -1", UTM, NORTH_UP)
    with rasterio.open(path, "r+") as out:
        out.write(values.astype(np.int16), 1)
    check_label_raster(path, reading)
    found = read_label_raster(path, TILE, reading)
    assert (np.array([10, 30, 20, -1])[found] == np.where(values == 99, -1, values)).all()


@pytest.mark.parametrize("declared", [0, 1])
@pytest.mark.parametrize("grid", ["same", "half the pixels", "next zone"])
def test_a_class_that_is_declared_as_nodata_stays_a_class_on_every_grid_and_that_is_said(
    declared: int, grid: str, tmp_path: Path
) -> None:
    truth = np.kron(np.random.default_rng(0).integers(0, 2, (20, 20)), np.ones((4, 4), int))
    crs, transform = grid_of(grid, 80)
    plain = write(tmp_path / "plain.tif", truth, "internal", crs, transform)
    expected = read_label_raster(plain, TILE, BURNED_OR_NOT)
    with rasterio.open(plain, "r+") as out:
        out.nodata = declared
    assert (read_label_raster(plain, TILE, BURNED_OR_NOT) == expected).all()
    assert f"declares {declared} as its nodata value" in nodata_note(plain, BURNED_OR_NOT)


def test_another_crs_and_another_grid_are_told(tmp_path: Path) -> None:
    truth = np.zeros((64, 64), int)
    notes = {
        name: grid_note(write(tmp_path / "l.tif", truth, "value -1", *grid_of(name, 64)), [TILE])
        for name in GRIDS
    }
    assert notes["same"] == notes["shifted by whole pixels"] == ""
    assert "WGS 84 / UTM zone 11N and are brought to WGS 84 / UTM zone 10N by nearest" in notes["next zone"]
    assert "another grid" in notes["half the pixels"]
    assert "another grid" in notes["rotated"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"crs": None}, "has no CRS"),
        ({"transform": None}, "has no geotransform"),
        ({"bands": 3}, "has 3 bands, and labels are one"),
        ({"truth": np.full((8, 8), 4)}, "has the value 4, which is no label: labels are 0"),
    ],
)
def test_what_cannot_be_labels_is_refused_in_words(
    change: dict[str, object], words: str, tmp_path: Path
) -> None:
    settings = {
        "truth": np.zeros((8, 8), int),
        "gap": "value -1",
        "crs": UTM,
        "transform": NORTH_UP,
        **change,
    }
    with pytest.raises(LabelError, match=words):
        check_label_raster(write(tmp_path / "l.tif", **settings), BURNED_OR_NOT)  # type: ignore[arg-type]


def test_a_damaged_raster_is_refused_not_read_as_missing(tmp_path: Path) -> None:
    truth = np.random.default_rng(0).integers(0, 2, (400, 400))
    path = write(tmp_path / "l.tif", truth, "value -1", UTM, NORTH_UP)
    path.write_bytes(path.read_bytes()[:-200_000])
    with pytest.raises(LabelError, match="damaged or cut short"):
        check_label_raster(path, BURNED_OR_NOT)


@pytest.mark.parametrize(
    "crs",
    [
        'LOCAL_CS["site grid",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]',
        'GEOGCS["Mars",DATUM["Mars",SPHEROID["Mars",3396190,169.9]],PRIMEM["0",0],UNIT["degree",0.0174532925199433]]',
    ],
    ids=["local", "Mars"],
)
def test_a_crs_that_is_not_of_the_earth_is_refused_in_words(crs: str, tmp_path: Path) -> None:
    path = write(tmp_path / "l.tif", np.zeros((8, 8), int), "value -1", crs, NORTH_UP)
    with pytest.raises(LabelError, match="cannot be brought to that of the pixels"):
        read_label_raster(path, TILE, BURNED_OR_NOT)
    with pytest.raises(LabelError, match="cannot be brought to that of the pixels"):
        require_overlap(path, [TILE])


@pytest.mark.parametrize("grid", GRIDS)
def test_a_raster_that_covers_a_tile_is_taken_and_one_beside_it_refused(grid: str, tmp_path: Path) -> None:
    crs, transform = grid_of(grid, 80)
    path = write(tmp_path / "l.tif", np.zeros((80, 80), int), "value -1", crs, transform)
    far = dataclasses.replace(TILE, transform=(30, 0, 520000, 0, -30, 4500000))
    require_overlap(path, [far, TILE])
    with pytest.raises(LabelError, match=r"covers none of the 1 tile"):
        require_overlap(path, [far])

"""Every row of the sensors' table is read: by its codes, by its common names and by its order, values and gaps alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.commands.imagery.sensors import sensors_table
from engine.imagery.chip import read_chip
from engine.imagery.plausibility import look_at
from engine.imagery.sensors.sensor import Sensor
from engine.imagery.sensors.table import SENSORS
from engine.imagery.sources import FileScene
from engine.imagery.tiles.tile_plan import cut
from engine.imagery.tiles.windows import Tiling

ONE_TILE = Affine(20, 0, 400_000, 0, -20, 4_100_160)
ROOT = Path(__file__).parents[3]
WriteRaster = Callable[..., Path]
# Values that the sensor can measure, low and high.
_SPAN = {"reflectance": (0.02, 0.6), "brightness": (0.02, 0.9), "backscatter": (0.01, 0.4), "elevation": (1, 900),
         "class": (1, 10), "index": (-0.2, 0.9)}  # fmt: skip


def padded(code: str) -> str:
    return re.sub(r"\d+", lambda number: number[0].zfill(2) if "A" not in code else number[0], code)


NAMINGS: dict[str, Callable[[Sensor], tuple[str, ...] | None]] = {
    "codes": lambda one: tuple(band.code or band.name for band in one.table),
    "codes with zeros": lambda one: tuple(padded(band.code) or band.name for band in one.table),
    "common names": lambda one: one.bands,
    "words and codes": lambda one: tuple(
        f"{band.name.title()} ({band.code})".replace(" ()", "") for band in one.table
    ),
    "order alone": lambda _: None,
}


def stored_numbers(one: Sensor) -> np.ndarray:
    """(C, 16, 16) of the type of its products, no two bands alike; the first pixel is a gap where the table has a value."""
    low, high = _SPAN[one.quantity]
    if "decibels" in one.unit:
        low, high = -25.0, -3.0
    dtype = np.dtype(one.dtypes[-1] if one.dtypes else "int16")
    step = (high - low) / (len(one.bands) * 256)
    measured = low + step * np.arange(len(one.bands) * 256).reshape(-1, 16, 16)
    values = (measured - one.offset) / one.scale if dtype.kind in "iu" else measured
    pixels = np.round(values).astype(dtype) if dtype.kind in "iu" else values.astype(dtype)
    if one.nodata is not None:
        pixels[:, 0, 0] = one.nodata
    return pixels


@pytest.mark.parametrize("how", ["configuration", "tag"])
@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("name", SENSORS)
def test_a_stack_of_each_sensor_is_read_right(
    write_raster: WriteRaster, tmp_path: Path, name: str, naming: str, how: str
) -> None:
    one = SENSORS[name]
    pixels = stored_numbers(one)
    path = write_raster("stack.tif", pixels, names=NAMINGS[naming](one), transform=ONE_TILE)
    with rasterio.open(path, "r+") as out:
        out.update_tags(EMBERSCOPE_SENSOR=name if how == "tag" else "")
    said = {"sensor": name} if how == "configuration" else {}
    (scene,) = FileScene.model_validate({"source": "file", "path": str(path), **said}).find(tmp_path)
    assert scene.level == one.level
    assert {asset.sensor.unit for asset in scene.assets.values()} == {one.unit}
    (planned,) = cut([scene], None, Tiling(16, 16))
    chip = read_chip(planned.scenes, planned.tile, one.bands)
    is_number = pixels.dtype.kind in "iu"
    want = pixels * one.scale + one.offset if is_number else pixels
    inside = np.ones((16, 16), bool)
    inside[0, 0] = one.nodata is None
    assert np.array_equal(chip.valid[0], inside)
    assert np.allclose(chip.image[0][:, inside], want[:, inside], rtol=1e-5, atol=1e-6)


def test_the_readmes_table_is_the_sensors_own() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- sensors:[^\n]*-->\n(.*?)\n<!-- end of sensors -->", text, re.S)
    assert found, "README.md has no table of sensors"
    assert found[1].strip() == sensors_table(), (
        "write the output of `python -m engine sensors` into README.md"
    )


def test_landsat_numbers_read_at_another_scale_are_told(write_raster: WriteRaster, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(7_500, 14_000, (7, 40, 40)).astype(np.uint16)
    names = ("coastal", "blue", "green", "red", "nir08", "swir16", "swir22")
    path = write_raster("stack.tif", numbers, names=names)
    with rasterio.open(path, "r+") as out:
        out.update_tags(EMBERSCOPE_SENSOR="")
    scenes = FileScene(source="file", path=str(path)).find(tmp_path)
    assert any("landsat_c2l2" in note for note in look_at(scenes, scenes[0].bands))
    stated = FileScene(source="file", path=str(path), sensor="landsat_c2l2").find(tmp_path)
    assert not look_at(stated, stated[0].bands)

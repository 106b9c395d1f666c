"""Values are looked at: real ground of every kind passes, what is read wrongly is refused or told with the numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.errors import SceneError
from engine.imagery.plausibility import look_at
from engine.imagery.raster.facts import Overrides
from engine.imagery.sources.raster_file import file_scene
from engine.paths import PROJECT

BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
SIDE = 200
_RNG = np.random.default_rng(5)
# Mean reflectance of the six bands, and its spread as a share, of grounds as sensors see them.
_VEGETATION, _DESERT = (0.03, 0.06, 0.04, 0.32, 0.18, 0.09), (0.14, 0.22, 0.33, 0.42, 0.52, 0.48)
_WATER, _SNOW = (0.03, 0.02, 0.01, 0.003, 0.001, 0.001), (0.92, 0.93, 0.9, 0.8, 0.08, 0.06)
_CLOUD, _BURNT = (0.62, 0.6, 0.6, 0.66, 0.45, 0.35), (0.03, 0.04, 0.05, 0.08, 0.12, 0.11)


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    """Each test draws the same numbers, in whatever order tests run."""
    _RNG.bit_generator.state = np.random.default_rng(5).bit_generator.state


def ground(means: tuple[float, ...], spread: float, noise: float = 0.004) -> np.ndarray:
    texture = np.exp(_RNG.normal(0, spread, (1, SIDE, SIDE)))
    return np.array(means).reshape(6, 1, 1) * texture + _RNG.normal(0, noise, (6, SIDE, SIDE))


def some(image: np.ndarray, share: float, value: np.ndarray | float) -> np.ndarray:
    return np.where(_RNG.random((1, SIDE, SIDE)) < share, value, image)


GROUNDS: dict[str, Callable[[], np.ndarray]] = {
    "vegetation": lambda: ground(_VEGETATION, 0.3),
    "desert": lambda: ground(_DESERT, 0.15),
    "open water": lambda: ground(_WATER, 0.2, 0.002),
    "calm water": lambda: ground(_WATER, 0.02, 0.0002),
    "water below zero": lambda: ground(_WATER, 0.2) - 0.012,
    "snow": lambda: ground(_SNOW, 0.12),
    "snow on slopes to the sun": lambda: some(ground(_SNOW, 0.15), 0.04, 1.9),
    "clouds everywhere": lambda: ground(_CLOUD, 0.25),
    "clouds at a low sun": lambda: ground(_CLOUD, 0.4),
    "a burn scar": lambda: ground(_BURNT, 0.2),
    "glint": lambda: some(ground(_WATER, 0.2, 0.002), 0.03, _RNG.uniform(0.3, 2.2, (6, SIDE, SIDE))),
    "roofs": lambda: some(ground(_VEGETATION, 0.5), 0.002, 2.4),
    "a coast": lambda: np.where(np.arange(SIDE) < 90, ground(_VEGETATION, 0.3), ground(_WATER, 0.2, 0.002)),
}  # fmt: skip
# Sensor, date, type, scale and offset of its products.
PRODUCTS = {
    "HLS": ("hls", "2021-08-01", "int16", 1e-4, 0.0),
    "Sentinel-2 before 2022": ("sentinel2_l2a", "2021-08-01", "uint16", 1e-4, 0.0),
    "Sentinel-2 since 2022": ("sentinel2_l2a", "2023-08-01", "uint16", 1e-4, -0.1),
    "Landsat": ("landsat_c2l2", "2021-08-01", "uint16", 2.75e-5, -0.2),
    "floats": ("hls", "2021-08-01", "float32", 1.0, 0.0),
}


def written(
    path: Path, stored: np.ndarray, dtype: str, date: str = "2021-08-01", names: tuple[str, ...] = BANDS
) -> Path:
    if dtype != "float32":
        limits = np.iinfo(dtype)
        stored = np.clip(np.round(stored), max(limits.min, 1 if limits.min == 0 else -9998), limits.max)
    profile = {
        "driver": "GTiff", "height": SIDE, "width": SIDE, "count": len(stored), "dtype": dtype, "crs": "EPSG:32633",
        "transform": Affine(30, 0, 480_000, 0, -30, 5_200_000),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as made:
        made.write(stored.astype(dtype))
        made.descriptions = names
        made.update_tags(DATETIME=f"{date}T10:00:00Z")
    return path


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("kind", GROUNDS)
def test_real_ground_passes_without_an_alarm(tmp_path: Path, kind: str, product: str) -> None:
    sensor, date, dtype, scale, offset = PRODUCTS[product]
    path = written(tmp_path / "made.tif", (GROUNDS[kind]() - offset) / scale, dtype, date)
    scene = file_scene(path, Overrides(sensor=sensor))
    assert scene.assets["blue"].offset == pytest.approx(offset)
    assert look_at([scene], BANDS) == ()


def test_the_sample_scene_passes_without_an_alarm() -> None:
    assert look_at([file_scene(PROJECT / "assets" / "samples" / "virginia.tif")], BANDS) == ()


VEGETATION = GROUNDS["vegetation"]
WRONG: dict[str, tuple[str, str, str, Callable[[], np.ndarray], str]] = {
    "digital numbers in floats": ("hls", "2021-08-01", "float32", lambda: VEGETATION() * 1e4, "scene.scale: 0.0001"),
    "percent": ("hls", "2021-08-01", "float32", lambda: VEGETATION() * 100, "far above 1"),
    "a picture's eight bits": ("hls", "2021-08-01", "uint8", lambda: VEGETATION() * 255 * 2, "8-bit numbers"),
    "scaled twice": ("hls", "2021-08-01", "float32", lambda: VEGETATION() * 1e-4, "darker than any land"),
    "nothing but zeros": ("hls", "2021-08-01", "float32", lambda: VEGETATION() * 0, "nothing but zeros"),
    "Landsat's numbers read as others": ("hls", "2021-08-01", "uint16", lambda: (GROUNDS["desert"]() + 0.2) / 2.75e-5, "far above 1|landsat_c2l2"),
    "a gap value that is not declared": ("hls", "2021-08-01", "uint16", lambda: some(VEGETATION() * 1e4, 0.02, 65_535), "far above 1"),
    "an offset taken off twice": ("sentinel2_l2a", "2023-08-01", "uint16", lambda: VEGETATION() * 1e4, "taken off before"),
    "an offset never taken off": ("sentinel2_l2a", "2021-08-01", "uint16", lambda: GROUNDS["a coast"]() * 1e4 + 1000, "scene.offset: -0.1"),
    "decibels as linear power": ("sentinel1_rtc", "2021-08-01", "float32", lambda: _RNG.normal(-12, 3, (2, SIDE, SIDE)), "sentinel1_grd"),
    "linear power as decibels": ("sentinel1_grd", "2021-08-01", "float32", lambda: _RNG.gamma(2, 0.04, (2, SIDE, SIDE)), "sentinel1_rtc"),
    "amplitudes": ("sentinel1_grd", "2021-08-01", "uint16", lambda: _RNG.gamma(2, 100, (2, SIDE, SIDE)), "whole numbers"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_read_wrongly_is_told_with_the_numbers_or_refused(tmp_path: Path, kind: str) -> None:
    sensor, date, dtype, make, says = WRONG[kind]
    stored = make()
    names = BANDS if len(stored) == 6 else ("vv", "vh")
    path = written(tmp_path / "made.tif", stored, dtype, date, names)
    try:
        found = " ".join(look_at([file_scene(path, Overrides(sensor=sensor))], names))
    except SceneError as err:
        found = str(err)
    assert any(word in found for word in says.split("|")), found
    assert any(letter.isdigit() for letter in found)


@pytest.mark.parametrize(
    "values",
    [(0, 1), (0, 1, 2, 3, 4, 255), (0, 4, 64, 66, 68, 76, 80, 96, 100, 128, 130, 132, 140, 192, 194, 255)],
)
def test_a_mask_among_reflectances_is_told(tmp_path: Path, values: tuple[int, ...]) -> None:
    stored = VEGETATION() * 1e4
    stored[5] = _RNG.choice(values, (SIDE, SIDE))
    path = written(tmp_path / "made.tif", stored, "int16")
    assert "as a mask does" in " ".join(look_at([file_scene(path, Overrides(sensor="hls"))], BANDS))

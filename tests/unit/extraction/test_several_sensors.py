"""Reflectance, radar, heights and land cover of one place are one scene, and every backbone gets what it can read of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.errors import EngineError
from engine.extraction.encode import batch_of
from engine.extraction.extract import extract
from engine.extraction.pixels.tile_reader import read_tile
from engine.extraction.plan import make_plan
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.events import Noticed
from engine.store.store import EmbeddingStore
from tests.unit.imagery.products import NORTH, WEST, write_band

S2 = (
    "coastal_aerosol", "blue", "green", "red", "red_edge_1", "red_edge_2", "red_edge_3", "nir_broad", "nir_narrow",
    "water_vapor", "swir_1", "swir_2",
)  # fmt: skip
BANDS = (*S2, "vv", "vh", "elevation", "lulc")
SIDE = 36
UNITS = {"vv": "sigma0, decibels", "vh": "sigma0, decibels", "elevation": "height, metres", "lulc": "class"}


def measured(band: str) -> np.ndarray:
    """(36, 36) values of a band in its own unit; classes in blocks of 2 x 2 and heights in blocks of 3 x 3."""
    random = np.random.default_rng(BANDS.index(band)).random((SIDE, SIDE)).astype(np.float32)
    match band:
        case "vv" | "vh":
            return random * 10 - 22
        case "elevation":
            return np.round(random[::3, ::3] * 900 + 10).repeat(3, 0).repeat(3, 1)
        case "lulc":
            return np.floor(random[::2, ::2] * 9 + 1).repeat(2, 0).repeat(2, 1)
    return np.round(0.05 + 0.3 * random, 4)


def stack(root: Path) -> dict[str, Any]:
    """One file of floating-point bands."""
    path = write_band(root / "in/place.tif", np.stack([measured(band) for band in BANDS]), 10, BANDS)
    return {"source": "file", "path": str(path)}


def files(root: Path) -> dict[str, Any]:
    """A file for each band, of the types and pixels that each has in its own product."""
    for band in BANDS:
        pixels, gsd_m = measured(band), 10.0
        if band in S2:
            pixels = np.round(pixels * 10_000).astype(np.uint16)
        elif band == "elevation":
            pixels, gsd_m = pixels[::3, ::3].astype(np.int16), 30.0
        elif band == "lulc":
            pixels, gsd_m = pixels[::2, ::2].astype(np.uint8), 20.0
        write_band(root / f"in/place_{band}.tif", pixels, gsd_m)
    return {"source": "file", "path": str(root / "in")}


def config_of(scene: dict[str, Any], backbone: str, **settings: str) -> ExtractConfig:
    config = parse_config({
        "kind": "extract", "scene": {**scene, "sensor": "sentinel2_l2a"}, "tiles": {"size_px": 32},
        "backbone": {"name": backbone, "weights": "random", "settings": settings}, "output": {"dtype": "float32"}, "device": "cpu",
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    return config


@pytest.mark.parametrize("scene_of", [stack, files])
@pytest.mark.parametrize(
    ("settings", "bands"),
    [
        ({"s1grd": "use"}, (*S2, "vv", "vh")),
        ({"s2l2a": "ignore", "s1rtc": "use", "dem": "use"}, ("vv", "vh", "elevation")),
        ({"s1grd": "use", "dem": "use", "lulc": "use"}, BANDS),
    ],
)
def test_terramind_gets_several_sensors_with_their_values_and_units(
    tmp_path: Path, scene_of: Any, settings: dict[str, str], bands: tuple[str, ...]
) -> None:
    plan = make_plan(config_of(scene_of(tmp_path), "terramind_v1_tiny", **settings), tmp_path)
    assert plan.bands == bands
    seen = np.zeros((SIDE, SIDE), bool)
    for item in plan.windows:
        batch = batch_of([read_tile(item, plan)], plan)
        if batch is None:
            continue
        assert batch.units == tuple(UNITS.get(band, "reflectance") for band in bands)
        values = batch.image.numpy()[0, 0].astype(np.float64) * batch.scale + batch.offset  # (C, H, W)
        top, left = (
            round((NORTH - item.window.transform.f) / 10),
            round((item.window.transform.c - WEST) / 10),
        )
        rows, columns = np.mgrid[max(0, -top) : min(32, SIDE - top), max(0, -left) : min(32, SIDE - left)]
        down, across = rows + top, columns + left  # beyond the scene's rim, windows hold mirrored pixels
        for place, band in enumerate(bands):
            ours, want = values[place][rows, columns], measured(band)
            if band == "elevation" and scene_of is files:  # interpolated between its own pixels of 30 m
                assert ((ours >= want.min() - 0.01) & (ours <= want.max() + 0.01)).all()
            else:
                assert np.allclose(ours, want[down, across], atol=1e-5), band
        seen[down, across] = True
    assert seen.all()


@pytest.mark.parametrize(
    ("backbone", "read"),
    [("clay_v1_base", (*S2, "vv", "vh")), ("dofa_base", (*S2, "vv", "vh"))],
)
def test_a_family_that_takes_bands_by_wavelength_leaves_heights_and_classes_out_and_says_so(
    tmp_path: Path, backbone: str, read: tuple[str, ...]
) -> None:
    config = config_of(stack(tmp_path), backbone)
    plan = make_plan(config, tmp_path)
    assert plan.bands == read
    told = [
        event.message for event in extract(config, tmp_path / "run", tmp_path) if isinstance(event, Noticed)
    ]
    assert sum("does not read elevation, lulc" in note for note in told) == 1
    assert np.isfinite(EmbeddingStore.open(tmp_path / "run").read()).all()


def test_decibels_and_linear_power_of_one_place_give_terramind_the_same_radar(tmp_path: Path) -> None:
    found = []
    for name, change in (("db", lambda band: band), ("linear", lambda band: 10 ** (band / 10))):
        pixels = np.stack([change(measured(band)) for band in ("vv", "vh")]).astype(np.float32)
        path = write_band(tmp_path / f"{name}.tif", pixels, 10, ("vv", "vh"))
        config = config_of(
            {"source": "file", "path": str(path)}, "terramind_v1_tiny", s2l2a="ignore", s1grd="use"
        )
        config = config.model_copy(update={"scene": config.scene.model_copy(update={"sensor": None})})
        list(extract(config, tmp_path / name, tmp_path))
        found.append(torch.from_numpy(EmbeddingStore.open(tmp_path / name).read()))
    assert torch.allclose(found[0], found[1], atol=1e-4)


@pytest.mark.parametrize(
    ("gone", "settings"),
    [("vh", {"s1grd": "use"}), ("elevation", {"dem": "use"}), ("lulc", {"lulc": "use"})],
)
def test_a_band_of_a_modality_that_is_not_there_is_refused_by_name(
    tmp_path: Path, gone: str, settings: dict[str, str]
) -> None:
    scene = files(tmp_path)
    (tmp_path / f"in/place_{gone}.tif").unlink()
    with pytest.raises(EngineError, match=f"'{gone}'"):
        make_plan(config_of(scene, "terramind_v1_tiny", **settings), tmp_path)


def test_a_stated_scale_is_that_of_reflectance_and_leaves_heights_and_classes_alone(tmp_path: Path) -> None:
    scene = {**files(tmp_path), "scale": 0.0002, "offset": -0.01}
    plan = make_plan(config_of(scene, "raw"), tmp_path)
    assets = plan.scenes[0].assets
    assert (assets["red"].scale, assets["red"].offset) == (0.0002, -0.01)
    assert {(assets[band].scale, assets[band].offset) for band in ("vv", "elevation", "lulc")} == {(1.0, 0.0)}


def test_a_heights_file_and_a_land_cover_file_are_scenes_by_themselves(tmp_path: Path) -> None:
    files(tmp_path)
    for band in ("elevation", "lulc"):
        path = tmp_path / f"in/place_{band}.tif"
        config = parse_config(
            {"kind": "extract", "scene": {"source": "file", "path": str(path)}, "backbone": {"name": "raw"}}
        )
        assert isinstance(config, ExtractConfig)
        assert make_plan(config, tmp_path).bands == (band,)

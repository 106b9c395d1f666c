"""The same pixels give the same embeddings through every door, one date or a series."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from PIL import Image

from engine.backbones.core.device import choose
from engine.extraction.encode import batch_of, open_backbone
from engine.extraction.extract import extract
from engine.extraction.pixels.tile_reader import read_tile
from engine.extraction.plan import Plan, make_plan
from engine.imagery.sources import StacScene, ZarrScene
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.store.store import EmbeddingStore
from engine.views.films.imagery_film import write_imagery_film
from tests.stac.items import GSD_M, NORTH_M, WEST_M
from tests.stac.world import HLS_DAYS, World
from tests.unit.cubes import doors
from tests.unit.cubes.doors import Configured, Ground

SIDE = 64
PRITHVI = {"name": "prithvi_eo_v2_tiny_tl", "weights": "random"}
BACKBONES: tuple[dict[str, str], ...] = (
    PRITHVI, {"name": "galileo_nano", "weights": "random"}, {"name": "raw", "temporal": "concatenate"},
)  # fmt: skip
Tiles = dict[tuple[float, float, int, int], np.ndarray]
"""North-western corner and pixels of a tile -> its embeddings (h, w, D)."""


def from_catalogue(stac: World, home: Path) -> tuple[Configured, Ground]:
    """A series of a STAC catalogue, and the ground that its scenes show."""
    scene = {
        "source": "stac", "catalogue": "pc", "collection": "hls2-s30", "bounds_lonlat": list(stac.bounds_lonlat),
        "dates": [HLS_DAYS[0], HLS_DAYS[-1]], "choose": "all", "clouds": "keep",
    }  # fmt: skip
    source = StacScene.model_validate(scene)
    list(source.prepare(home))
    grid = source.find(home)[0].grid
    row, column = round((NORTH_M - grid.transform.f) / 20), round((grid.transform.c - WEST_M) / 20)
    part = np.s_[:, row : row + grid.shape[0], column : column + grid.shape[1]]
    step = 20 // GSD_M
    stored = [
        np.round(stac.truth * share * 10_000).astype(np.int16)[:, ::step, ::step][part]
        for share in (1.0, 0.8, 0.6)
    ]
    return scene, Ground(np.stack(stored), grid, HLS_DAYS)


def config_of(scene: Configured, **backbone: Any) -> ExtractConfig:
    config = parse_config({
        "kind": "extract", "scene": scene, "tiles": {"size_px": SIDE}, "backbone": backbone, "output": {"dtype": "float32"},
        "device": "cpu",
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    return config


def embedded(scene: Configured, folder: Path, home: Path) -> Tiles:
    list(extract(config_of(scene, **PRITHVI), folder, home))
    held = EmbeddingStore.open(folder)
    return {
        (tile.transform[2], tile.transform[5], tile.height_px, tile.width_px): values
        for tile, values, _ in held.iterate()
    }


def test_the_same_pixels_give_the_same_embeddings_through_every_door(
    stac: World, home: Path, tmp_path: Path
) -> None:
    scene, series = from_catalogue(stac, home)
    ground = replace(series, stored=series.stored[:1], days=series.days[:1])
    want = embedded({**scene, "dates": [HLS_DAYS[0], HLS_DAYS[0]]}, tmp_path / "stac", home)
    origin = ground.grid.transform
    corners = [
        (round((origin.f - north) / 20), round((west - origin.c) / 20))
        for west, north, height, width in want
        if height == width == SIDE
    ]
    assert corners
    told = {}
    for name, write in doors.SINGLE.items():
        folder = tmp_path / name
        folder.mkdir()
        found = embedded(write(ground, folder), folder / "run", home)
        told[name] = (
            max(float(np.abs(found[key] - want[key]).max()) for key in want)
            if found.keys() == want.keys()
            else None
        )
    doors.zarr_2(ground, stac.files.folder)  # and the same store behind a server
    away = {"source": "zarr", "path": f"{stac.files.address}/cube.2.zarr"}
    found = embedded(away, tmp_path / "away", home)
    told["zarr elsewhere"] = max(float(np.abs(found[key] - want[key]).max()) for key in want)
    found = embedded(doors.chips(ground, tmp_path / "chips", corners, SIDE), tmp_path / "chips/run", home)
    assert len(found) == len(corners)
    told["chips"] = max(float(np.abs(values - want[key]).max()) for key, values in found.items())
    assert all(far is not None and far < 1e-3 for far in told.values()), told


def embedded_batch(plan: Plan) -> tuple[np.ndarray, list[Any]]:
    """Embeddings of a plan's first tile, and the times that its encoder was told."""
    batch = batch_of([read_tile(plan.windows[0], plan)], plan)
    assert batch is not None
    found = open_backbone(plan, choose("cpu")).embed(batch, plan.layers).maps[0]
    return found.float().numpy(), list(batch.datetimes[0])


def test_a_series_reaches_frames_months_and_the_temporal_wrapper_from_every_door(
    stac: World, home: Path, tmp_path: Path
) -> None:
    scene, ground = from_catalogue(stac, home)
    written: dict[str, Configured] = {}
    for name, write in doors.SERIES.items():
        (tmp_path / name).mkdir()
        written[name] = write(ground, tmp_path / name)
    for backbone in BACKBONES:
        want, _ = embedded_batch(make_plan(config_of(scene, **backbone), home))
        for name, config in written.items():
            plan = make_plan(config_of(config, **backbone), home)
            assert plan.frames == 3, name
            found, times = embedded_batch(plan)
            told = [f"{when:%Y-%m-%dT%H:%M:%S}" for when in times]
            assert told == [f"{day}T{doors.TIME}" for day in HLS_DAYS], name
            assert np.abs(found - want).max() < 1e-3, (name, backbone)


def test_a_film_of_a_catalogues_series_is_that_of_the_same_ground_in_a_cube(
    stac: World, home: Path, tmp_path: Path
) -> None:
    scene, ground = from_catalogue(stac, home)
    away = StacScene.model_validate(scene).find(home)
    here = ZarrScene.model_validate(doors.zarr(ground, tmp_path)).find(home)
    shown = []
    for name, scenes in (("away", away), ("here", here)):
        made = write_imagery_film(scenes, tmp_path / f"{name}.png", 1)
        assert made.days == HLS_DAYS
        with Image.open(made.path) as film:
            film.seek(2)
            shown.append(np.asarray(film.convert("RGB"), np.int16)[100:600, 60:600])
    assert np.abs(shown[0] - shown[1]).max() <= 1


def test_months_of_a_series_change_galileos_embeddings_and_days_prithvis(tmp_path: Path, home: Path) -> None:
    stored = np.random.default_rng(1).integers(300, 4000, (3, 6, SIDE, SIDE)).astype(np.int16)
    found: dict[str, list[np.ndarray]] = {"galileo_nano": [], PRITHVI["name"]: []}
    for number, days in enumerate((HLS_DAYS, ["2023-01-11", "2023-03-11", "2023-04-20"])):
        ground = Ground(
            stored, GeoBox((SIDE, SIDE), Affine(20, 0, 500_000, 0, -20, 4_985_000), "EPSG:32633"), days
        )
        folder = tmp_path / str(number)
        folder.mkdir()
        scene = doors.zarr(ground, folder)
        for name, told in found.items():
            plan = make_plan(config_of(scene, name=name, weights="random"), home)
            told.append(embedded_batch(plan)[0])
    for summer, spring in found.values():
        assert np.abs(summer - spring).max() > 1e-3

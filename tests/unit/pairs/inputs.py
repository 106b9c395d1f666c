"""Small scenes of every source, and the configurations of rows of settings over them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

from engine.jobs.configuration.config import ExtractConfig, TrainConfig, parse_config
from tests.unit.pairs.covering import Row

BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
# About what the cloud mask was trained on, also when resampled: it is given the pixels as they are.
GSD_M, RESAMPLED_M, NODATA = 30, 33, -9999
# On a corner of the fixed grids of tiles of 64 px and of 32 px, in UTM zone 18 north.
WEST, NORTH = 209 * 1920, 2136 * 1920
PLACES = 5

# The default of each comes first: it fills what no pair asks for.
FACTORS: Mapping[str, tuple[object, ...]] = {
    "source": ("chips", "file", "files", "season_post", "season_both"),
    "family": ("raw", "transformer", "cnn"),
    "rows": ("patch", "tile mean", "tile max", "tile cls"),
    "layers": ("default", "last", "two"),
    "size_px": (64, None),
    "overlap_px": (0, 32),
    "merge": ("deepest", "blend"),
    "stride_px": (None, 8),
    "gsd_m": (None, RESAMPLED_M),
    "clouds": ("keep", "mask"),
    "dtype": ("float32", "float16"),
    "temporal": ("mean", "max", "difference", "concatenate", "keep"),
    "region": (None, "bounds", "polygon"),
    "batch": (None, 1, 3),
    "unreadable": ("fail", "skip"),
    "then": ("check", "pca", "export", "train and predict", "resume"),
}
_BACKBONES = {
    "raw": {"name": "raw", "settings": {"patch_px": "16"}},
    "transformer": {"name": "prithvi_eo_v2_tiny_tl", "weights": "random"},
    "cnn": {"name": "efficientnet_lite0", "weights": "random"},
}
_LAYERS = {"default": None, "last": [-1], "two": [-2, -1]}


def write_scenes(folder: Path) -> None:
    """All sources: a file, two that overlap and differ in date, chips, and a season of two dates; a few gaps."""
    grid = Affine(GSD_M, 0, WEST, 0, -GSD_M, NORTH)
    _write(folder / "scene.tif", 0, (112, 144), grid)
    _write(folder / "files/early.tif", 1, (112, 96), grid, "2021-06-01")
    _write(folder / "files/late.tif", 2, (112, 96), grid @ Affine.translation(48, 0), "2021-07-01")
    for number in range(PLACES):
        there = grid @ Affine.translation(200 * number, 0)
        _write(folder / f"chips/data/c{number}_merged.tif", 10 + number, (64, 48), there)
        _write_mask(folder / f"chips/data/c{number}.mask.tif", number, (64, 48), there)
        season = folder / "data/simulated-0"
        _write(season / f"pre/s{number}_merged.tif", 20 + number, (64, 48), there, "2021-06-01")
        _write(season / f"data/s{number}_merged.tif", 30 + number, (64, 48), there, "2021-08-01")
        _write_mask(season / f"data/s{number}.mask.tif", number, (64, 48), there)


def config_of(row: Row, folder: Path) -> ExtractConfig:
    """The extraction that a row of settings asks for."""
    kind, _, pooling = str(row["rows"]).partition(" ")
    parsed = parse_config({
        "kind": "extract", "scene": _source(str(row["source"]), folder), "region": _region(row["region"]),
        "backbone": {
            **_BACKBONES[str(row["family"])], "layers": _LAYERS[str(row["layers"])], "temporal": row["temporal"]
        },
        "granularity": kind, "pooling": pooling or None, "clouds": row["clouds"],
        "tiles": {
            key: row[key] for key in ("size_px", "overlap_px", "merge", "stride_px", "gsd_m", "unreadable")
        },
        "output": {"dtype": row["dtype"]}, "device": "cpu", "batch_size": row["batch"],
    })  # fmt: skip
    assert isinstance(parsed, ExtractConfig)
    return parsed


def train_config(store: Path) -> TrainConfig:
    """A short training on the masks of a store's scenes."""
    parsed = parse_config({
        "kind": "train", "store": str(store), "labels": {"source": "scene"}, "epochs": 1, "device": "cpu",
        "head": {"name": "linear"}, "split": {"by": "place"}, "baselines": ["nbr"],
    })  # fmt: skip
    assert isinstance(parsed, TrainConfig)
    return parsed


def _source(name: str, folder: Path) -> dict[str, object]:
    match name:
        case "file":
            return {"source": "file", "path": str(folder / "scene.tif")}
        case "files":
            return {"source": "files", "paths": [str(folder / "files")]}
        case "chips":
            return {"source": "chips", "path": str(folder / "chips")}
        case _:
            return {"source": "simulated", "seed": 0, "date": name.removeprefix("season_")}


def _region(kind: object) -> dict[str, Any] | None:
    """A part of the first 112 x 144 px that cuts through tiles, and through the first chip."""
    west, south, east, north = -76.1080, 37.0300, -76.0780, 37.0480
    match kind:
        case None:
            return None
        case "bounds":
            return {"bounds_lonlat": [west, south, east, north]}
        case _:
            return {"polygon_lonlat": [[west, north], [east, north], [west, south]]}


def _write(path: Path, seed: int, shape: tuple[int, int], grid: Affine, day: str = "2021-07-15") -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(200, 4000, (len(BANDS), *shape)).astype(np.int16)
    pixels[:, 20:24, 30:47] = NODATA
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {
        "driver": "GTiff",
        "count": len(BANDS),
        "height": shape[0],
        "width": shape[1],
        "dtype": "int16",
    }
    with rasterio.open(path, "w", crs="EPSG:32618", transform=grid, nodata=NODATA, **profile) as out:
        out.write(pixels)
        out.descriptions = BANDS
        out.update_tags(EMBERSCOPE_SENSOR="hls", EMBERSCOPE_DATETIME=f"{day}T16:00:00+00:00")


def _write_mask(path: Path, seed: int, shape: tuple[int, int], grid: Affine) -> None:
    burnt = np.random.default_rng([seed, 1]).integers(0, 2, (1, *shape)).astype(np.int16)
    profile = {"driver": "GTiff", "count": 1, "height": shape[0], "width": shape[1], "dtype": "int16"}
    with rasterio.open(path, "w", crs="EPSG:32618", transform=grid, nodata=-1, **profile) as out:
        out.write(burnt)

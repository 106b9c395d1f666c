"""Perimeters and scenes that belong together: squares of burnt ground in dated rasters, and files of their outlines."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import shapely
from affine import Affine
from pyproj import Transformer
from shapely.geometry import Polygon, box, mapping

SIDE, GSD = 128, 30.0
BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
CRS = "EPSG:32610"
_WEST, _NORTH = 600_000.0, 4_400_000.0
_to_lonlat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform


def corner(number: int) -> tuple[float, float]:
    """West and north of the scene of a fire, in metres: far from those of the others."""
    return _WEST + number * 20_000, _NORTH


def burnt_m(number: int) -> Polygon:
    """The burnt square of a fire, in metres: pixels 40 to 80 across, 50 to 90 down."""
    west, north = corner(number)
    return box(west + 40 * GSD, north - 90 * GSD, west + 80 * GSD, north - 50 * GSD)


def lonlat(shape: Polygon) -> Polygon:
    return shapely.transform(shape, lambda corners: np.column_stack(_to_lonlat(*corners.T)))


def write_scene(folder: Path, number: int, day: str, level: float = 0.3) -> Path:
    """A raster of six bands over the fire of a number, taken on a day."""
    folder.mkdir(parents=True, exist_ok=True)
    west, north = corner(number)
    chance = np.random.default_rng(number)
    image = chance.normal(level, 0.01, (6, SIDE, SIDE)).astype(np.float32)
    image[3:, 50:90, 40:80] *= 0.3
    path = folder / f"scene{number}_{day.replace('-', '')}.tif"
    with rasterio.open(path, "w", driver="GTiff", count=6, height=SIDE, width=SIDE, dtype="float32", crs=CRS,
                       transform=Affine(GSD, 0, west, 0, -GSD, north)) as out:  # fmt: skip
        out.write(image)
        out.descriptions = BANDS
        out.update_tags(EMBERSCOPE_SENSOR="hls", EMBERSCOPE_DATETIME=f"{day}T18:00:00Z")
    return path


def features(numbers: range, **columns: Any) -> list[dict[str, Any]]:
    """Outlines with attributes; a callable is asked for each number."""
    return [
        {"type": "Feature", "geometry": mapping(lonlat(burnt_m(number))),
         "properties": {name: said(number) if callable(said) else said for name, said in columns.items()}}
        for number in numbers
    ]  # fmt: skip


def write_geojson(path: Path, found: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": found}), encoding="utf-8")
    return path


def dataset_tree(perimeters: Path, scenes: Path, **changes: Any) -> dict[str, Any]:
    """A configuration as YAML holds it."""
    return {
        "kind": "dataset", "perimeters": {"file": str(perimeters)}, "imagery": {"source": "files", "paths": [str(scenes)]},
        "burning_days": 2, "chips": {"size_px": 64, "surroundings_m": 600}, **changes,
    }  # fmt: skip


def day(number: int) -> str:
    """On which the fire of a number began."""
    return date(2021, 7, 1 + number).isoformat()

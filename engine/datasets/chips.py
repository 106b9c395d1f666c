"""The files of one chip in the layout of HLS Burn Scars: data/<stem>_merged.tif, data/<stem>.mask.tif, and classes beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio

from engine.datasets.images import Images
from engine.datasets.perimeters.fire import Fire
from engine.extraction.pixels.clouds import cloud_finder
from engine.files import write_atomic
from engine.imagery.chip import Chip, Clouded, read_chip
from engine.imagery.grid import Tile
from engine.imagery.raster.rasters import OpenRasters
from engine.imagery.scene import Scene
from engine.imagery.sensors.optical import HLS_BANDS

_BLOCK_PX = 256


@dataclass(frozen=True)
class Pixels:
    """An image on the pixels of a chip: (C, H, W) float32 measured values, NaN in gaps; and (H, W) bool."""

    image: np.ndarray
    valid: np.ndarray
    bands: tuple[str, ...]


def bands_of(scene: Scene, asked: Sequence[str] | None) -> tuple[str, ...]:
    """The bands of a chip: those that are asked for, the six of HLS Burn Scars where the scene has them, else all.

    Raises:
        MissingBand: the scene lacks one that is asked for.
    """
    if asked is not None:
        scene.require(asked, "The data set")
        return tuple(asked)
    return HLS_BANDS if set(HLS_BANDS) <= set(scene.bands) else scene.bands


def read_pixels(
    images: Images, tile: Tile, bands: tuple[str, ...], rasters: OpenRasters, without_clouds: bool = False
) -> Pixels:
    """The pixels of a tile from the scene that shows most of it, its gaps filled from the others of the day.

    Args:
        without_clouds: clouds and shadows of scenes without a mask of their own become gaps.

    Raises:
        SceneError, RemoteError: a file is damaged, or cannot be had.
    """
    square = tile.footprint
    ordered = sorted(images.scenes, key=lambda one: -one.footprint.intersection(square).area)
    clouded = _unmasked(cloud_finder(bands, rasters)) if without_clouds else None
    chip = read_chip(ordered[:1], tile, bands, ordered[1:], rasters, clouded)
    valid = chip.valid[0]  # (H, W)
    return Pixels(np.where(valid, chip.image[0], np.float32(np.nan)), valid, bands)


def _unmasked(find: Clouded) -> Clouded:
    """The same for scenes without a mask of their own; nothing is clouded in the others, whose mask is used already."""

    def clouded(chip: Chip, scene: Scene) -> np.ndarray:
        return find(chip, scene) if scene.mask is None else np.zeros(chip.valid.shape[1:], bool)

    return clouded


def write_chip(
    folder: Path, tile: Tile, pixels: Pixels, labels: dict[str, np.ndarray], images: Images, fire: Fire
) -> None:
    """Write image and label rasters, the mask last: a chip without it is not there yet.

    Args:
        labels: name -> (H, W) int16, "mask" among them; pixels that the image does not show become -1.

    Raises:
        DiskFull, RunFailure: they cannot be written.
    """
    tags = _tags(images, fire)
    _write(folder / f"{tile.id}_merged.tif", pixels.image, tile, tags, pixels.bands, float("nan"))
    for name, values in sorted(labels.items(), key=lambda one: one[0] == "mask"):
        known = np.where(pixels.valid, values, -1).astype(np.int16)
        title = "burned" if name == "mask" else name
        _write(folder / f"{tile.id}.{name}.tif", known[None], tile, tags, (title,), -1)


def _tags(images: Images, fire: Fire) -> dict[str, str]:
    scene = images.scenes[0]
    sources = "; ".join(dict.fromkeys(one.source or one.title for one in images.scenes))
    return {
        "EMBERSCOPE_SENSOR": scene.sensor.name,
        "EMBERSCOPE_DATETIME": scene.datetime.isoformat() if scene.datetime else str(images.day),
        "EMBERSCOPE_FIRE_DATETIME": str(fire.start), "EMBERSCOPE_FIRE": fire.name, "EMBERSCOPE_SOURCE": sources[:500],
        "EMBERSCOPE_LICENCE": scene.licence, "EMBERSCOPE_VALUES": scene.values,
        "EMBERSCOPE_SIMULATED": "yes" if any(one.is_simulated for one in images.scenes) else "",
    }  # fmt: skip


def _write(
    path: Path, values: np.ndarray, tile: Tile, tags: dict[str, str], names: Sequence[str], nodata: float
) -> None:
    is_image = values.dtype == np.float32
    is_tiled = min(tile.width, tile.height) >= _BLOCK_PX
    profile: dict[str, Any] = {
        "driver": "GTiff", "count": len(values), "height": tile.height, "width": tile.width, "dtype": values.dtype,
        "crs": tile.crs, "transform": tile.transform, "nodata": nodata, "compress": "DEFLATE", "interleave": "band",
        "predictor": 3 if is_image else 2,
        **({"tiled": True, "blockxsize": _BLOCK_PX, "blockysize": _BLOCK_PX} if is_tiled else {}),
    }  # fmt: skip

    def write(temporary: Path) -> None:
        with rasterio.open(temporary, "w", **profile) as out:
            out.write(values)
            out.descriptions = tuple(names)
            out.update_tags(**{name: text for name, text in tags.items() if text})

    write_atomic(path, write)

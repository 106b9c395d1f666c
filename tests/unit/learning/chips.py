"""Nine chips in the layout of HLS Burn Scars: charred discs, and water that NBR alone takes for burnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
SPLITS = {"train": (0, 1, 2, 3), "val": (4, 5), "test": (6, 7, 8)}
SIDE = 32


def write_chips(
    folder: Path, masks: bool = True, splits: bool = True, gap: bool = False, east_m: float = 500_000
) -> Path:
    """Write the chips, their masks and their split files.

    Args:
        gap: each chip has a square without data.
        east_m: of the first chip's western edge.
    """
    for part in ("data", "splits"):
        (folder / part).mkdir(parents=True)
    for index in range(9):
        _write_chip(folder / "data", index, masks, gap, east_m)
    for split, members in SPLITS.items() if splits else ():
        text = "\n".join(f"chip{index}" for index in members)
        (folder / "splits" / f"{split}.txt").write_text(text, encoding="utf-8")
    return folder


def _write_chip(folder: Path, index: int, masks: bool, gap: bool, east_m: float) -> None:
    chance = np.random.default_rng(index)
    row, column = np.mgrid[0:SIDE, 0:SIDE]
    centre = chance.integers(10, SIDE - 10, size=2)
    burned = np.hypot(row - centre[0], column - centre[1]) < 8
    water = (column < 4) & ~burned
    image = np.stack([np.full((SIDE, SIDE), value) for value in (0.03, 0.06, 0.04, 0.35, 0.2, 0.1)])
    image[:, burned] = np.array([0.04, 0.05, 0.06, 0.08, 0.2, 0.22])[:, None]
    image[:, water] = np.array([0.06, 0.05, 0.03, 0.015, 0.02, 0.05])[:, None]
    image = (image + chance.normal(0, 0.005, image.shape)).astype(np.float32)
    mask = burned.astype(np.int16)
    mask[-2:] = -1
    if gap:
        image[:, 8:12, 8:12] = -9999
    where = {"crs": "EPSG:32610", "transform": Affine(30, 0, east_m + index * 5000, 0, -30, 4500000),
             "height": SIDE, "width": SIDE}  # fmt: skip
    with rasterio.open(
        folder / f"chip{index}_merged.tif", "w", driver="GTiff", count=6, dtype="float32", **where
    ) as out:
        out.write(image)
        out.descriptions = BANDS
    if masks:
        with rasterio.open(
            folder / f"chip{index}.mask.tif", "w", driver="GTiff", count=1, dtype="int16", **where
        ) as out:
            out.write(mask, 1)

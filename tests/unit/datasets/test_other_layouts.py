"""Data sets of images and masks in folders of their own, as those that torchgeo reads lie, become embeddings with labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.extraction.extract import extract
from engine.jobs.configuration.config import LabelsConfig, parse_config
from engine.labels.build import labels_for
from engine.store.store import EmbeddingStore

SIDE = 32
_S2 = ["coastal_aerosol", "blue", "green", "red", "red_edge_1", "red_edge_2", "red_edge_3", "nir_broad", "nir_narrow",
       "water_vapor", None, "swir_1", "swir_2"]  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """How a data set lies.

    Attributes:
        image, mask: paths below its folder; {} is the chip's name.
        images, pattern: what a configuration says of them.
        step: of a pixel, in the units of the CRS.
    """

    image: str
    mask: str
    images: str
    pattern: str
    crs: str
    step: float
    bands: list[str | None]


LAYOUTS = {
    # Sen1Floods11, hand-labelled: Level 1C of 13 bands in degrees.
    "sen1floods11": Layout("S2Hand/{}_S2Hand.tif", "LabelHand/{}_LabelHand.tif", "*_S2Hand.tif", "*_LabelHand.tif",
                           "EPSG:4326", 8.983e-5, _S2),
    # MMFlood and many others: the same names in two folders.
    "same names": Layout("train/images/{}.tif", "train/masks/{}.tif", "*.tif", "*.tif", "EPSG:32633", 10.0,
                         ["blue", "green", "red", "nir_narrow"]),
    # Masks in a folder beside the images', each pair with endings of its own.
    "pairs": Layout("chips/{}_image.tif", "chips/{}_mask.tif", "*_image.tif", "*_mask.tif", "EPSG:32633", 10.0,
                    ["blue", "green", "red", "nir_narrow"]),
}  # fmt: skip


def _write(path: Path, pixels: np.ndarray, layout: Layout, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    corner = (10 + number * 0.1, 45.0) if layout.step < 1 else (500_000 + number * 5_000, 5_000_000)
    with rasterio.open(
        path, "w", driver="GTiff", count=len(pixels), height=SIDE, width=SIDE, dtype=pixels.dtype, crs=layout.crs,
        transform=Affine(layout.step, 0, corner[0], 0, -layout.step, corner[1]),
    ) as out:  # fmt: skip
        out.write(pixels)


@pytest.mark.parametrize("name", LAYOUTS)
def test_images_and_masks_in_folders_of_their_own_are_joined_by_name(
    name: str, tmp_path: Path, home: Path
) -> None:
    layout, burnt = LAYOUTS[name], 0
    for number in range(2):
        image = (
            np.random.default_rng(number)
            .integers(300, 3000, (len(layout.bands), SIDE, SIDE))
            .astype(np.int16)
        )
        mask = np.zeros((1, SIDE, SIDE), np.int16)
        mask[0, 8 : 16 + 8 * number, 8:24] = 1
        burnt += int(mask.sum())
        _write(tmp_path / layout.image.format(f"Place_{number}"), image, layout, number)
        _write(tmp_path / layout.mask.format(f"Place_{number}"), mask, layout, number)
    scene: dict[str, Any] = {
        "source": "chips", "path": str((tmp_path / layout.image).parent), "images": layout.images, "sensor": "sentinel2_l2a",
        "bands": layout.bands,
    }  # fmt: skip
    config = parse_config({"kind": "extract", "scene": scene, "backbone": {"name": "raw"}, "device": "cpu"})
    list(extract(config, tmp_path / "run", home))  # type: ignore[arg-type]
    asked = LabelsConfig(
        source="files", folders=(str((tmp_path / layout.mask).parent),), pattern=layout.pattern
    )
    labels = labels_for(EmbeddingStore.open(tmp_path / "run" / "store"), asked, home)
    assert len(labels.files) == 2
    # Degrees become metres: squares of them are as large to a few per cent.
    assert sum(labels.pixels.values()) > 1.6 * SIDE * SIDE
    assert labels.pixels["burnt"] / sum(labels.pixels.values()) == pytest.approx(
        burnt / (2 * SIDE * SIDE), rel=0.12
    )

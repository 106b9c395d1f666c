"""The labels of a simulated season besides its masks: severity in four classes, and dNBR as a number.

A season of an earlier version has masks only. Its chips are simulated once more, and its own masks tell whether they are
the same ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio

from engine.errors import LabelError
from engine.files import write_atomic
from engine.imagery.simulation.chip import SimulatedChip, simulate_chip

SEVERITY, DNBR = "severity", "dnbr"
NAMES = (SEVERITY, DNBR)
# Composite Burn Index, 0 to 3, at which moderate and high severity begin (Key & Benson 2006, FIREMON, table LA-1); the
# simulated severity of 0 to 1 is taken as a third of it.
_MODERATE, _HIGH = 1.25 / 3, 2.25 / 3


def severity_classes(chip: SimulatedChip) -> np.ndarray:
    """(H, W) int16: 0 not burnt, 1 low, 2 moderate, 3 high; -1 where the mask is missing."""
    classes = 1 + (chip.severity >= _MODERATE).astype(np.int16) + (chip.severity >= _HIGH)
    return np.where(chip.mask == 1, classes, chip.mask).astype(np.int16)


def labels_of(chip: SimulatedChip) -> Mapping[str, np.ndarray]:
    """Every label raster of a chip but its mask, by name."""
    return {SEVERITY: severity_classes(chip), DNBR: chip.dnbr}


def write_labels(folder: Path, chip: SimulatedChip) -> None:
    """Write the labels of a chip beside its mask in a season; the same chip gives the same bytes."""
    stem = chip.location.stem
    for name, values in labels_of(chip).items():
        _write_beside(label_path(folder, stem, "mask"), label_path(folder, stem, name), values, name)


def label_path(folder: Path, stem: str, name: str) -> Path:
    """Where the labels of a name of a chip lie in a season."""
    return folder / "data" / f"{stem}.{name}.tif"


def lacks(folder: Path, name: str) -> bool:
    """Whether a season has masks without labels of this name beside them."""
    masks = [path.name.removesuffix(".mask.tif") for path in (folder / "data").glob("*.mask.tif")]
    return name in NAMES and not all(label_path(folder, stem, name).is_file() for stem in masks)


def add_labels(folder: Path, seed: int) -> None:
    """Write the labels that a season lacks.

    Raises:
        LabelError: its chips are not those that this version simulates.
    """
    splits = json.loads((folder / "simulated.json").read_text(encoding="utf-8"))["splits"]
    for index in range(sum(splits.values())):
        chip = simulate_chip(seed, index)
        mask = label_path(folder, chip.location.stem, "mask")
        if not mask.is_file() or not (_values(mask) == chip.mask).all():
            raise LabelError(
                f"The season in {folder} was simulated by another version, and labels of severity and dNBR for it cannot be "
                f"made. Delete that folder; it is simulated again when it is needed."
            )
        write_labels(folder, chip)


def _values(path: Path) -> np.ndarray:
    with rasterio.open(path) as dataset:
        return dataset.read(1)


def _write_beside(mask: Path, path: Path, values: np.ndarray, name: str) -> None:
    """A raster on the grid of a mask, with the mask's tags; it appears complete or not at all."""
    with rasterio.open(mask) as dataset:
        profile, tags = dataset.profile, dataset.tags()
    is_number = values.dtype.kind == "f"
    profile |= {"driver": "GTiff", "dtype": values.dtype.name, "nodata": np.nan if is_number else -1}
    profile |= {"predictor": 3 if is_number else 2, "zlevel": 1}

    def write(temporary: Path) -> None:
        with rasterio.open(temporary, "w", **profile) as raster:
            raster.write(values, 1)
            raster.descriptions = (name,)
            raster.update_tags(**{key: value for key, value in tags.items() if key.startswith("EMBERSCOPE_")})

    write_atomic(path, write)

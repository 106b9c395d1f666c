"""Where a chip of embedding files lies: as its image says, or its embeddings, or its label."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from affine import Affine
from pyproj import CRS
from rasterio.io import DatasetReader

from engine.errors import LabelError, SceneError
from engine.extraction.embedding_files.chips import ChipEmbeddings
from engine.imagery.geobox import crs_text
from engine.imagery.raster.dates import parse_time
from engine.imagery.raster.facts import raster_facts

# Bounds are rounded to float32 in some files, which moves them by less than a metre.
_SAME_PLACE_PX = 1.0


@dataclass(frozen=True)
class Place:
    """The pixels of a chip, which its label shares.

    Attributes:
        time: ISO 8601, None where nothing states it.
    """

    crs: str
    transform: Affine
    time: str | None


def image_of(chip: ChipEmbeddings) -> Path | None:
    """The image that a chip's embeddings were made of, where it lies beside the label."""
    names = (f"{chip.stem}.tif", f"{chip.stem}_merged.tif")
    return next((path for name in names if (path := chip.label.parent / name).is_file()), None)


def place_of(chip: ChipEmbeddings, dataset: DatasetReader, label: DatasetReader) -> Place:
    """Where the pixels of a chip lie.

    Raises:
        LabelError: nothing says it, it is in degrees, or embeddings and label lie apart.
    """
    image = image_of(chip)
    if image is not None and (found := _of_image(image, label)) is not None:
        return found
    time = parse_time(dataset.tags().get("time", ""))
    stated = time.isoformat() if time else None
    if dataset.crs is not None and not dataset.transform.is_identity:
        _require_same_place(chip, dataset, label)
        pixel = Affine.scale(dataset.width / label.width, dataset.height / label.height)
        return Place(_metric(CRS.from_wkt(dataset.crs.to_wkt()), chip), dataset.transform @ pixel, stated)
    if label.crs is None or label.transform.is_identity:
        raise LabelError(
            f"Neither the embeddings of {chip.stem} nor their label {chip.label.name} say where they lie. Assign the label's "
            f"CRS and bounds, e.g. with gdal_edit."
        )
    return Place(_metric(CRS.from_wkt(label.crs.to_wkt()), chip), label.transform, stated)


def _of_image(image: Path, label: DatasetReader) -> Place | None:
    """The place of an image with the label's pixels; None where it is not understood, or has others."""
    try:
        facts = raster_facts(image)
    except SceneError:
        return None
    if tuple(facts.grid.shape) != (label.height, label.width) or not facts.grid.crs:
        return None
    time = facts.datetime.isoformat() if facts.datetime else None
    return Place(str(facts.grid.crs), facts.grid.transform, time)


def _metric(crs: CRS, chip: ChipEmbeddings) -> str:
    if not crs.is_projected:
        raise LabelError(
            f"The chip {chip.stem} lies in degrees. Bring its label to metres, e.g. with gdalwarp."
        )
    return crs_text(crs)


def _require_same_place(chip: ChipEmbeddings, dataset: DatasetReader, label: DatasetReader) -> None:
    """Check that embeddings with a place of their own lie where their label does, where one CRS tells both."""
    if dataset.crs != label.crs:
        return
    apart = np.abs(np.subtract(dataset.bounds, label.bounds)).max()
    if apart > _SAME_PLACE_PX * abs(label.transform.a):
        raise LabelError(
            f"The embeddings of {chip.stem} lie {apart:,.0f} m away from {chip.label.name}. Check that the files belong "
            f"together."
        )

"""The rows of one chip whose embeddings are a GeoTIFF, on the pixels of its label raster.

TerraTorch writes no nodata and often no CRS, and fits its predictions to the pixels of the label: the label says how many
pixels a patch has.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from engine.errors import StoreError
from engine.extraction.embedding_files.chips import ChipEmbeddings
from engine.extraction.embedding_files.place import place_of
from engine.imagery.raster.rasters import in_short, open_raster
from engine.store.schema import StoredTile, TileRows


def read_chip(chip: ChipEmbeddings) -> TileRows:
    """The embeddings of a chip, NaN or nodata as gaps.

    Raises:
        StoreError: a file that is damaged, holds complex numbers, or whose patches do not divide the label's pixels.
        LabelError: as `place_of`.
    """
    assert isinstance(chip.found, Path)
    try:
        with open_raster(chip.found) as dataset, open_raster(chip.label) as label:
            values = dataset.read()
            tile = _tile(chip, dataset, label)
            nodata = dataset.nodata
    except RasterioError as err:
        raise StoreError(
            f"The embeddings of {chip.stem} cannot be read ({in_short(err)}). Make them again."
        ) from err
    rows = np.moveaxis(values, 0, -1).reshape(tile.rows, -1).astype(np.float32)  # (h * w, D)
    is_gap = ~np.isfinite(rows).all(axis=1)
    if nodata is not None and np.isfinite(nodata):
        is_gap |= (rows == np.float32(nodata)).all(axis=1)
    rows[is_gap] = 0
    return TileRows(tile, (rows,), (~is_gap).astype(np.float32))


def _tile(chip: ChipEmbeddings, dataset: DatasetReader, label: DatasetReader) -> StoredTile:
    h, w = dataset.height, dataset.width
    if label.height % h or label.width % w or label.height // h != label.width // w:
        raise StoreError(
            f"The embeddings of {chip.stem} have {h} x {w} patches, which do not divide the {label.height} x {label.width} "
            f"pixels of {chip.label.name} into squares. Crop the label to what was embedded."
        )
    place = place_of(chip, dataset, label)
    return StoredTile(
        id=chip.id, crs=place.crs, transform=tuple(float(one) for one in place.transform[:6]), h=h, w=w,
        height_px=label.height, width_px=label.width, datetimes=(place.time,), scene_ids=(chip.id,), split=chip.split,
    )  # fmt: skip

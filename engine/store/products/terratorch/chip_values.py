"""The embeddings of one chip, (h, w, D), from a GeoTIFF of its own or a row of a table."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import StoreError
from engine.imagery.raster.rasters import damage_told, open_raster
from engine.store.products.tables.nested import array_of
from engine.store.products.terratorch.chip_files import ChipFile, values_column
from engine.store.products.terratorch.patch_layout import PatchLayout


class ChipReader:
    """Reads the chips of some layers; of a table the row group that was read last stays in memory."""

    def __init__(self, layouts: Mapping[int, PatchLayout]) -> None:
        """Nothing is read yet.

        Args:
            layouts: of each layer that lies in tables.
        """
        self._layouts = layouts
        self._lock = threading.Lock()
        self._group: tuple[tuple[Path, int], pa.ChunkedArray] | None = None

    def read(self, layer: int, chip: ChipFile) -> np.ndarray:
        """(h, w, D) float32; NaN, and the nodata of a GeoTIFF, are gaps.

        Raises:
            StoreError: it is damaged, or of another shape than the first chip.
            SceneError: a GeoTIFF is damaged.
        """
        if chip.row is None:
            return _of_tiff(chip.path)
        return self._layouts[layer].of(self.nested(chip), f"{chip.path.name}, row {chip.row},")

    def nested(self, chip: ChipFile) -> np.ndarray:
        """The array of a row of a table, as it is."""
        assert chip.row is not None
        try:
            with self._lock, pq.ParquetFile(chip.path) as file:
                column, inside = self._column(file, chip.path, chip.row)
                return array_of(column.slice(inside, 1), chip.path.name)[0]
        except (OSError, pa.ArrowException) as err:
            raise StoreError(
                f"{chip.path} is damaged or gone ({' '.join(str(err).split())[:80]}). Copy or download it again."
            ) from err

    def _column(self, file: pq.ParquetFile, path: Path, row: int) -> tuple[pa.ChunkedArray, int]:
        """The column of the row group with a row, and the row's number in it."""
        first, group = 0, 0
        while group < file.num_row_groups - 1 and row >= first + file.metadata.row_group(group).num_rows:
            first, group = first + file.metadata.row_group(group).num_rows, group + 1
        if self._group is None or self._group[0] != (path, group):
            name = values_column(file.schema_arrow)
            if name is None:
                raise StoreError(f"{path.name} holds no column of embeddings. Give the file again.")
            self._group = (path, group), file.read_row_group(group, columns=[name])[name]
        return self._group[1], row - first


def _of_tiff(path: Path) -> np.ndarray:
    with open_raster(path) as dataset, damage_told(path, "it"):
        values = np.moveaxis(dataset.read(), 0, -1)
        nodata = dataset.nodata
    if values.dtype.kind == "c":
        raise StoreError(f"{path.name} holds complex numbers. Give embeddings of real ones.")
    exact = values.astype(np.float32)
    if nodata is not None and np.isfinite(nodata):
        exact[(values == nodata).all(axis=-1)] = np.nan
    return np.ascontiguousarray(exact)

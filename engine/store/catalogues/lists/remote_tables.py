"""Parquet files on other computers, of which only the columns and row groups that are wanted are fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import EngineError, RemoteError
from engine.imagery.remote.fetching import RemoteRaster
from engine.imagery.remote.remote_file import RemoteFile, forget_failure, raise_failure

# Whether a row group may hold what is wanted, by the smallest and largest value of a column.
Meets = Callable[[Any, Any], bool]


class _Readable:
    """A file on another computer as pyarrow reads one."""

    def __init__(self, raster: RemoteRaster) -> None:
        self._file = RemoteFile(raster)
        self.closed = False

    def read(self, count: int | None = None) -> bytes:
        return self._file.read(-1 if count is None else count)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self.closed = True


@contextmanager
def opened_parquet(raster: RemoteRaster) -> Iterator[pq.ParquetFile]:
    """A Parquet file on another computer; what cannot be fetched inside it is raised as it happened.

    Raises:
        RemoteError: it cannot be had, or is no Parquet.
    """
    forget_failure()
    try:
        with pq.ParquetFile(pa.PythonFile(_Readable(raster), mode="r"), pre_buffer=False) as file:
            yield file
        raise_failure()
    except EngineError:
        raise
    except (
        OSError,
        pa.ArrowException,
        TypeError,
        ValueError,
        KeyError,
    ) as err:  # also columns of another type
        raise_failure()
        why = " ".join(str(err).split())[:100]
        raise raster.told(
            f"it cannot be read as the Parquet that is meant ({why}). Check its address."
        ) from err


def group_starts(file: pq.ParquetFile) -> np.ndarray:
    """The first row of each row group, and the end of the last."""
    return np.cumsum([0, *(file.metadata.row_group(group).num_rows for group in range(file.num_row_groups))])


def groups_where(file: pq.ParquetFile, conditions: dict[str, Meets]) -> list[int]:
    """Row groups that the statistics of some columns do not exclude."""
    numbers = {file.schema.column(number).path: number for number in range(len(file.schema))}
    kept = []
    for group in range(file.num_row_groups):
        found = file.metadata.row_group(group)
        stated = {name: found.column(numbers[name]).statistics for name in conditions if name in numbers}
        if all(
            one is None or not one.has_min_max or conditions[name](one.min, one.max)
            for name, one in stated.items()
        ):
            kept.append(group)
    return kept


def column_ranges(
    file: pq.ParquetFile, groups: Sequence[int], columns: Sequence[str]
) -> list[tuple[int, int]]:
    """The bytes that hold some columns of some row groups; nested columns count with all that is in them."""
    found = []
    for group in groups:
        told = file.metadata.row_group(group)
        for number in range(told.num_columns):
            chunk = told.column(number)
            if chunk.path_in_schema.split(".")[0] in columns:
                first = chunk.data_page_offset
                if chunk.has_dictionary_page and chunk.dictionary_page_offset:
                    first = min(first, chunk.dictionary_page_offset)
                found.append((first, first + chunk.total_compressed_size))
    return found


def require_columns(names: Sequence[str], wanted: Sequence[str], raster: RemoteRaster) -> None:
    """Check that a list of files has the columns that are read.

    Raises:
        RemoteError: one is absent.
    """
    absent = [name for name in wanted if name not in names]
    if absent:
        raise RemoteError(
            f"{raster.what} has no column {', '.join(absent)}; it has {', '.join(list(names)[:12])}. Check the address of the catalogue."
        )

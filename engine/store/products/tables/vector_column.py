"""The column of a Parquet file that holds embeddings, and what stands beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import StoreError
from engine.store.products.decoding import AS_STORED
from engine.store.products.tables.geometry_column import GeometryColumn, footer, geometry_of
from engine.store.products.tables.nested import array_of, is_list

_VECTOR_NAMES = ("embedding", "embeddings")
_TIME_NAMES = ("datetime", "timestamp", "date", "acquired", "start_datetime", "time", "year")
_LEAST_DIM = 8


@dataclass(frozen=True)
class Columns:
    """The columns that are read.

    Attributes:
        time: None where no row states one.
        scale: number that whole numbers are multiplied by, and what is added then; None where numbers are embeddings.
    """

    vector: str
    place: GeometryColumn
    time: str | None
    scale: tuple[float, float] | None = None

    @property
    def geometry(self) -> str:
        """The column that says where rows lie."""
        return self.place.name


def columns_of(file: pq.ParquetFile, where: str) -> Columns:
    """The columns of a GeoParquet file of embeddings.

    Raises:
        StoreError: there is no vector column or several, no geometry, or whole numbers without a scale.
    """
    schema = file.schema_arrow
    vectors = [field.name for field in schema if _is_vector(field)]
    named = [name for name in vectors if name in _VECTOR_NAMES]
    if len(named or vectors) != 1:
        told = f"several columns of vectors ({', '.join(vectors[:8])})" if vectors else "no column of vectors"
        raise StoreError(
            f"{where} has {told}. Name the one that holds the embeddings `embedding`, a list of numbers a row."
        )
    place = geometry_of(file, where)
    vector = (named or vectors)[0]
    is_whole = pa.types.is_integer(schema.field(vector).type.value_type)
    return Columns(vector, place, time_column(file), _scale(file, vector, where) if is_whole else None)


def time_column(file: pq.ParquetFile) -> str | None:
    """The column with the times of rows."""
    return next((name for name in _TIME_NAMES if name in file.schema_arrow.names), None)


def told_of(file: pq.ParquetFile) -> dict[str, Any]:
    """The footer `emb` of a file, as geoembeddings.org describes it; empty without one."""
    return footer(file, b"emb")


def vectors(column: pa.ChunkedArray, where: str, scale: tuple[float, float] | None = None) -> np.ndarray:
    """(n, D) float32 of a list column.

    Args:
        scale: of whole numbers, and what is added to their product.

    Raises:
        StoreError: rows of different length, or without an embedding.
    """
    found = array_of(column, where, scale)
    if found.ndim != 2:
        raise StoreError(
            f"The column of vectors of {where} holds lists in lists. Name it `embedding`, to be read as chips."
        )
    if len(found) and found.shape[1] < _LEAST_DIM:
        raise StoreError(
            f"The vectors of {where} have {found.shape[1]} numbers, too few for embeddings. Name the column `embedding`."
        )
    return found


def scale_in_words(scale: tuple[float, float] | None) -> str:
    """How numbers become embeddings, as a person reads it."""
    return AS_STORED.words if scale is None else f"v times {scale[0]:g}, plus {scale[1]:g}"


def _is_vector(field: pa.Field) -> bool:
    """Lists of real numbers; of whole ones where they are named as embeddings, for else they are indices or labels."""
    if not is_list(field.type):
        return False
    of = field.type.value_type
    return bool(pa.types.is_floating(of) or (pa.types.is_integer(of) and field.name in _VECTOR_NAMES))


def _scale(file: pq.ParquetFile, vector: str, where: str) -> tuple[float, float]:
    """Scale and offset of whole numbers, as the footer `emb` states them.

    Raises:
        StoreError: it does not.
    """
    embedding = told_of(file).get("embedding")
    found = embedding.get("quantization") if isinstance(embedding, dict) else None
    stated: dict[str, Any] = found if isinstance(found, dict) else {}
    nested = stated.get("scale")
    stated = nested if isinstance(nested, dict) else stated
    scale, offset = stated.get("scale"), stated.get("offset") or 0
    if not isinstance(scale, int | float) or not isinstance(offset, int | float):
        raise StoreError(
            f"{where} holds whole numbers in {vector}, and its footer `emb` states no scale, so that nothing tells how they become "
            f"embeddings. State embedding.quantization.scale, or write them as floats."
        )
    return float(scale), float(offset)

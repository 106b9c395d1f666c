"""The column of a Parquet file that holds embeddings, and what stands beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS
from pyproj.exceptions import CRSError

from engine.errors import StoreError

_VECTOR_NAMES = ("embedding", "embeddings")
_TIME_NAMES = ("datetime", "timestamp", "date", "acquired")
_LEAST_DIM = 8


@dataclass(frozen=True)
class Columns:
    """Names of the columns that are read; `time` is None where no row states one."""

    vector: str
    geometry: str
    time: str | None


def columns_of(file: pq.ParquetFile, where: str) -> Columns:
    """The columns of a GeoParquet file of embeddings.

    Raises:
        StoreError: there is no vector column or several, no geometry, or a CRS that is not longitude and latitude.
    """
    schema = file.schema_arrow
    vectors = [field.name for field in schema if _is_vector(field.type)]
    named = [name for name in vectors if name in _VECTOR_NAMES]
    if len(named or vectors) != 1:
        told = f"several columns of vectors ({', '.join(vectors[:8])})" if vectors else "no column of vectors"
        raise StoreError(f"{where} has {told}. Name the one that holds the embeddings `embedding`.")
    geo = _footer(file, b"geo")
    geometry = str(geo.get("primary_column", "geometry"))
    if geometry not in schema.names or not _is_binary(schema.field(geometry).type):
        raise StoreError(
            f"{where} has no geometry column: nothing tells where its embeddings lie. Write it as GeoParquet."
        )
    _require_lonlat(geo.get("columns", {}).get(geometry, {}), where)
    times = [name for name in _TIME_NAMES if name in schema.names]
    return Columns((named or vectors)[0], geometry, times[0] if times else None)


def told_of(file: pq.ParquetFile) -> dict[str, Any]:
    """The footer `emb` of a file, as geoembeddings.org describes it; empty without one."""
    return _footer(file, b"emb")


def vectors(column: pa.ChunkedArray, where: str) -> np.ndarray:
    """(n, D) float32 of a list column.

    Raises:
        StoreError: rows of different length, or without an embedding.
    """
    whole = column.combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    if whole.null_count:
        raise StoreError(f"{where} has {whole.null_count:,} rows without an embedding. Leave these rows out.")
    lengths = (
        [whole.type.list_size]
        if pa.types.is_fixed_size_list(whole.type)
        else sorted(set(np.diff(whole.offsets.to_numpy()).tolist()))
    )
    if len(lengths) > 1:
        raise StoreError(
            f"The column of vectors of {where} changes its length: {lengths[0]} to {lengths[-1]} numbers. Give a file of one "
            f"model's embeddings."
        )
    if lengths and lengths[0] < _LEAST_DIM:
        raise StoreError(
            f"The vectors of {where} have {lengths[0]} numbers, too few for embeddings. Name the column `embedding`."
        )
    return whole.flatten().to_numpy(zero_copy_only=False).astype(np.float32).reshape(len(whole), -1)


def _is_vector(kind: pa.DataType) -> bool:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return is_list and pa.types.is_floating(kind.value_type)


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _footer(file: pq.ParquetFile, key: bytes) -> dict[str, Any]:
    raw = (file.schema_arrow.metadata or {}).get(key) or (file.metadata.metadata or {}).get(key)
    try:
        tree = json.loads(raw) if raw else {}
    except ValueError:
        return {}
    return tree if isinstance(tree, dict) else {}


def _require_lonlat(column: dict[str, Any], where: str) -> None:
    """GeoParquet's default CRS is OGC:CRS84; EPSG:4326 is stored in the same order."""
    stated = column.get("crs", "OGC:CRS84")
    if stated is None:
        raise StoreError(f"The geometries of {where} have no CRS. Assign EPSG:4326 or bring them to it.")
    try:
        crs = CRS.from_user_input(stated)
    except CRSError as err:
        raise StoreError(
            f"The CRS of the geometries of {where} cannot be read. Bring them to EPSG:4326."
        ) from err
    if not (crs.is_geographic and crs.name.startswith("WGS 84")):
        raise StoreError(
            f"The geometries of {where} are in {crs.name}, and longitude and latitude (EPSG:4326) are read. Bring them to it."
        )

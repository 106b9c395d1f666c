"""Lists of a Parquet column as arrays: vectors, and lists nested in lists."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from engine.errors import StoreError


def array_of(
    column: pa.ChunkedArray | pa.Array, where: str, scale: tuple[float, float] | None = None
) -> np.ndarray:
    """(rows, ...) float32 of a column of lists, an axis a level.

    Args:
        where: the file's name, for messages.
        scale: of whole numbers, and what is added to their product.

    Raises:
        StoreError: rows without an embedding, lists of different length, or numbers that are no embeddings.
    """
    values = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = values.chunk(0) if values.num_chunks else pa.array([], values.type)
    if values.null_count:
        raise StoreError(
            f"{where} has {values.null_count:,} rows without an embedding. Leave these rows out."
        )
    shape = [len(values)]
    while is_list(values.type):
        shape.append(_length(values, where))
        values = values.flatten()
        if values.null_count:
            raise StoreError(
                f"{where} has {values.null_count:,} missing numbers inside its embeddings. Leave these rows out."
            )
    if scale is None and not pa.types.is_floating(values.type):
        raise StoreError(
            f"{where} holds {values.type} in its lists, and nothing tells how they become embeddings. Write them as floats."
        )
    numbers = values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(shape)
    return numbers if scale is None else numbers * np.float32(scale[0]) + np.float32(scale[1])


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is a list of any kind."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _length(values: pa.Array, where: str) -> int:
    """How many elements each list has.

    Raises:
        StoreError: they differ.
    """
    if pa.types.is_fixed_size_list(values.type):
        return int(values.type.list_size)
    lengths = np.diff(values.offsets.to_numpy())
    if not len(lengths):
        return 0
    if lengths.min() != lengths.max():
        raise StoreError(
            f"The column of vectors of {where} changes its length: {lengths.min()} to {lengths.max()} numbers. Give a file of one "
            f"model's embeddings."
        )
    return int(lengths[0])

"""How the stored numbers of a Zarr group become embeddings: by an array of scales, or one scale and offset, or one a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import StoreError
from engine.store.products.zarr.group import Layout, ZarrGroup, names_of
from engine.store.products.zarr.group_attributes import stated

_SCALES = "scales"
_GAP_KEYS = ("nodata", "_FillValue", "missing_value", "fill_value")


@dataclass(frozen=True)
class Scaling:
    """How numbers are decoded.

    Attributes:
        words: as a person reads it; empty where numbers are embeddings already.
        array: name of the array with a scale a pixel; None where there is none.
        factor, offset: () or (D,) float32; of numbers without an array.
    """

    words: str = ""
    array: str | None = None
    factor: np.ndarray | None = None
    offset: np.ndarray | None = None


def scaling_of(group: ZarrGroup, layout: Layout) -> Scaling:
    """What the group states.

    Raises:
        StoreError: whole numbers without a scale, or a scale of a form that is not known.
    """
    if _SCALES in group.arrays:
        return _of_array(group, layout, _SCALES)
    told = stated("quantization", group.attributes, group.above)
    told = told if isinstance(told, dict) else {}
    scale: Any = told.get("scale")
    offset: Any = told.get("offset", told.get("zero_point_value"))
    if isinstance(scale, dict):
        named = scale.get("array_name")
        if named in group.arrays:
            return _of_array(group, layout, str(named))
        offset, scale = scale.get("offset"), scale.get("scale")
    if scale is None:
        scale, offset = (group.attributes.get(key) for key in ("scale_factor", "add_offset"))
    if scale is not None:
        return _linear(group, layout, scale, 0 if offset is None else offset)
    if np.issubdtype(group.embeddings.dtype, np.integer):
        raise StoreError(
            f"{group.name} holds whole numbers and no array named {_SCALES}, without which they mean nothing. Fetch it too."
        )
    return Scaling()


def gaps_of(group: ZarrGroup, scaling: Scaling) -> tuple[float, ...]:
    """Numbers that mark a gap where all of an embedding are such, beside NaN, infinity and zero.

    Whole numbers have their chunks that were never written filled with the array's fill value, and -128 is left free by a
    symmetric quantisation to 8 bits.
    """
    told = [group.attributes.get(key) for key in _GAP_KEYS]
    found = [float(one) for one in told if isinstance(one, int | float) and np.isfinite(one)]
    dtype = np.dtype(group.embeddings.dtype)
    if not np.issubdtype(dtype, np.integer):
        return tuple(found)
    filled = getattr(group.embeddings, "fill_value", None)
    if filled is not None:
        found.append(float(filled))
    is_symmetric = scaling.offset is None or not np.any(scaling.offset)
    return tuple(dict.fromkeys([*found, *([-128.0] if dtype == np.int8 and is_symmetric else [])]))


def gaps_in_words(scaling: Scaling, gaps: Sequence[float]) -> str:
    """What marks a gap."""
    numbers = [f"{one:g}" for one in gaps if one != 0]
    marks = " or ".join([*numbers, "zero"]) + " in all numbers"
    return f"a scale that is NaN, infinite or zero; {marks}" if scaling.array else f"NaN in a number; {marks}"


def decoded(
    group: ZarrGroup, scaling: Scaling, values: np.ndarray, rows: slice, columns: slice, date: int
) -> np.ndarray:
    """(h, w, D) embeddings of stored numbers.

    Args:
        values: (h, w, D) of these rows and columns.
    """
    if scaling.array is not None:
        return values.astype(np.float32) * _scales(group, scaling.array, rows, columns, date)
    if scaling.factor is None or scaling.offset is None:
        return values
    return values.astype(np.float32) * scaling.factor + scaling.offset


def _of_array(group: ZarrGroup, layout: Layout, name: str) -> Scaling:
    """A scale a pixel, of each date or of all; or one a dimension.

    Raises:
        StoreError: the array has another shape.
    """
    array, shape = group.arrays[name], group.embeddings.shape
    place = (shape[layout.row], shape[layout.column])
    dates = () if layout.time is None else (shape[layout.time],)
    if array.shape in ((*dates, *place), place):
        return Scaling("v times its scale", array=name)
    if array.shape == (shape[layout.dim],):
        factor = np.asarray(group.read(name, (slice(0, array.shape[0]),)), np.float32)
        return Scaling("v times the scale of its dimension", factor=factor, offset=np.zeros(1, np.float32))
    raise StoreError(
        f"The scales of {group.name} ({name}) lie by {', '.join(names_of(array))} with the shape {array.shape}, which does not fit the "
        f"embeddings' {shape}. Fetch the group again."
    )


def _linear(group: ZarrGroup, layout: Layout, scale: Any, offset: Any) -> Scaling:
    """One scale and offset, or one a dimension.

    Raises:
        StoreError: they are no numbers, or not as many as dimensions.
    """
    dim = group.embeddings.shape[layout.dim]
    try:
        factor, added = (np.asarray(one, np.float32) for one in (scale, offset))
    except (TypeError, ValueError) as err:
        raise StoreError(
            f"The scale of {group.name} is no number ({str(scale)[:60]}). Fetch its metadata again."
        ) from err
    if any(one.shape not in ((), (1,), (dim,)) or not np.isfinite(one).all() for one in (factor, added)):
        raise StoreError(
            f"{group.name} states {factor.size} scales and {added.size} offsets for embeddings of {dim} numbers. Fetch its metadata again."
        )
    is_one = factor.size == 1 and added.size == 1
    words = (
        f"v times {factor.item():g}, plus {added.item():g}"
        if is_one
        else "v times the scale of its dimension, plus its offset"
    )
    return Scaling(words, factor=factor, offset=added)


def _scales(group: ZarrGroup, name: str, rows: slice, columns: slice, date: int) -> np.ndarray:
    """(h, w, 1) float32; NaN is water and infinity not filled in TESSERA's stores."""
    has_dates = group.arrays[name].ndim == 3
    read = group.read(name, (date, rows, columns) if has_dates else (rows, columns)).astype(np.float32)
    return np.where(np.isfinite(read), read, np.float32("nan"))[..., None]

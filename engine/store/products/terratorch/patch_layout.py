"""How the numbers of a chip lie in the nested lists of a table: TerraTorch writes (C, H, W), tokens by dimensions, or one vector."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.errors import StoreError

Order = Literal["vector", "tokens", "channels_first", "channels_last"]
_LEAST_DIM = 8


@dataclass(frozen=True)
class PatchLayout:
    """Where the patches of a chip are in its array.

    Attributes:
        shape: of the array.
        h, w: patches down and across.
        left_out: tokens before those of the patches, such as the class token.
    """

    order: Order
    shape: tuple[int, ...]
    h: int
    w: int
    left_out: int = 0

    @property
    def dim(self) -> int:
        """Dimensions of a patch."""
        return self.shape[0 if self.order in ("channels_first", "vector") else -1]

    @property
    def note(self) -> str:
        """What is to be known of it; empty where nothing is."""
        told = f"{' x '.join(map(str, self.shape))} numbers a chip are taken as"
        if self.order == "tokens":
            besides = f" after {self.left_out} class token" if self.left_out else ""
            return (
                f"{told} {self.h} x {self.w} patches, row by row,{besides} of {self.shape[1]} numbers each."
            )
        if self.order == "channels_last":
            return f"{told} rows, columns and dimensions: in this order alone the patches are square."
        return (
            f"{told} dimensions, rows and columns, as TerraTorch writes them."
            if self.order == "channels_first"
            else ""
        )

    def of(self, values: np.ndarray, where: str) -> np.ndarray:
        """(h, w, D) of a chip's array.

        Raises:
            StoreError: the array is of another shape.
        """
        if values.shape != self.shape:
            raise StoreError(
                f"{where} has {' x '.join(map(str, values.shape))} numbers, and {' x '.join(map(str, self.shape))} are expected, as in "
                f"the first chip. Give chips of one kind."
            )
        if self.order == "channels_first":
            return np.ascontiguousarray(np.moveaxis(values, 0, -1))
        if self.order == "channels_last":
            return values
        return (
            values[self.left_out :].reshape(self.h, self.w, -1)
            if self.order == "tokens"
            else values.reshape(1, 1, -1)
        )


def layout_of(shape: tuple[int, ...], aspect: float, where: str) -> PatchLayout:
    """The layout of arrays of a shape.

    Args:
        aspect: height of a chip over its width, on the ground or in pixels; patches are square.

    Raises:
        StoreError: no order of the axes gives square patches.
    """
    found = _found(shape, aspect)
    if found is None:
        raise StoreError(
            f"{where} holds {' x '.join(map(str, shape))} numbers a chip, and nothing tells which of them are of which patch: neither "
            f"dimensions x rows x columns nor patches x dimensions gives square patches on a chip {_words(aspect)}. Write the "
            f"embeddings as GeoTIFF, or one vector a chip."
        )
    if found.dim < _LEAST_DIM:
        raise StoreError(
            f"{where} has embeddings of {found.dim} numbers, too few. Check which column holds them."
        )
    return found


def _found(shape: tuple[int, ...], aspect: float) -> PatchLayout | None:
    match shape:
        case (_,):
            return PatchLayout("vector", shape, 1, 1)
        case (tokens, _):
            for left_out in (0, 1):
                grid = _grid(tokens - left_out, aspect)
                if grid is not None:
                    return PatchLayout("tokens", shape, *grid, left_out)
        case (first, second, third):
            if first >= _LEAST_DIM and _is_square(second, third, aspect):
                return PatchLayout("channels_first", shape, second, third)
            if third >= _LEAST_DIM and _is_square(first, second, aspect):
                return PatchLayout("channels_last", shape, first, second)
    return None


def _grid(tokens: int, aspect: float) -> tuple[int, int] | None:
    """Rows and columns of square patches; None where there are none."""
    h = round(math.sqrt(tokens * aspect)) if tokens > 0 else 0
    return (h, tokens // h) if h and tokens % h == 0 and _is_square(h, tokens // h, aspect) else None


def _is_square(h: int, w: int, aspect: float) -> bool:
    return abs(h / w / aspect - 1) < 0.02


def _words(aspect: float) -> str:
    return "that is square" if abs(aspect - 1) < 0.02 else f"that is {aspect:.3g} times as high as wide"

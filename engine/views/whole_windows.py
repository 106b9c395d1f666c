"""Which rows a fit is made on: those whose window was whole, for padding and gaps show in every patch of a window."""

from __future__ import annotations

from typing import Literal

import numpy as np

from engine.errors import StoreError
from engine.store.store import EmbeddingStore

Windows = Literal["whole", "all"]
# A window of which so much is valid counts as whole: of 224 px, 15 may lie beyond the scene along a side (the patch in
# which it ends), and are mirrored.
WHOLE = 0.9
# Where fewer of the rows with data have a whole window, they do not stand for the store, and all rows count.
_LEAST_SHARE = 0.1


def rows_to_fit(store: EmbeddingStore, windows: Windows = "whole") -> tuple[np.ndarray, Windows]:
    """(rows,) bool: rows with data whose window is whole, or all rows with data; and which of the two it is.

    Raises:
        StoreError: no row has data.
    """
    has_data = store.read_valid_fraction() > 0
    if not has_data.any():
        raise StoreError(f"{store.folder} has no patch with data. Extract another region.")
    if windows == "whole":
        whole = has_data & (window_fraction(store) >= WHOLE)
        if whole.sum() >= _LEAST_SHARE * has_data.sum():
            return whole, "whole"
    return has_data, "all"


def window_fraction(store: EmbeddingStore) -> np.ndarray:
    """(rows,) which part of the window behind each row was valid, 0 to 1.

    Stores of earlier versions do not keep it: the mean over the tile is taken, or 1 where a region was drawn, whose
    tiles have ground around them that was seen and not stored.
    """
    kept = store.read_window_fraction()
    if kept is not None:
        return kept
    valid = store.read_valid_fraction()
    if store.meta.config.get("region") is not None:
        return np.ones_like(valid)
    rows = [tile.rows for tile in store.tiles]
    means = np.add.reduceat(valid, np.cumsum([0, *rows[:-1]])) / rows
    return np.repeat(means, rows).astype(np.float32)

"""Which patch is worth a label next: the least sure, the most unlike all labelled, or one of a region without labels."""

from __future__ import annotations

from typing import Literal

import numpy as np

from engine.errors import LabelError
from engine.views.lens.lens import Lens

Ask = Literal["unsure", "unlike", "region"]
ASKS: dict[Ask, str] = {
    "unsure": "where it is least sure",
    "unlike": "most unlike all labels",
    "region": "in a part of the map without labels",
}
# The map is divided into so many parts along each side.
_PARTS = 4
_BLOCK = 65_536


def next_patch(
    numbers: np.ndarray,
    places: np.ndarray,
    labelled: np.ndarray,
    lens: Lens | None,
    ask: Ask,
    unsure: np.ndarray | None = None,
) -> int:
    """The number of a patch.

    Args:
        numbers: (n, k) components of all patches, NaN without data.
        places: (n, 2) of them, in any unit, for the parts of the map.
        labelled: numbers of patches that have a label.
        lens: how unsure the classifier is, on components; None: there is none yet, or `unsure` says it.
        unsure: (n,) how unsure it is, where that is no linear map of components.

    Raises:
        LabelError: every patch has a label, or has no data.
    """
    is_free = np.isfinite(numbers[:, 0])
    is_free[labelled] = False
    free = np.flatnonzero(is_free)
    if not len(free):
        raise LabelError("Every patch with data has a label.")
    if ask == "region":
        free = _emptiest(places, labelled, free)
    if unsure is not None and ask != "unlike":
        worth = unsure[free]
    elif ask == "unlike" or (lens is None and len(labelled)):
        worth = _unlike(numbers[free], numbers[labelled[np.isfinite(numbers[labelled, 0])]])
    elif lens is None:
        worth = -np.abs(numbers[free] - np.nanmedian(numbers[free], axis=0)).sum(axis=1)
    else:
        worth = lens.values(numbers[free])[:, 0]
    return int(free[np.argmax(worth)])


def _unlike(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Squared distance to the nearest of the known ones."""
    if not len(known):
        return np.zeros(len(asked))
    lengths = (known**2).sum(axis=1)
    parts = [asked[first : first + _BLOCK] for first in range(0, len(asked), _BLOCK)]
    return np.concatenate(
        [(part**2).sum(axis=1) + (lengths - 2 * part @ known.T).min(axis=1) for part in parts]
    )


def _emptiest(places: np.ndarray, labelled: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The free patches of the part of the map with fewest labels; of parts alike the largest."""
    low, high = places.min(axis=0), places.max(axis=0)
    share = (places - low) / np.where(high > low, high - low, 1)
    cell = np.minimum((share * _PARTS).astype(int), _PARTS - 1) @ np.array([1, _PARTS])
    labels = np.bincount(cell[labelled], minlength=_PARTS**2)
    sizes = np.bincount(cell[free], minlength=_PARTS**2)
    order = np.lexsort((-sizes, labels))
    chosen = next(one for one in order if sizes[one])
    return np.asarray(free[cell[free] == chosen])

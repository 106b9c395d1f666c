"""What part of a picture is owed to its border: padding that an encoder saw shows in the patches beside it."""

from __future__ import annotations

import numpy as np

from engine.store.schema import StoredTile
from engine.views.layer_view import LayerView
from engine.views.neighbourhood_mean import GROUND_PX
from engine.views.pca import Pca
from engine.views.surroundings import Surroundings


def border_share(view: LayerView, fitted: Pca) -> float | None:
    """Share of the variance of the components owed to the outermost patches, over their share of the patches.

    1 where they are like all others. The outermost patches are those with data that lie within 16 px of ground without
    data: at the end of the scene, of the region, or of a gap.

    Args:
        fitted: of the view.

    Returns:
        None where no patch, or every patch, is one of the outermost, or where nothing varies.
    """
    from scipy.ndimage import minimum_filter  # the pages import this file and seldom need it

    valid_of = view.valid_by_tile()

    def read(tile: StoredTile) -> tuple[np.ndarray, np.ndarray]:
        return valid_of[tile.id][..., None], valid_of[tile.id]

    largest = max(tile.rows for tile in view.store.tiles) * 8
    reach = -(-GROUND_PX // view.store.meta.patch_px)
    surroundings = Surroundings(view.store, read, reach, largest)
    squares, counts = np.zeros(2), np.zeros(2, np.int64)
    for tile, values, valid in view.tiles():
        _, around = surroundings.around(tile)
        inside = minimum_filter((around > 0).astype(np.uint8), 2 * reach + 1)[reach:-reach, reach:-reach] > 0
        lengths = (fitted.project(values).astype(np.float64) ** 2).sum(axis=-1)
        for number, which in enumerate((inside, ~inside)):
            here = which & (valid > 0)
            squares[number] += lengths[here].sum()
            counts[number] += here.sum()
    if not counts.all() or not squares.sum():
        return None
    return float((squares[1] / squares.sum()) / (counts[1] / counts.sum()))

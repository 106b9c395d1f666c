"""Several stores held against each other: likeness of every pair, and colours that mean the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from engine.errors import StoreError
from engine.views.comparing.aligned_colours import COMPONENTS, AlignedColours, aligned, first_three
from engine.views.comparing.dated_view import DatedView
from engine.views.comparing.likeness import NeighbourOverlap, linear_cka, neighbour_overlap
from engine.views.comparing.shared_ground import SharedGround, require_varied, shared_ground
from engine.views.layer_view import LayerView
from engine.views.pca import Pca, pca_of

MOST_VIEWS = 4


@dataclass(frozen=True)
class Pair:
    """Two views by their number, and how alike they are.

    Attributes:
        cka: linear centred kernel alignment, 0 to 1.
    """

    first: int
    second: int
    cka: float
    overlap: NeighbourOverlap


@dataclass(frozen=True)
class Comparison:
    """What several views have in common.

    Attributes:
        ground: the patches that they are compared on.
        pairs: every two views, in order.
        colours: components as colours of each view: those of the first, and the others' turned onto them. Correlations
            of the first are 1.
    """

    ground: SharedGround
    pairs: tuple[Pair, ...]
    colours: tuple[AlignedColours, ...]

    def table(self, name: str) -> np.ndarray:
        """(views, views) of `cka` or `overlap`, 1 with itself."""
        found = np.eye(len(self.ground.views))
        for pair in self.pairs:
            value = pair.cka if name == "cka" else pair.overlap.share
            found[pair.first, pair.second] = found[pair.second, pair.first] = value
        return found


def compare(views: Sequence[DatedView]) -> Comparison:
    """Compare two to four views on the ground that all of them share.

    Raises:
        StoreError: another number of views, views that share no ground, embeddings that are the same everywhere or not
            finite.
    """
    if not 2 <= len(views) <= MOST_VIEWS:
        raise StoreError(
            f"{len(views)} stores were given; 2 to {MOST_VIEWS} are compared. Choose as many, or one twice with --layers."
        )
    ground = shared_ground(views)
    require_varied(ground)
    pairs = tuple(
        Pair(one, other, linear_cka(first, second), neighbour_overlap(first, second))
        for (one, first), (other, second) in combinations(enumerate(ground.embeddings), 2)
    )
    return Comparison(ground, pairs, aligned_colours(ground))


def aligned_colours(ground: SharedGround) -> tuple[AlignedColours, ...]:
    """Colours of the first view, and those of the others turned onto them."""
    fitted = [components_of(view.view) for view in ground.views]
    first = AlignedColours(first_three(fitted[0]), (1.0, 1.0, 1.0))
    turned = [
        aligned(own, values, fitted[0], ground.embeddings[0])
        for own, values in zip(fitted[1:], ground.embeddings[1:], strict=True)
    ]
    return first, *turned


def components_of(view: LayerView) -> Pca:
    """The components that are turned, kept beside the store.

    Raises:
        StoreError: embeddings of fewer than three numbers, or as `pca_of`.
    """
    dim = view.store.meta.dims[view.store.meta.layers.index(view.layer)]
    return pca_of(view, min(COMPONENTS, dim))

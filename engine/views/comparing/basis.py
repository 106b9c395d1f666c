"""Components of one store as colours of another: ground that looks alike to the backbone has one colour in both."""

from __future__ import annotations

from engine.errors import StoreError
from engine.views.comparing.change import require_same_space
from engine.views.comparing.dated_view import LAST, dated, has_several_dates
from engine.views.layer_view import LayerView
from engine.views.pca import Pca, pca_of


def basis_of(other: LayerView, view: LayerView, components: int) -> Pca:
    """The components of another store, for a view.

    Args:
        other: whose components and mean they are.
        view: that is to be seen in them.

    Raises:
        StoreError: stores of other backbones, weights, bands, settings or layers, whose embeddings mean other things; or as
            `pca_of`.
    """
    require_basis(other, view)
    return pca_of(other, components)


def require_basis(other: LayerView, view: LayerView) -> None:
    """Check that a view can be seen in another store's components.

    Raises:
        StoreError: as `basis_of`.
    """
    if (other.window, other.position) != (view.window, view.position):
        raise StoreError(
            f"{other.store.folder} is seen with means over {other.window} patches and position {other.position}, and "
            f"{view.store.folder} over {view.window} and {view.position}. Choose the same for both."
        )
    require_same_space(*(dated(one, LAST if has_several_dates(one.store) else None) for one in (other, view)))

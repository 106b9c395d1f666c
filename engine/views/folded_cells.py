"""How many patches of a finer layer stand side by side in one row of a store, and what is said of it."""

from __future__ import annotations

from engine.backbones import cards
from engine.errors import BackboneError
from engine.store.schema import StoreMeta


def cells_along_side(meta: StoreMeta, layer: int) -> int:
    """Patches of a layer along a side of a row: 1, or more where a coarser layer was kept as well.

    Args:
        layer: as counted by the backbone, one that the store keeps.
    """
    try:
        spec = cards.card(meta.backbone)
        stride = spec.stride_px(layer)
    except (BackboneError, IndexError):  # embeddings from elsewhere, or of a card that has changed
        return 1
    cells = max(1, meta.patch_px // stride)
    dim = meta.dims[meta.layers.index(layer)]
    return cells if meta.granularity == "patch" and dim == cells**2 * spec.layer_dim(layer) else 1


def folded_words(meta: StoreMeta, layer: int) -> str:
    """That a map of this layer is coarser than the layer; empty where it is not."""
    cells = cells_along_side(meta, layer)
    if cells == 1:
        return ""
    return (
        f"Layer {layer} has patches of {meta.patch_px // cells} px; this store has one row for {meta.patch_px} px, its coarsest "
        f"layer's, in which {cells} x {cells} of them stand side by side. Extract layer {layer} alone to see it in full resolution."
    )

"""The encoder behind a store, as its card has it: layers counted from the backbone's end, settings with defaults."""

from __future__ import annotations

from collections.abc import Sequence

from engine.backbones import cards
from engine.backbones.core.settings import settle
from engine.errors import BackboneError, StoreError
from engine.extraction.plan import resolve_layers
from engine.store.cells import cells_along_side
from engine.store.schema import StoreMeta


def layers_of(meta: StoreMeta, asked: Sequence[int] | None) -> tuple[int, ...]:
    """Layers of a store counted from 0, in the order asked; None: all that it keeps.

    Args:
        asked: negative ones count from the backbone's last layer, as in an extraction.

    Raises:
        StoreError: the store does not keep one of them.
        BackboneError: the backbone has no such layer, or one is named twice.
    """
    if asked is None:
        return meta.layers
    found = tuple(asked)
    if any(layer < 0 for layer in found) or len(set(found)) < len(found) or not found:
        spec = cards.resolve(cards.card(meta.backbone), settings_of(meta), meta.bands)
        found = resolve_layers(spec, asked)
    require_layers(found, meta.layers)
    return found


def cells_of(meta: StoreMeta, layers: Sequence[int]) -> tuple[int, ...]:
    """Cells along a side of a patch of some layers: more than one where a layer is finer than the patch.

    1 where cells cannot be told apart; see `store/cells.py`.
    """
    return tuple(cells_along_side(meta, layer) for layer in layers)


def require_layers(asked: Sequence[int], kept: Sequence[int]) -> None:
    """Check that layers are among those that a store keeps, or will keep.

    Raises:
        StoreError: naming those that are not.
    """
    absent = [str(layer) for layer in asked if layer not in kept]
    if absent:
        raise StoreError(
            f"The store has no layer {' and no layer '.join(absent)}; it keeps {', '.join(map(str, kept))}. Choose among "
            f"these, or extract with backbone.layers that hold it."
        )


def settings_of(meta: StoreMeta) -> dict[str, str]:
    """Every setting of the store's backbone with its value; as given, where this version has no such card."""
    given = {key: str(value) for key, value in meta.config.get("backbone", {}).get("settings", {}).items()}
    try:
        return settle(cards.card(meta.backbone), given)
    except BackboneError:
        return given

"""The health card of a store, measured once and kept beside it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.files import make_folder, read_json, write_atomic
from engine.store.store import FINISHED, EmbeddingStore
from engine.views.health.card import LayerHealth, health
from engine.views.health.imagery import Following
from engine.views.pca import identity_of
from engine.views.position import Position

logger = logging.getLogger(__name__)
# Counts up when a number is measured otherwise: cards of earlier versions are measured again.
_VERSION = 1


def measured(store: EmbeddingStore, root: Path, position: Position = "keep") -> list[LayerHealth]:
    """The health of every layer, read where it was measured before (`<run>/health/`).

    Args:
        root: where the extraction keeps what it made itself.

    Raises:
        StoreError: as `health`.
    """
    path, key = _path(store, position), _key(store)
    try:
        kept = read_json(path)
        if isinstance(kept, dict) and kept.get("key") == key:
            return [_layer(facts) for facts in kept["layers"]]
    except (FileNotFoundError, ValueError, TypeError, KeyError) as err:
        logger.info("Measuring again: %s", err)
    found = health(store, root, position)
    _keep(path, key, found)
    return found


def with_shift(
    store: EmbeddingStore,
    found: Sequence[LayerHealth],
    shifts: Mapping[int, float],
    position: Position = "keep",
) -> list[LayerHealth]:
    """The same with what a shift by one pixel does, kept beside the store."""
    told = [replace(layer, shift_sensitivity=shifts.get(layer.layer)) for layer in found]
    _keep(_path(store, position), _key(store), told)
    return told


def _keep(path: Path, key: str, found: Sequence[LayerHealth]) -> None:
    """Write the card; where the folder cannot be written, it is measured anew each time."""
    text = json.dumps({"key": key, "layers": [asdict(layer) for layer in found]}, indent=1)
    try:
        make_folder(path.parent)
        write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    except EngineError as err:
        logger.warning("The health card is not kept: %s", err)


def _layer(facts: dict[str, Any]) -> LayerHealth:
    """A layer from its JSON."""
    following = facts["following"]
    if following is not None:
        rows = {name: tuple(values) for name, values in following["correlations"].items()}
        following = Following(following["shares"], rows)
    return LayerHealth(**{**facts, "spectrum": tuple(facts["spectrum"]), "following": following})


def _path(store: EmbeddingStore, position: Position) -> Path:
    folder = store.folder.parent / "health" if store.folder.name == FINISHED else store.folder / "_health"
    return folder / f"position_{position}.json"


def _key(store: EmbeddingStore) -> str:
    """Changes with the store, and with the resolution at which its layers are measured."""
    cells = [store.at_own_patches(layer).cells for layer in store.meta.layers]
    return ":".join([str(_VERSION), identity_of(store), *(map(str, cells) if max(cells) > 1 else ())])

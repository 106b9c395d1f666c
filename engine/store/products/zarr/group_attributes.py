"""What the attributes of a Zarr group of embeddings state, and those of the store that it lies in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.files import read_json


def stated(key: str, *told: dict[str, Any]) -> Any:
    """What the first of some attributes says, with the prefix of the geoemb convention or without; None where none does."""
    found = [one[name] for one in told for name in (f"geoemb:{key}", key) if one.get(name)]
    return found[0] if found else None


def source_of(*told: dict[str, Any]) -> str:
    """The model, and what the embeddings were made from."""
    made_of = stated("source_data", *told)
    listed = made_of if isinstance(made_of, list) else []
    return " ".join(map(str, [stated("model", *told) or "", *listed]))


def above_of(group: Path) -> dict[str, Any]:
    """Attributes of the store that a group lies in, over those of one that the store itself lies in."""
    return {**_attributes(group.parents[1]), **_attributes(group.parent)} if len(group.parents) > 1 else {}


def _attributes(folder: Path) -> dict[str, Any]:
    """Of a Zarr group, of version 3 or 2."""
    try:
        tree = read_json(folder / "zarr.json")
        told = tree.get("attributes", {}) if isinstance(tree, dict) else {}
    except (OSError, ValueError):
        try:
            told = read_json(folder / ".zattrs")
        except (OSError, ValueError):
            return {}
    return told if isinstance(told, dict) else {}

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
    """Attributes of the store that a group lies in."""
    try:
        told = read_json(group.parent / "zarr.json").get("attributes", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return told if isinstance(told, dict) else {}

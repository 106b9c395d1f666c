"""What TerraTorch's configuration_summary.json says of the embeddings beside it, and an export of Emberscope besides.

Names and keys: terratorch/tasks/embedding_generation.py (release 1.2).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.backbones import cards
from engine.files import read_json
from engine.store.products.understood import UNKNOWN

SUMMARY = "configuration_summary.json"
OWN_KEY = "emberscope"
# What a store says of itself that a decoder is compared by.
OWN_FIELDS = (
    "weights_sha256", "bands", "sensor", "level", "is_simulated", "source", "config", "pooling",
)  # fmt: skip


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary above the folders of layers, or beside the files; empty without one."""
    for place in (folder.parent, folder):
        try:
            tree = read_json(place / SUMMARY)
        except (OSError, ValueError):
            continue
        if isinstance(tree, dict):
            return tree
    return {}


def own_fields(summary: dict[str, Any]) -> dict[str, Any]:
    """What an export of Emberscope says of its store; empty where another program wrote the files."""
    told = summary.get(OWN_KEY)
    if not isinstance(told, dict) or not all(key in told for key in OWN_FIELDS):
        return {}
    return {**{key: told[key] for key in OWN_FIELDS}, "bands": tuple(map(str, told["bands"]))}


def layer_of(summary: dict[str, Any], folder: str) -> int:
    """The layer of a folder, from 0; TerraTorch counts from 1."""
    listed = summary.get("layers")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and one.get("output_folder_name") == folder:
            number = one.get("layer_number")
            return number - 1 if isinstance(number, int) and number > 0 else 0
    return 0


def backbone_of(summary: dict[str, Any]) -> str:
    """TerraTorch's name of the backbone, as it is called here."""
    plain = str(summary.get("backbone") or UNKNOWN).removeprefix("terratorch_")
    is_of_timm = plain.startswith("timm_") and plain not in cards.CARDS
    return f"timm/{plain.removeprefix('timm_')}" if is_of_timm else plain

"""What a GeoTIFF that Emberscope exported says in its tags: the model, whether ground or weights are real, and the licence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.store.products.known import Product

_SIMULATED = "SIMULATED: these embeddings are of simulated imagery that no satellite has seen."
_RANDOM = "RANDOM WEIGHTS: the encoder of these embeddings was never trained."


def own_product(tags: Mapping[str, str]) -> Product | None:
    """The product that an export is; None for others' files.

    Args:
        tags: of the file, names in lower case.
    """
    model = tags.get("emberscope_backbone", "")
    if not model:
        return None
    own = own_of_tags(tags)
    said = [
        *([_SIMULATED] if own["is_simulated"] else []),
        *([_RANDOM] if own["weights_sha256"] == "random" else []),
    ]
    return Product(
        "an export of Emberscope", model[:64], False, tags.get("emberscope_licence", ""),
        tags.get("emberscope_attribution", ""), " ".join(said),
    )  # fmt: skip


def own_of_tags(tags: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a store's metadata that an export states; empty for others' files."""
    if "emberscope_backbone" not in tags:
        return {}
    weights = tags.get(
        "emberscope_weights", ""
    )  # GDAL keeps no empty tag: those of others' embeddings are not known
    return {
        "weights_sha256": "random" if weights.startswith("random") else weights,
        "is_simulated": tags.get("emberscope_simulated") == "yes",
        "source": tags.get("emberscope_source", ""),
    }

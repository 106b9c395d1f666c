"""What a GeoTIFF that Emberscope exported says in its tags: the model, whether ground or weights are real, and the licence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.store.products.known import Product

# Names the formula where 8-bit numbers are those of a publisher, whose embeddings are of length 1.
DECODING = "emberscope_decoding"
_LAYER = re.compile(r"\d{1,4}")
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
        "an export of Emberscope", model[:64], DECODING in tags, tags.get("emberscope_licence", ""),
        tags.get("emberscope_attribution", ""), " ".join(said),
    )  # fmt: skip


def is_own_map(tags: Mapping[str, str], descriptions: Sequence[str | None]) -> bool:
    """Whether a GeoTIFF is an export of a layer, with a band a dimension: few bands are not imagery then.

    Args:
        tags: of the file, names as they are.
        descriptions: of its bands.
    """
    model, layer = tags.get("EMBERSCOPE_BACKBONE", ""), tags.get("EMBERSCOPE_LAYER", "")
    named = (f"{model} layer {layer} dim {number}" for number in range(len(descriptions)))
    return bool(model) and all(one == name for one, name in zip(descriptions, named, strict=True))


def own_of_tags(tags: Mapping[str, str]) -> dict[str, Any]:
    """Fields of a store's metadata that an export states; empty for others' files."""
    if "emberscope_backbone" not in tags:
        return {}
    weights = tags.get(
        "emberscope_weights", ""
    )  # GDAL keeps no empty tag: those of others' embeddings are not known
    layer = tags.get("emberscope_layer", "")
    return {
        **({"layers": (int(layer),)} if _LAYER.fullmatch(layer) else {}),
        "weights_sha256": "random" if weights.startswith("random") else weights,
        "is_simulated": tags.get("emberscope_simulated") == "yes",
        "source": tags.get("emberscope_source", ""),
    }

"""The footer `emb` of a GeoParquet file of embeddings, beside `geo`: model, licence, dates, sources and dimensions.

Keys: the best practices for embeddings in GeoParquet (geoembeddings.org): version, model, providers, license, datetime,
datasets, embedding. What is not stated there is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.backbones import cards
from engine.files import slug
from engine.store.schema import StoredTile, StoreMeta

VERSION = "0.1.0"
# Pages of models whose embeddings others publish.
_PUBLISHED = {
    "alphaearth_v1": "https://developers.google.com/earth-engine/datasets/catalog/GOOGLE_SATELLITE_EMBEDDING_V1_ANNUAL",
    "tessera": "https://github.com/ucam-eo/tessera",
}


def emb_footer(
    meta: StoreMeta, tiles: Iterable[StoredTile], quantization: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What is told of a file of embeddings.

    Args:
        quantization: how numbers become embeddings, where they are stored in another type.
    """
    first, last = date_range(tiles)
    listed = sorted(set(meta.dims))
    told: dict[str, Any] = {
        "version": VERSION,
        "model": {"id": meta.backbone, "source": model_address(meta.backbone)},
        "providers": [{"name": meta.attribution}] if meta.attribution else [],
        "datetime": first if first == last else [first, last],
        "datasets": [meta.source] if meta.source else [],
        "embedding": {
            "dim": listed[0] if len(listed) == 1 else dict(zip(meta.columns, meta.dims, strict=True)),
            "quantization": dict(quantization) if quantization else None,
        },
    }
    if meta.licence:
        told["license"] = meta.licence
    if warnings := warnings_of(meta):
        told["notice"] = " ".join(warnings)
    return told


def warnings_of(meta: StoreMeta) -> tuple[str, ...]:
    """What every copy of the embeddings must say: that the ground is simulated, that nobody trained the encoder."""
    said = []
    if meta.is_simulated:
        said.append("SIMULATED: these embeddings are of simulated imagery that no satellite has seen.")
    if meta.is_random:
        said.append("RANDOM WEIGHTS: the encoder of these embeddings was never trained.")
    return tuple(said)


def model_address(backbone: str) -> str:
    """The publisher's page of a backbone, or a name of ours where none is known (RFC 8141)."""
    if backbone in _PUBLISHED:
        return _PUBLISHED[backbone]
    page = cards.CARDS[backbone].weights.page if backbone in cards.CARDS else ""
    if not page and backbone.startswith("timm/"):
        page = f"https://huggingface.co/{slug(backbone, './_-', most=120)}"
    return page or f"urn:emberscope:model:{slug(backbone, '._', most=120)}"


def date_range(tiles: Iterable[StoredTile]) -> tuple[str | None, str | None]:
    """First and last of the dates that tiles state, ISO 8601; None where none does."""
    stated = sorted({moment for tile in tiles for moment in tile.datetimes if moment})
    return (stated[0], stated[-1]) if stated else (None, None)

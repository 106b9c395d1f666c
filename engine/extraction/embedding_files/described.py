"""What is known of embedding files: what TerraTorch's summary beside them says, and the images that they were made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.backbones import cards
from engine.errors import BackboneError
from engine.extraction.embedding_files.chips import ChipEmbeddings
from engine.extraction.embedding_files.place import image_of
from engine.jobs.configuration.config import BackboneConfig, ChipsScene, ExtractConfig
from engine.store.products.terratorch.summary import SUMMARY, backbone_of, layer_of, own_fields, read_summary
from engine.store.products.understood import UNKNOWN
from engine.store.schema import StoreMeta
from engine.store.store import EmbeddingStore


@dataclass(frozen=True)
class Described:
    """What a store made of embedding files says of itself.

    Attributes:
        meta: of the store that the embeddings come from; None: they come from files.
        layer: of the backbone, from 0; 0 where nothing tells it.
        config: an extraction of the same images by the same backbone, so that their pixels are found.
        notes: what is not known, in sentences.
        own: what an export of Emberscope says besides, by the name of the field of a store.
    """

    meta: StoreMeta | None
    backbone: str = UNKNOWN
    layer: int = 0
    pooling: str | None = None
    bands: tuple[str, ...] = ()
    source: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    own: dict[str, Any] = field(default_factory=dict)


def described(chip: ChipEmbeddings) -> Described:
    """What is known of the embeddings of a chip, and so of all that lie beside them."""
    if isinstance(chip.found, EmbeddingStore):
        return Described(chip.found.meta)
    folder = chip.found.parent
    summary = read_summary(folder)
    backbone = backbone_of(summary)
    layer = layer_of(summary, folder.name)
    pooling = summary.get("embedding_pooling")
    return Described(
        None, backbone, layer, pooling if pooling in ("mean", "max", "min", "cls") else None, _bands(backbone),
        f"embeddings in {folder.parent.name}/{folder.name}", _extraction(chip, backbone, layer),
        _notes(summary, folder), own_fields(summary),
    )  # fmt: skip


def _bands(backbone: str) -> tuple[str, ...]:
    try:
        return tuple(cards.card(backbone).bands)
    except BackboneError:
        return ()


def _extraction(chip: ChipEmbeddings, backbone: str, layer: int) -> dict[str, Any]:
    """The extraction that would make the same embeddings here, of the images beside the labels."""
    folder, image = chip.label.parent, image_of(chip)
    is_layout = folder.name == "data" and image is not None and image.name.endswith("_merged.tif")
    scene = ChipsScene(
        source="chips",
        path=str((folder.parent if is_layout else folder).resolve()),
        images=None if is_layout else "*.tif",
    )
    config = ExtractConfig(scene=scene, backbone=BackboneConfig(name=backbone, layers=(layer,)))
    return config.model_dump(mode="json")


def _notes(summary: dict[str, Any], folder: Path) -> tuple[str, ...]:
    if not summary:
        return (
            f"No {SUMMARY} lies beside {folder.name}: which backbone made these embeddings is not known, and a decoder of "
            f"them is applied to no others.",
        )
    if own_fields(summary):
        return ()
    return (
        f"{SUMMARY} names the backbone, {summary.get('backbone')}, but not its weights: a decoder of these embeddings is not "
        f"compared by weights.",
    )

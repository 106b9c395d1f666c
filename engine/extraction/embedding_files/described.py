"""What is known of embedding files: what TerraTorch's summary beside them says, and the images that they were made of."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.backbones import cards
from engine.errors import BackboneError, StoreError
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


def described(chips: Sequence[ChipEmbeddings]) -> Described:
    """What is known of the embeddings of some chips, which lie in one folder or in one of each split.

    Raises:
        StoreError: the folders state different backbones, weights or layers.
    """
    by_place = {place: chip for chip in reversed(chips) for place in [_place(chip)]}
    first, *others = (_of_folder(chip) for chip in reversed(by_place.values()))
    if others and first.meta is None:
        first = replace(first, config=_extraction(chips, first.backbone, first.layer))
    for other in others:
        for what, own, there in _told(first, other):
            if own != there and UNKNOWN not in (own, there):
                raise StoreError(
                    f"The embeddings of the splits are of different encoders: {what} {own} and {there}. A decoder learns and is "
                    f"tested on the embeddings of one. Name folders that one encoder made."
                )
    return first


def _place(chip: ChipEmbeddings) -> Path:
    return chip.found.folder if isinstance(chip.found, EmbeddingStore) else chip.found.parent


def _told(one: Described, other: Described) -> Iterator[tuple[str, str, str]]:
    """What both say of their encoder: what it is, and in the words of each; `UNKNOWN` where one does not say."""
    for what, name in (("backbone", "backbone"), ("weights", "weights_sha256"), ("layers", "layers")):
        found = [_stated(each, name) for each in (one, other)]
        yield what, found[0], found[1]


def _stated(one: Described, name: str) -> str:
    if one.meta is not None:
        return str(getattr(one.meta, name) or UNKNOWN)
    if one.backbone == UNKNOWN:  # no summary lies beside the files
        return UNKNOWN
    known = {"backbone": one.backbone, "layers": (one.layer,), **one.own}
    return str(known.get(name) or UNKNOWN)


def _of_folder(chip: ChipEmbeddings) -> Described:
    if isinstance(chip.found, EmbeddingStore):
        return Described(chip.found.meta)
    folder = chip.found.parent
    summary = read_summary(folder)
    backbone = backbone_of(summary)
    layer = layer_of(summary, folder.name)
    pooling = summary.get("embedding_pooling")
    return Described(
        None, backbone, layer, pooling if pooling in ("mean", "max", "min", "cls") else None, _bands(backbone),
        f"embeddings in {folder.parent.name}/{folder.name}", _extraction([chip], backbone, layer),
        _notes(summary, folder), own_fields(summary),
    )  # fmt: skip


def _bands(backbone: str) -> tuple[str, ...]:
    try:
        return tuple(cards.card(backbone).bands)
    except BackboneError:
        return ()


def _extraction(chips: Sequence[ChipEmbeddings], backbone: str, layer: int) -> dict[str, Any]:
    """The extraction that would make the same embeddings here, of the images beside the labels."""
    folder, image = chips[0].label.parent, image_of(chips[0])
    folders = sorted({chip.label.parent for chip in chips})
    above = Path(os.path.commonpath([str(one.resolve()) for one in folders]))
    is_layout = folder.name == "data" and image is not None and image.name.endswith("_merged.tif")
    scene = ChipsScene(
        source="chips",
        path=str((folder.parent if is_layout else folder).resolve()),
        images=None if is_layout else "*.tif",
    )
    if len(folders) > 1 and (below := _pattern([one.resolve().relative_to(above).parts for one in folders])):
        is_merged = image is not None and image.name.endswith("_merged.tif")
        scene = ChipsScene(
            source="chips", path=str(above), images=f"{below}/{'*_merged.tif' if is_merged else '*.tif'}"
        )
    config = ExtractConfig(scene=scene, backbone=BackboneConfig(name=backbone, layers=(layer,)))
    return config.model_dump(mode="json")


def _pattern(folders: Sequence[tuple[str, ...]]) -> str:
    """A pattern of folders as deep as one another, with a star where their names differ; empty where they are not."""
    if len({len(one) for one in folders}) > 1:
        return ""
    return "/".join(names[0] if len(set(names)) == 1 else "*" for names in zip(*folders, strict=True))


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

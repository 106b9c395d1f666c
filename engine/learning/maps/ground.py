"""The extraction that makes ground readable for a decoder: as the decoder's training data were made."""

from __future__ import annotations

from typing import Any

from engine.errors import EngineError, StoreError
from engine.jobs.configuration.config import (
    BackboneConfig,
    ExtractConfig,
    RegionConfig,
    SceneConfig,
    parse_config,
)
from engine.learning.keeping.result import TrainRun
from engine.store.store import ENCODER, EmbeddingStore


def extraction_for(run: TrainRun, scene: SceneConfig, region: RegionConfig | None = None) -> ExtractConfig:
    """An extraction of other scenes with the settings of the store that a decoder learned from.

    Where that store has gone, the decoder's card has to do: it tells backbone, settings and layers.

    Raises:
        StoreError: the encoder was drawn at random or from scenes, and its weights went with the store.
    """
    try:
        store = EmbeddingStore.open(run.store_folder)
        taught = parse_config(store.meta.config, where=str(store.folder))
    except (EngineError, OSError):
        return _of_card(run, scene, region)
    assert isinstance(taught, ExtractConfig)
    changed: dict[str, Any] = {"scene": scene, "region": region, "batch_size": None}
    encoder = store.folder / ENCODER
    if encoder.is_file():
        changed["backbone"] = taught.backbone.model_copy(update={"weights": str(encoder)})
    return taught.model_copy(update=changed)


def _of_card(run: TrainRun, scene: SceneConfig, region: RegionConfig | None) -> ExtractConfig:
    card, kept = run.decoder, run.folder / ENCODER
    if card.is_random:
        raise StoreError(
            f"The store that this decoder of {card.backbone} learned from has gone, and with it the random weights of "
            f"its encoder. Train a decoder on a store that is here."
        )
    backbone = BackboneConfig.model_validate(
        {
            "name": card.backbone,
            "layers": card.layers,
            "settings": card.settings or {},
            "temporal": card.temporal,
            **({"weights": str(kept)} if kept.is_file() else {}),
        }
    )
    return ExtractConfig(scene=scene, region=region, backbone=backbone)

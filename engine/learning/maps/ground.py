"""The extraction that makes ground readable for a decoder: as the decoder's training data were made."""

from __future__ import annotations

from typing import Any

from engine.errors import EngineError, StoreError
from engine.jobs.configuration.config import (
    BackboneConfig,
    ExtractConfig,
    RegionConfig,
    SceneConfig,
    TilesConfig,
    parse_config,
)
from engine.learning.keeping.card import DecoderCard, reads_gsd
from engine.learning.keeping.result import TrainRun
from engine.store.store import ENCODER, EmbeddingStore


def extraction_for(
    run: TrainRun, scene: SceneConfig, region: RegionConfig | None = None, gsd_m: float | None = None
) -> ExtractConfig:
    """An extraction of other scenes with the settings of the store that a decoder learned from.

    Where that store has gone, the decoder's card has to do: it tells backbone, settings and layers.

    Args:
        gsd_m: of the scenes; where it is not that of the training data, they are resampled to these.

    Raises:
        StoreError: the encoder was drawn at random or from scenes, and its weights went with the store.
    """
    tiles = _tiles(run.decoder, gsd_m)
    try:
        store = EmbeddingStore.open(run.store_folder)
        taught = parse_config(store.meta.config, where=str(store.folder))
    except (EngineError, OSError):
        return _of_card(run, scene, region).model_copy(
            update={"tiles": TilesConfig().model_copy(update=tiles)}
        )
    assert isinstance(taught, ExtractConfig)
    changed: dict[str, Any] = {"scene": scene, "region": region, "batch_size": None}
    if taught.tiles.gsd_m is None:
        changed["tiles"] = taught.tiles.model_copy(update=tiles)
    encoder = store.folder / ENCODER
    if encoder.is_file():
        changed["backbone"] = taught.backbone.model_copy(update={"weights": str(encoder)})
    return taught.model_copy(update=changed)


def _tiles(card: DecoderCard, gsd_m: float | None) -> dict[str, float]:
    """The setting of tiles that brings scenes to the ground sampling distance of a decoder's training data; empty: they have it."""
    if gsd_m is None or card.gsd_m is None or reads_gsd(card.gsd_m, gsd_m):
        return {}
    return {"gsd_m": card.gsd_m}


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
    rows: dict[str, Any] = {"granularity": "tile", "pooling": "mean"} if card.taught.is_per_tile else {}
    return ExtractConfig(scene=scene, region=region, backbone=backbone, **rows)

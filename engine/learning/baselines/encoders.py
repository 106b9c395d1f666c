"""The same training on an encoder that no pretraining has taught: random convolutional features, or random weights."""

from __future__ import annotations

from typing import Literal

from engine.errors import StoreError
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig, TrainConfig, parse_config
from engine.learning.baselines.raw_stores import raw_config
from engine.learning.keeping.result import TrainRun
from engine.store.store import EmbeddingStore

Untaught = Literal["rcf", "random"]
UNTAUGHT: tuple[Untaught, ...] = ("rcf", "random")
NAMES: dict[Untaught, str] = {
    "rcf": "same decoder on random convolutional features",
    "random": "same decoder on random weights of the backbone",
}


def untaught(run: TrainRun, kind: Untaught) -> TrainConfig:
    """The training of a run, on the same tiles with the same labels, split, head and seed, but on an untaught encoder.

    Its store is made first where it is not there, as of any training.

    Raises:
        StoreError: the run's store is gone, or does not know how it was extracted.
    """
    store = EmbeddingStore.open(run.store_folder)
    extraction = parse_config(store.meta.config, where=f"the configuration inside {store.folder}")
    if not isinstance(extraction, ExtractConfig):
        raise StoreError(
            f"{store.folder} holds the configuration of another kind of job than an extraction. Extract it again."
        )
    if kind == "random":
        backbone = extraction.backbone.model_copy(update={"weights": "random"})
        changed = extraction.model_copy(update={"backbone": backbone})
    else:
        backbone = BackboneConfig(name="rcf", temporal=extraction.backbone.temporal)
        tiles = raw_config(store).tiles if extraction.granularity == "patch" else extraction.tiles
        pooling = "mean" if extraction.granularity == "tile" else None
        changed = extraction.model_copy(update={"backbone": backbone, "tiles": tiles, "pooling": pooling})
    layers = run.config.layers if kind == "random" else None
    return run.config.model_copy(
        update={"store": changed, "layers": layers, "baselines": (), "watch_tile": None}
    )


def makes_sense(run: TrainRun, kind: Untaught) -> bool:
    """Whether an untaught encoder is another one than that of the run, and the run can be trained again."""
    card = run.decoder
    if card.labels.endswith(".geojson"):  # taught by clicks, without a test split
        return False
    if kind == "rcf":
        return card.backbone != "rcf"
    return not card.is_random and card.weights_sha256 != "none" and card.backbone != "rcf"


def kind_of(run: TrainRun, other: TrainRun) -> Untaught | None:
    """Which untaught encoder another training had, if it is otherwise that of a run: tested on the same tiles too."""
    own, its = run.decoder, other.decoder
    same = all(getattr(own, name) == getattr(its, name) for name in ("task", "head", "seed", "position"))
    if not same or set(own.split["test"]) != set(its.split["test"]):
        return None
    if its.backbone == "rcf" and own.backbone != "rcf":
        return "rcf"
    return "random" if its.is_random and not own.is_random and its.backbone == own.backbone else None

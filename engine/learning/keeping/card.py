"""The decoder's card: what it was trained on, and therefore what it may be applied to."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from engine.errors import StoreError
from engine.extraction.weights.store_encoder import settings_of
from engine.jobs.configuration.config import HeadConfig
from engine.jobs.configuration.task import configured_task
from engine.learning.heads.sizes import Shape, shape_of
from engine.learning.tasks.table import task_of
from engine.learning.tasks.task import Task
from engine.store.schema import StoreMeta
from engine.store.store import ENCODER, EmbeddingStore

SCHEMA_VERSION = 1
# Ground sampling distances that differ by less than this share are the same: grids in degrees are rounded to metres.
_SAME_GSD = 0.02
_TUPLES = ("layers", "dims", "bands", "cells")


@dataclass(frozen=True)
class DecoderCard:
    """What must hold of a store for a decoder to read it, and how the decoder was trained.

    Attributes:
        weights_sha256: of the encoder's checkpoint, or the word "random".
        layers, dims: columns of the store that are joined, and their widths.
        epoch: the one whose state is kept, from 1.
        split: tile ids of each split.
        store, labels, raw_store: paths from the run folder (`raw_store` "" without a baseline).
        sensor, level: "" where the store does not say, as in cards of the first version.
        gsd_m, settings: None in cards of the first version.
        task: a preset's name, or a task of one's own as it was configured.
        baseline: what the first baseline's rule was fitted to, such as a threshold.
        more_baselines: key of each further baseline -> what its rule was fitted to, and its `raw_store`.
        position: remove: the means of places in the window that are kept beside the decoder are taken off first.
        cells: along a side of a patch, of each layer; empty in earlier cards: 1 each.
        labels_source: where the labels came from, in words.
        licence: what is known of the licences of what it was made of.
        config_hash: of the training.
        created: ISO 8601, UTC.
    """

    schema_version: int
    backbone: str
    weights_sha256: str
    layers: tuple[int, ...]
    dims: tuple[int, ...]
    patch_px: int
    bands: tuple[str, ...]
    temporal: str
    is_simulated: bool
    source: str
    head: dict[str, Any]
    epoch: int
    seed: int
    split: dict[str, list[str]]
    store: str
    labels: str
    raw_store: str = ""
    sensor: str = ""
    level: str = ""
    gsd_m: float | None = None
    settings: dict[str, str] | None = None
    task: str | dict[str, Any] = "burn_scars"
    baseline: dict[str, float] = field(default_factory=dict)
    more_baselines: dict[str, dict[str, Any]] = field(default_factory=dict)
    position: Literal["keep", "remove"] = "keep"
    cells: tuple[int, ...] = ()
    labels_source: str = ""
    licence: str = ""
    config_hash: str = ""
    created: str = ""

    @classmethod
    def from_json(cls, tree: dict[str, Any]) -> DecoderCard:
        """The card in a file, also of the first version, which names the baseline's threshold alone."""
        threshold = tree.get("baseline_threshold")
        fitted = {} if threshold is None else {"threshold": threshold}
        known = {"baseline": fitted} | {one.name: tree[one.name] for one in fields(cls) if one.name in tree}
        return cls(**{**known, **{key: tuple(tree[key]) for key in _TUPLES if key in tree}})

    @property
    def is_random(self) -> bool:
        """Whether the encoder's weights were random."""
        return self.weights_sha256 == "random"

    @property
    def head_config(self) -> HeadConfig:
        """The head as it was configured."""
        return HeadConfig.model_validate(self.head)

    @property
    def fitted_baselines(self) -> dict[str, dict[str, Any]]:
        """Key of each baseline that it was compared with -> what its rule was fitted to, and its `raw_store`."""
        first = (
            {"nbr": {"raw_store": self.raw_store, **self.baseline}}
            if self.raw_store and self.baseline
            else {}
        )
        return {**first, **self.more_baselines}

    @property
    def taught(self) -> Task:
        """The task that it was trained for: its classes, colours and metrics."""
        return task_of(configured_task(self.task))

    @property
    def shape(self) -> Shape:
        """What the decoder is given for a row, and what it gives."""
        return shape_of(self.taught, self.dims, self.cells or (1,) * len(self.dims), self.patch_px)

    def require_fit(self, store: EmbeddingStore) -> None:
        """Check that a store is what this decoder learned to read; what either does not state is not compared.

        Raises:
            StoreError: naming each thing that differs: backbone, weights, settings, bands, level, ground
                sampling distance, patch, dates, layers.
        """
        self.taught.require_rows(store.meta.granularity)
        differing = list(self._differing(store.meta))
        if differing:
            told = "; ".join(f"{name} {own} in training and {other} here" for name, own, other in differing)
            advice = "Extract this ground as the decoder's training data were"
            if (store.folder / ENCODER).is_file():
                advice += f", with backbone.weights set to the {ENCODER} of their store"
            if self.gsd_m and not reads_gsd(self.gsd_m, store.meta.gsd_m):
                advice += f", with tiles.gsd_m: {self.gsd_m:g}"
            raise StoreError(
                f"{store.folder} (embeddings of {store.meta.backbone}) is not what this decoder of {self.backbone} was "
                f"trained on: {told}. {advice}, or train a decoder on this store."
            )

    def _differing(self, meta: StoreMeta) -> list[tuple[str, str, str]]:
        """What differs: its name, the card's and the store's."""
        there = encoder_facts(meta)
        found = []
        for key, name in _COMPARED.items():
            own, other = getattr(self, key), there[key]
            if own in (None, "") or other in (None, "") or _same(key, own, other):
                continue
            found.append((name, _words(key, own), _words(key, other)))
        widths = dict(zip(meta.layers, meta.dims, strict=True))
        for layer, dim in zip(self.layers, self.dims, strict=True):
            if widths.get(layer) != dim:
                here = f"{widths[layer]} wide" if layer in widths else "absent"
                found.append((f"layer {layer}", f"{dim} wide", here))
        return found


_COMPARED = {
    "backbone": "backbone", "weights_sha256": "weights", "settings": "settings", "bands": "bands",
    "level": "level", "gsd_m": "ground sampling distance", "patch_px": "patch", "temporal": "dates joined by",
}  # fmt: skip


def encoder_facts(meta: StoreMeta) -> dict[str, Any]:
    """What a card repeats of the store's meta."""
    return {
        "backbone": meta.backbone, "weights_sha256": meta.weights_sha256, "patch_px": meta.patch_px, "bands": meta.bands,
        "temporal": temporal_of(meta), "is_simulated": meta.is_simulated, "source": meta.source,
        "sensor": meta.sensor, "level": meta.level, "gsd_m": meta.gsd_m,
        "settings": settings_of(meta),
    }  # fmt: skip


def reads_level(taught: str, other: str) -> bool:
    """Whether a decoder reads ground of a level: one of those that it was taught on, as stores list them."""
    return set(other.split(", ")) <= set(taught.split(", "))


def reads_gsd(taught_m: float, other_m: float) -> bool:
    """Whether a ground sampling distance is the one that a decoder was taught on."""
    return abs(taught_m - other_m) <= _SAME_GSD * max(taught_m, other_m)


def temporal_of(meta: StoreMeta) -> str:
    """How the store's dates were joined."""
    return str(meta.config.get("backbone", {}).get("temporal", "mean"))


def _same(key: str, own: Any, other: Any) -> bool:
    if key == "gsd_m":
        return reads_gsd(own, other)
    if key == "level":
        return reads_level(own, other)
    return bool(own == other)


def _words(key: str, value: Any) -> str:
    match key:
        case "weights_sha256":
            return str(value)[:12]
        case "bands":
            return ", ".join(value)
        case "settings":
            return ", ".join(f"{name}: {choice}" for name, choice in sorted(value.items())) or "none"
        case "gsd_m":
            return f"{value:g} m"
        case "patch_px":
            return f"{value} px"
        case _:
            return str(value)

"""What is asked of an export and what comes of it, whatever the form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.jobs.configuration.export import Dtype
from engine.store.emb_footer import warnings_of
from engine.store.schema import StoredTile, StoreMeta, column_names
from engine.store.store import EmbeddingStore
from engine.views.export.quantisation import Loss, Quantise, RoundTrip, by_row, published_by_row

Tell = Callable[[str, int, int], object]
"""Hears a step in words, and how much of it is done, of how much."""


@dataclass(frozen=True)
class Export:
    """The embeddings that are written, and where to.

    Attributes:
        store: at the resolution of the layer, unless there are several.
        layers: as counted by the backbone; one but for forms that hold several.
        dtype: of the numbers that are written.
        out: the file or folder, under its temporary name.
        name: what it will be called.
        tell: hears how far the work is, and may raise to end it.
    """

    store: EmbeddingStore
    layers: tuple[int, ...]
    dtype: Dtype
    out: Path
    name: str
    tell: Tell

    @property
    def layer(self) -> int:
        """The layer that is written, or the first of several."""
        return self.layers[0]

    @property
    def dim(self) -> int:
        """Dimensions of the layer."""
        return dim_of(self.store, self.layer)

    @property
    def is_smaller(self) -> bool:
        """Whether the numbers that are written take fewer bits than those of the store."""
        return np.dtype(self.dtype).itemsize < np.dtype(self.store.meta.dtype).itemsize

    @property
    def by_row(self) -> Quantise:
        """How each embedding becomes 8-bit numbers and a scale: as it was published, where that was in 8 bits."""
        return published_by_row if is_of_8_bits(self.store.meta) else by_row

    def of_layer(self, layer: int) -> Export:
        """The same for one layer, at its own resolution."""
        return replace(self, store=self.store.at_own_patches(layer), layers=(layer,))

    def tiles(
        self, what: str, is_as_stored: bool = False
    ) -> Iterator[tuple[StoredTile, np.ndarray, np.ndarray]]:
        """Tile by tile: embeddings (h, w, D) float32, NaN where there is none, and valid_fraction (h, w).

        Args:
            what: the step, as it is told.
            is_as_stored: in the store's own type, with what stands in the rows of gaps.
        """
        count = len(self.store.tiles)
        for done, (tile, values, valid) in enumerate(self.store.iterate(self.layer)):
            self.tell(what, done, count)
            if is_as_stored:
                yield tile, values, valid
                continue
            exact = values.astype(np.float32)
            is_gap = (valid <= 0) | ~np.isfinite(exact).all(axis=-1)
            yield tile, np.where(is_gap[..., None], np.float32("nan"), exact), valid
        self.tell(what, count, count)

    @property
    def meta(self) -> StoreMeta:
        """What holds for the layer alone, as if nothing else were in the store."""
        return layer_meta(self.store, self.layer, self.dtype)


@dataclass(frozen=True)
class Made:
    """What a form has written.

    Attributes:
        files: paths below the temporary folder.
        notes: what a person should know of them, in sentences.
        loss: what the smaller numbers cost; None where none were made smaller.
        round_trip: how numbers were made smaller, where it depends on the store.
    """

    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    loss: Loss | None = None
    round_trip: RoundTrip | None = None


def is_of_8_bits(meta: StoreMeta) -> bool:
    """Whether embeddings of others were 8-bit numbers where they come from: a store holds these as float16, others as float32."""
    scene = meta.config.get("scene")
    is_published = isinstance(scene, dict) and scene.get("source") == "embeddings"
    return is_published and meta.dtype == "float16" and not meta.bands


def layer_meta(store: EmbeddingStore, layer: int, dtype: Dtype) -> StoreMeta:
    """The metadata of one layer of a store."""
    kept = "float16" if dtype == "float16" else "float32"
    return replace(
        store.meta, layers=(layer,), dims=(dim_of(store, layer),), columns=column_names((layer,)), dtype=kept
    )


def own_facts(meta: StoreMeta, tiles: tuple[StoredTile, ...]) -> dict[str, Any]:
    """What lets `import` make the same store again, as JSON."""
    return {"meta": asdict(meta), "tiles": [asdict(tile) for tile in tiles]}


def notice_of(meta: StoreMeta) -> str:
    """Warnings, source, licence and attribution in one text that stands in every form."""
    said = [*warnings_of(meta), f"Model: {meta.backbone}.", f"Source: {meta.source or 'not stated'}."]
    said += [f"Licence: {meta.licence}."] if meta.licence else []
    said += [f"Attribution: {meta.attribution}"] if meta.attribution else []
    return " ".join(said)


def dim_of(store: EmbeddingStore, layer: int) -> int:
    """Dimensions of a layer."""
    return store.meta.dims[store.meta.layers.index(layer)]

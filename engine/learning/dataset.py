"""Embeddings and labels of a store as tensors, on the device once, in batches of one split's tiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from engine.errors import DeviceFailure, StoreError
from engine.learning.heads.sizes import Shape
from engine.learning.positions import Positions
from engine.learning.splits.split import SPLITS
from engine.learning.tasks.task import Task
from engine.store.schema import StoredTile
from engine.store.store import EmbeddingStore

# A feature that hardly moves over the training tiles is left as it is, not blown up.
_SMALLEST_STD = 1e-6
# Numbers of 64 bits of so many rows stay in the cache; of all rows at once the memory for them costs ten times the sums.
_ROWS_A_BLOCK = 512

Batch = tuple[torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Span:
    """A tile and the rows of the store that are its patches."""

    tile: StoredTile
    first: int

    @property
    def rows(self) -> slice:
        """Its rows, half-open."""
        return slice(self.first, self.first + self.tile.rows)


@dataclass(frozen=True)
class TrainingData:
    """All patches on the device, and which tiles belong to which split.

    Attributes:
        features: (rows, D) in the store's dtype; rows without a valid pixel hold the training mean.
        labels: (rows, L) as the task has them, such as L = p * p classes of pixels.
        is_labelled: (rows,) bool: rows with a label that is not missing.
        known: labels that are not missing, by split.
        mean, std: (D,) float32 of the training tiles' valid patches.
        spans: tiles of each split.
        shape: of the layers that are joined and of the labels.
        is_valid: (rows,) numpy bool: rows with a valid pixel.
    """

    features: torch.Tensor
    labels: torch.Tensor
    is_labelled: torch.Tensor
    known: Mapping[str, int]
    mean: torch.Tensor
    std: torch.Tensor
    spans: Mapping[str, tuple[Span, ...]]
    shape: Shape
    is_valid: np.ndarray

    def rows_of(self, split: str) -> int:
        """Rows of the tiles of a split."""
        return sum(span.tile.rows for span in self.spans[split])

    def labelled_rows(self, split: str) -> torch.Tensor:
        """Rows of a split that have a label, in the order of the store."""
        rows = torch.cat([torch.arange(span.rows.start, span.rows.stop) for span in self.spans[split]])
        rows = rows.to(self.labels.device)
        return rows[self.is_labelled[rows]]

    def batches(
        self, split: str, patches: int, whole_tiles: bool, generator: torch.Generator | None = None
    ) -> Iterator[Batch]:
        """All labelled patches of a split, once.

        Args:
            patches: a batch's size, rounded to whole tiles where `whole_tiles`.
            whole_tiles: yield (B, h, w, D) and (B, h, w, L) of tiles of one shape; else (N, D) and (N, L).
            generator: on the CPU, shuffles; None keeps the order of the store.
        """
        if whole_tiles:
            yield from self._tile_batches(self.spans[split], patches, generator)
        else:
            yield from self._patch_batches(split, patches, generator)

    def _patch_batches(self, split: str, patches: int, generator: torch.Generator | None) -> Iterator[Batch]:
        rows = self.labelled_rows(split)
        if generator is not None:
            rows = rows[torch.randperm(len(rows), generator=generator).to(rows.device)]
        for chosen in rows.split(patches):
            # ten times as fast as an index in brackets, on a CPU
            yield self.features.index_select(0, chosen), self.labels.index_select(0, chosen)

    def _tile_batches(
        self, spans: Sequence[Span], patches: int, generator: torch.Generator | None
    ) -> Iterator[Batch]:
        labelled = [span for span in spans if bool(self.is_labelled[span.rows].any())]
        order = (
            range(len(labelled))
            if generator is None
            else torch.randperm(len(labelled), generator=generator).tolist()
        )
        waiting: dict[tuple[int, int], list[Span]] = {}
        for index in order:
            span = labelled[index]
            same = waiting.setdefault((span.tile.h, span.tile.w), [])
            same.append(span)
            if (len(same) + 1) * span.tile.rows > patches:
                yield self._stack(waiting.pop((span.tile.h, span.tile.w)))
        for same in waiting.values():
            yield self._stack(same)

    def _stack(self, spans: Sequence[Span]) -> Batch:
        h, w = spans[0].tile.h, spans[0].tile.w
        features = torch.stack([self.features[span.rows].view(h, w, -1) for span in spans])  # (B, h, w, D)
        labels = torch.stack([self.labels[span.rows].view(h, w, -1) for span in spans])  # (B, h, w, L)
        return features, labels


def load_data(
    store: EmbeddingStore,
    labels: np.ndarray,
    split: Mapping[str, np.ndarray],
    layers: Sequence[int],
    task: Task,
    shape: Shape,
    device: torch.device,
    positions: Positions | None = None,
) -> TrainingData:
    """Read the store once and put it on the device.

    Args:
        labels: (rows, L) in the order of the store.
        split: tile indices by split.
        layers: columns to join along D, in this order.
        positions: means of places in the window, which are taken off; None: position is kept.

    Raises:
        DeviceFailure: the device has no room for the store.
        StoreError: embeddings of one of the tiles that are not finite.
    """
    every = spans_of(store)
    spans = {name: tuple(every[index] for index in split[name]) for name in SPLITS}
    features = read_features(store, layers)
    if positions is not None:
        positions.take_off(store, layers, features)
    is_valid = store.read_valid_fraction() > 0
    require_finite(store, [span for name in SPLITS for span in spans[name]], features, is_valid)
    taught = _rows_of(spans["train"])
    mean, std = statistics(features, taught[is_valid[taught]])
    features[~is_valid] = mean.astype(features.dtype)
    known = task.is_known(torch.from_numpy(labels))
    pixels = {name: int(known[torch.from_numpy(_rows_of(own))].sum()) for name, own in spans.items()}
    try:
        return TrainingData(
            torch.from_numpy(features).to(device), torch.from_numpy(labels).to(device), known.any(dim=1).to(device), pixels,
            torch.from_numpy(mean).to(device), torch.from_numpy(std).to(device), spans, shape, is_valid,
        )  # fmt: skip
    except torch.OutOfMemoryError as err:
        raise DeviceFailure(
            f"{device} has no room for {features.nbytes / 1e9:.1f} GB of embeddings. Use fewer layers, a smaller region, "
            f"or device: cpu."
        ) from err


def labels_of_splits(
    store: EmbeddingStore, labels: np.ndarray, split: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Labels of the rows of each split, (n, L)."""
    spans = spans_of(store)
    return {name: labels[_rows_of([spans[index] for index in chosen])] for name, chosen in split.items()}


def read_features(store: EmbeddingStore, layers: Sequence[int]) -> np.ndarray:
    """(rows, D): the columns of some layers, joined in their order; a fresh array in the store's dtype."""
    columns = [store.read(layer) for layer in layers]
    return np.concatenate(columns, axis=1) if len(columns) > 1 else columns[0].copy()


def require_finite(
    store: EmbeddingStore, spans: Sequence[Span], features: np.ndarray, is_valid: np.ndarray
) -> None:
    """Check that the patches with data of some tiles hold numbers only; a decoder would make a class of anything else.

    Args:
        features: (rows, D) of the store.
        is_valid: (rows,) bool.

    Raises:
        StoreError: naming the tiles that hold infinities or NaN.
    """
    damaged = [
        span.tile.id for span in spans if not np.isfinite(features[span.rows][is_valid[span.rows]]).all()
    ]
    if damaged:
        raise StoreError(
            f"{store.folder} holds embeddings that are not finite (infinite or not a number) on {len(damaged)} of "
            f"{len(spans)} tiles ({', '.join(damaged[:3])}{', ...' if len(damaged) > 3 else ''}): no decoder can learn from "
            f"them or map them. Run `python -m engine check` on it, and extract or import it again."
        )


def spans_of(store: EmbeddingStore) -> list[Span]:
    """Every tile of the store with its rows."""
    firsts = np.cumsum([0, *(tile.rows for tile in store.tiles)])
    return [Span(tile, int(first)) for tile, first in zip(store.tiles, firsts[:-1], strict=True)]


def statistics(features: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of some rows, (D,) float32 each, summed in float64 around a first guess."""
    guess = features[rows[: min(len(rows), 4096)]].astype(np.float64).mean(axis=0)
    total, squares = np.zeros_like(guess), np.zeros_like(guess)
    for start in range(0, len(rows), _ROWS_A_BLOCK):
        block = features[rows[start : start + _ROWS_A_BLOCK]].astype(np.float64) - guess
        total += block.sum(axis=0)
        squares += np.einsum("nd,nd->d", block, block)
    shift = total / len(rows)
    std = np.sqrt(np.maximum(squares / len(rows) - shift**2, 0))
    return (guess + shift).astype(np.float32), np.where(std < _SMALLEST_STD, 1.0, std).astype(np.float32)


def _rows_of(spans: Sequence[Span]) -> np.ndarray:
    """Rows of some tiles."""
    return np.concatenate([np.arange(span.rows.start, span.rows.stop) for span in spans])

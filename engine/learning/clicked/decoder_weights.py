"""The weights of a taught classifier as those of a decoder, which gives every pixel of a patch the patch's class.

Of a layer that is finer than the rows of its store, a row holds several patches, and each pixel of the row gets the class
of the patch that it lies in.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from engine.errors import StoreError
from engine.learning.clicked.classifier import Classifier
from engine.learning.tasks.task import Task
from engine.store.store import EmbeddingStore
from engine.views.position import PlaceMeans


def require_foldable(classifier: Classifier, store: EmbeddingStore) -> None:
    """Check that a decoder can read what was taught.

    Args:
        store: at the patches that were taught.

    Raises:
        StoreError: nearest neighbours among patches of which a row holds several.
    """
    if store.cells > 1 and classifier.method != "logistic":
        raise StoreError(
            f"A row of {store.folder} holds {store.cells} x {store.cells} patches of layer {store.meta.layers[0]}, and a decoder of "
            f"nearest neighbours compares whole rows. Choose logistic regression, or extract this layer alone."
        )


def decoder_state(
    classifier: Classifier, patch_px: int, task: Task, cells: int = 1
) -> dict[str, torch.Tensor]:
    """The tensors of a decoder.

    Args:
        patch_px: pixels along a side of a row.
        cells: patches along a side of a row.
    """
    mean = torch.from_numpy(np.tile(np.asarray(classifier.offset, np.float32), cells**2))
    state = {"mean": mean, "std": torch.ones_like(mean)}
    if classifier.method == "logistic":
        rows, bias = classifier.rows, classifier.bias
        if task.values == 1:
            rows, bias = rows[1:] - rows[:1], bias[1:] - bias[:1]
        state["head.layers.0.weight"] = torch.from_numpy(_of_pixels(rows, patch_px, cells))
        state["head.layers.0.bias"] = torch.from_numpy(np.tile(bias, patch_px**2).astype(np.float32))
        return state
    shares = np.eye(len(classifier.classes), dtype=np.float32)[classifier.truth]
    expected = torch.from_numpy(np.tile(shares[:, 1:] if task.values == 1 else shares, (1, patch_px**2)))
    state["head.features"] = torch.from_numpy(classifier.features) - mean
    state |= {"head.expected": expected.half(), "head.prior": expected.mean(dim=0)}
    return state


def folded_places(places: PlaceMeans, cells: int) -> PlaceMeans:
    """Means of places of patches as means of places of rows, in which `cells` x `cells` patches follow one another."""
    if cells == 1:
        return places
    offsets = {
        (h // cells, w // cells): found.reshape(h // cells, cells, w // cells, cells, -1)
        .swapaxes(1, 2)
        .reshape(h // cells, w // cells, -1)
        for (h, w), found in places.offsets.items()
    }
    return replace(places, offsets=offsets)


def _of_pixels(rows: np.ndarray, patch_px: int, cells: int) -> np.ndarray:
    """(pixels * values, cells * cells * D) float32: what each value of each pixel takes of a row, pixels row-major."""
    values, dim = rows.shape
    made = np.zeros((patch_px, patch_px, values, cells, cells, dim), np.float32)
    own = np.arange(patch_px) * cells // patch_px
    down, across = np.meshgrid(np.arange(patch_px), np.arange(patch_px), indexing="ij")
    made[down, across, :, own[down], own[across]] = rows
    return made.reshape(patch_px**2 * values, -1)

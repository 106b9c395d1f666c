"""Embeddings averaged over the ground around each patch, so that colours follow the ground and not its grain."""

from __future__ import annotations

import numpy as np

from engine.store.store import EmbeddingStore

# A colour stands for about as much ground as one patch of the common vision transformers (ViT-B/16).
GROUND_PX = 16


def usual_window(store: EmbeddingStore) -> int:
    """Patches along a side of the neighbourhood whose mean gets one colour: odd, 1 where a patch is large already.

    The early stages of a CNN answer to edges a few pixels wide. Their patches differ most by that texture, and
    principal components of single patches show little else. Published embeddings, one a pixel, know their surroundings.
    """
    if store.meta.granularity == "tile" or (store.meta.is_of_others and store.meta.patch_px == 1):
        return 1
    return 2 * (GROUND_PX // (2 * store.meta.patch_px)) + 1


def neighbourhood_mean(values: np.ndarray, valid: np.ndarray, window: int) -> np.ndarray:
    """Means over the valid patches of the window around each patch; `surroundings` gives tiles with their rim.

    Args:
        values: (h, w, D) embeddings side by side.
        valid: (h, w) bool or share of valid pixels; 0 takes no part.
        window: patches along a side, odd; 1 gives the values back.

    Returns:
        (h, w, D) float32, 0 where no patch of the window is valid; the values themselves for a window of 1.
    """
    if window == 1:
        return values
    from scipy.ndimage import uniform_filter  # the pages import this file and seldom need it

    weight = (valid > 0).astype(np.float32)
    with np.errstate(invalid="ignore"):
        kept = np.where(weight[..., None] > 0, values, 0).astype(np.float32)  # (h, w, D)
    total = uniform_filter(kept, (window, window, 0), mode="constant")
    share = uniform_filter(weight, window, mode="constant")[..., None]  # (h, w, 1)
    # Below half a patch of the window, the running sums of the filter hold rounding only.
    return np.where(share > 0.5 / window**2, total / np.maximum(share, 0.5 / window**2), 0).astype(np.float32)

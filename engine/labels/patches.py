"""Pixels of a tile as patches, and the way back."""

from __future__ import annotations

import numpy as np

from engine.store.schema import StoredTile


def to_patches(pixels: np.ndarray, patch_px: int) -> np.ndarray:
    """Pixels (h * p, w * p) as patches (h * w, p * p), both row-major from the north-west."""
    h, w = pixels.shape[0] // patch_px, pixels.shape[1] // patch_px
    return pixels.reshape(h, patch_px, w, patch_px).swapaxes(1, 2).reshape(h * w, patch_px * patch_px)


def to_pixels(patches: np.ndarray, tile: StoredTile) -> np.ndarray:
    """Patches (h * w, p * p) of a tile as its pixels (height_px, width_px): the way back of `to_patches`."""
    side = tile.width_px // tile.w
    return patches.reshape(tile.h, tile.w, side, side).swapaxes(1, 2).reshape(tile.height_px, tile.width_px)

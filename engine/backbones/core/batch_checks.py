"""What an encoder demands of a batch: its bands by name, one date, whole patches."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from engine.backbones.core.batch import Batch
from engine.errors import BackboneError, MissingBand
from engine.nearest import nearest


def pick_bands(batch: Batch, bands: Sequence[str], name: str) -> torch.Tensor:
    """Some bands of a batch, in the order asked for.

    Args:
        name: of the backbone, for the message.

    Returns:
        (B, T, len(bands), H, W) reflectance.

    Raises:
        MissingBand: the batch lacks one of them.
    """
    if tuple(bands) == tuple(batch.bands):
        return batch.image
    for band in bands:
        if band not in batch.bands:
            raise MissingBand(
                f"{name} needs band {band!r}; the scene has {', '.join(batch.bands)}"
                f"{nearest(band, batch.bands)}. Pick a sensor with that band, or a backbone that fits the scene."
            )
    order = [batch.bands.index(band) for band in bands]
    return batch.image[:, :, order]


def one_date(image: torch.Tensor, valid: torch.Tensor, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, C, H, W) and (B, H, W) of a batch with one date.

    Raises:
        BackboneError: the batch has several dates.
    """
    if image.shape[1] != 1:
        raise BackboneError(
            f"{name} takes one date at a time; the batch has {image.shape[1]}. "
            f"Set backbone.temporal to say how its dates are joined."
        )
    return image[:, 0], valid[:, 0]


def require_multiple(image: torch.Tensor, step_px: int, name: str) -> None:
    """Chips whose sides are whole numbers of patches.

    Raises:
        BackboneError: a side is not a multiple of `step_px`.
    """
    height, width = image.shape[-2:]
    if height % step_px or width % step_px or 0 in (height, width):
        raise BackboneError(
            f"{name} takes chips whose sides are multiples of {step_px} px here, not {height} x {width} px. "
            f"Set tiles.size_px to such a multiple."
        )

"""What training minimises: means over labelled pixels, so that missing ones never count."""

from __future__ import annotations

import torch
from torch.nn import functional

from engine.jobs.config import LossConfig

MISSING = -1
# Lin et al. 2017, "Focal Loss for Dense Object Detection", section 4: gamma = 2 worked best.
_FOCAL_GAMMA = 2.0
# Keeps a batch without a burnt pixel defined: an empty map of an empty truth then has no Dice loss.
_DICE_SMOOTH = 1.0


def loss_of(logits: torch.Tensor, labels: torch.Tensor, config: LossConfig) -> torch.Tensor:
    """The mean loss over labelled pixels, a scalar.

    Args:
        logits: of burnt, any shape.
        labels: integer, same shape: 1 burnt, 0 not, -1 missing. At least one pixel must be labelled.
    """
    known = (labels != MISSING).to(logits.dtype)
    burned = (labels == 1).to(logits.dtype)
    match config.name:
        case "cross_entropy":
            return cross_entropy(logits, burned, known, config.burned_weight)
        case "dice":
            return dice(logits, burned, known)
        case "focal":
            return focal(logits, burned, known, config.burned_weight)
        case "cross_entropy_dice":
            return cross_entropy(logits, burned, known, config.burned_weight) + dice(logits, burned, known)


def cross_entropy(
    logits: torch.Tensor, burned: torch.Tensor, known: torch.Tensor, burned_weight: float
) -> torch.Tensor:
    """Negative log likelihood, the burnt class weighted; divided by the sum of weights.

    Args:
        burned, known: 1.0 where the pixel is burnt, and where it is labelled; the logits' shape.
    """
    weight = _weights(burned, known, burned_weight)
    return (weight * _surprise(logits, burned)).sum() / weight.sum()


def focal(
    logits: torch.Tensor, burned: torch.Tensor, known: torch.Tensor, burned_weight: float
) -> torch.Tensor:
    """Cross-entropy in which pixels that are already right count little (Lin et al. 2017, equation 5)."""
    weight = _weights(burned, known, burned_weight)
    surprise = _surprise(logits, burned)  # -log of the probability given to the truth
    return (weight * (1 - (-surprise).exp()) ** _FOCAL_GAMMA * surprise).sum() / weight.sum()


def dice(logits: torch.Tensor, burned: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """One minus the soft Dice coefficient of the burnt class (Milletari et al. 2016, "V-Net", section 3)."""
    probability = logits.sigmoid() * known
    overlap = (probability * burned).sum()
    return 1 - (2 * overlap + _DICE_SMOOTH) / (probability.sum() + burned.sum() + _DICE_SMOOTH)


def _surprise(logits: torch.Tensor, burned: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(logits, burned, reduction="none")


def _weights(burned: torch.Tensor, known: torch.Tensor, burned_weight: float) -> torch.Tensor:
    return known + (burned_weight - 1) * burned if burned_weight != 1 else known

"""What training minimises: means over labelled pixels, so that missing ones never count.

Two classes are told by one logit, that of the second; more classes have a logit each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch.nn import functional

LossName = Literal["cross_entropy", "dice", "focal", "cross_entropy_dice"]
# Lin et al. 2017, "Focal Loss for Dense Object Detection", section 4: gamma = 2 worked best.
_FOCAL_GAMMA = 2.0
# Keeps a batch without a pixel of a class defined: an empty map of an empty truth then has no Dice loss.
_DICE_SMOOTH = 1.0


def loss_of(logits: torch.Tensor, labels: torch.Tensor, name: LossName, weight: float = 1.0) -> torch.Tensor:
    """The mean loss over labelled pixels of two classes, a scalar.

    Args:
        logits: of the second class, any shape.
        labels: integer, same shape: 0 or 1, negative where missing. At least one pixel must be labelled.
        weight: of the second class in cross-entropy; that of the first is 1.
    """
    known = (labels >= 0).to(logits.dtype)
    sought = (labels == 1).to(logits.dtype)
    match name:
        case "cross_entropy":
            return cross_entropy(logits, sought, known, weight)
        case "dice":
            return dice(logits.sigmoid(), sought, known)
        case "focal":
            return focal(logits, sought, known, weight)
        case "cross_entropy_dice":
            return cross_entropy(logits, sought, known, weight) + dice(logits.sigmoid(), sought, known)


def loss_of_classes(
    logits: torch.Tensor, labels: torch.Tensor, name: LossName, weights: Sequence[float]
) -> torch.Tensor:
    """The mean loss over labelled pixels of some classes, a scalar.

    Args:
        logits: (..., K).
        labels: (...) integer, 0 to K - 1, negative where missing. At least one pixel must be labelled.
        weights: of the classes in cross-entropy.
    """
    known = labels >= 0
    logits, labels = logits[known], labels[known].long()  # (N, K), (N,)
    surprise = functional.cross_entropy(logits, labels, reduction="none")  # (N,)
    weight = logits.new_tensor(weights)[labels]  # (N,)
    match name:
        case "cross_entropy":
            return (weight * surprise).sum() / weight.sum()
        case "dice":
            return _dice_of_classes(logits, labels)
        case "focal":
            return (weight * (1 - (-surprise).exp()) ** _FOCAL_GAMMA * surprise).sum() / weight.sum()
        case "cross_entropy_dice":
            return (weight * surprise).sum() / weight.sum() + _dice_of_classes(logits, labels)


def cross_entropy(
    logits: torch.Tensor, sought: torch.Tensor, known: torch.Tensor, weight: float
) -> torch.Tensor:
    """Negative log likelihood, the second class weighted; divided by the sum of weights.

    Args:
        sought, known: 1.0 where the pixel is of the second class, and where it is labelled; the logits' shape.
    """
    weights = _weights(sought, known, weight)
    return (weights * _surprise(logits, sought)).sum() / weights.sum()


def focal(logits: torch.Tensor, sought: torch.Tensor, known: torch.Tensor, weight: float) -> torch.Tensor:
    """Cross-entropy in which pixels that are already right count little (Lin et al. 2017, equation 5)."""
    weights = _weights(sought, known, weight)
    surprise = _surprise(logits, sought)  # -log of the probability given to the truth
    return (weights * (1 - (-surprise).exp()) ** _FOCAL_GAMMA * surprise).sum() / weights.sum()


def dice(probability: torch.Tensor, sought: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """One minus the soft Dice coefficient of a class (Milletari et al. 2016, "V-Net", section 3)."""
    probability = probability * known
    overlap = (probability * sought).sum()
    return 1 - (2 * overlap + _DICE_SMOOTH) / (probability.sum() + sought.sum() + _DICE_SMOOTH)


def _dice_of_classes(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean of the classes' Dice losses."""
    probability = logits.softmax(dim=-1)  # (N, K)
    truth = functional.one_hot(labels, logits.shape[-1]).to(logits.dtype)
    overlap = (probability * truth).sum(dim=0)  # (K,)
    sizes = probability.sum(dim=0) + truth.sum(dim=0)
    return (1 - (2 * overlap + _DICE_SMOOTH) / (sizes + _DICE_SMOOTH)).mean()


def _surprise(logits: torch.Tensor, sought: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(logits, sought, reduction="none")


def _weights(sought: torch.Tensor, known: torch.Tensor, weight: float) -> torch.Tensor:
    return known + (weight - 1) * sought if weight != 1 else known

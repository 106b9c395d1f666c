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
        logits: (..., 2) float, not burnt then burnt.
        labels: (...) integer: 1 burnt, 0 not, -1 missing. At least one pixel must be labelled.
    """
    known = labels.reshape(-1) != MISSING
    logits = logits.reshape(-1, logits.shape[-1])[known]  # (N, 2), N labelled pixels
    truth = labels.reshape(-1)[known].long()  # (N,)
    match config.name:
        case "cross_entropy":
            return cross_entropy(logits, truth, config.burned_weight)
        case "dice":
            return dice(logits, truth)
        case "focal":
            return focal(logits, truth, config.burned_weight)
        case "cross_entropy_dice":
            return cross_entropy(logits, truth, config.burned_weight) + dice(logits, truth)


def cross_entropy(logits: torch.Tensor, truth: torch.Tensor, burned_weight: float) -> torch.Tensor:
    """Negative log likelihood, the burnt class weighted; divided by the sum of weights. (N, 2), (N,) -> ()."""
    weight = logits.new_tensor([1.0, burned_weight])
    return functional.cross_entropy(logits, truth, weight=weight)


def focal(logits: torch.Tensor, truth: torch.Tensor, burned_weight: float) -> torch.Tensor:
    """Cross-entropy in which pixels that are already right count little (Lin et al. 2017, equation 5)."""
    log_right = functional.log_softmax(logits, dim=1).gather(1, truth[:, None])[:, 0]  # (N,)
    weight = torch.where(truth == 1, burned_weight, 1.0)
    return -(weight * (1 - log_right.exp()) ** _FOCAL_GAMMA * log_right).sum() / weight.sum()


def dice(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """One minus the soft Dice coefficient of the burnt class (Milletari et al. 2016, "V-Net", section 3)."""
    burned = logits.softmax(dim=1)[:, 1]
    overlap = (burned * truth).sum()
    return 1 - (2 * overlap + _DICE_SMOOTH) / (burned.sum() + truth.sum() + _DICE_SMOOTH)

"""What training minimises: means over labelled pixels, so that missing ones never count.

Two classes are told by one logit, that of the second; more classes have a logit each. Numbers are their own output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

from engine.jobs.configuration.train import LossConfig, LossTerm
from engine.learning.two_classes import DICE_SMOOTH, cross_entropy_and_dice

# Lin et al. 2017, "Focal Loss for Dense Object Detection", section 4: gamma = 2 worked best.
_FOCAL_GAMMA = 2.0


def weighted(config: LossConfig, loss: Callable[[LossTerm], torch.Tensor]) -> torch.Tensor:
    """The configured sum of losses.

    Args:
        loss: the value of one of them.
    """
    terms = [weight * loss(term) if weight != 1 else loss(term) for term, weight in config.summed.items()]
    return torch.stack(terms).sum() if len(terms) > 1 else terms[0]


def of_two_classes(
    config: LossConfig, logits: torch.Tensor, labels: torch.Tensor, weight: float = 1.0
) -> torch.Tensor:
    """The configured sum of losses of two classes, as `loss_of`; cross-entropy and Dice are worked out together."""
    terms = dict(config.summed)
    if not {"cross_entropy", "dice"} <= terms.keys():
        return weighted(config, lambda term: loss_of(logits, labels, term, weight))
    both = cross_entropy_and_dice(logits, labels, weight, (terms.pop("cross_entropy"), terms.pop("dice")))
    return torch.stack(
        [both, *(share * loss_of(logits, labels, term, weight) for term, share in terms.items())]
    ).sum()


def loss_of(logits: torch.Tensor, labels: torch.Tensor, name: LossTerm, weight: float = 1.0) -> torch.Tensor:
    """The mean loss over labelled pixels of two classes, a scalar.

    Args:
        logits: of the second class, any shape.
        labels: integer, same shape: 0 or 1, negative where missing. At least one pixel must be labelled.
        weight: of the second class in cross-entropy and focal; that of the first is 1.
    """
    if name == "cross_entropy":
        return cross_entropy_and_dice(logits, labels, weight, (1.0, 0.0))
    known = (labels >= 0).to(logits.dtype)
    sought = (labels == 1).to(logits.dtype)
    match name:
        case "dice":
            return dice(logits.sigmoid(), sought, known)
        case "focal":
            return focal(logits, sought, known, weight)
        case "jaccard":
            return jaccard(logits.sigmoid() * known, sought)
        case "lovasz":
            is_known = labels >= 0
            return lovasz(logits[is_known].sigmoid(), sought[is_known])
        case _:
            raise AssertionError(f"{name} is no loss of classes")


def loss_of_classes(
    logits: torch.Tensor, labels: torch.Tensor, name: LossTerm, weights: Sequence[float]
) -> torch.Tensor:
    """The mean loss over labelled pixels of some classes, a scalar.

    Args:
        logits: (..., K).
        labels: (...) integer, 0 to K - 1, negative where missing. At least one pixel must be labelled.
        weights: of the classes in cross-entropy and focal.
    """
    known = labels >= 0
    logits, labels = logits[known], labels[known].long()  # (N, K), (N,)
    match name:
        case "cross_entropy" | "focal":
            surprise = functional.cross_entropy(logits, labels, reduction="none")  # (N,)
            weight = logits.new_tensor(weights)[labels]  # (N,)
            easy = 1.0 if name == "cross_entropy" else (1 - (-surprise).exp()) ** _FOCAL_GAMMA
            return (weight * easy * surprise).sum() / weight.sum()
    probability = logits.softmax(dim=-1)  # (N, K)
    truth = functional.one_hot(labels, logits.shape[-1]).to(logits.dtype)
    match name:
        case "dice":
            return _dice_of_classes(probability, truth)
        case "jaccard":
            return torch.stack([jaccard(p, t) for p, t in zip(probability.T, truth.T, strict=True)]).mean()
        case "lovasz":
            return lovasz_of_classes(probability, truth)
        case _:
            raise AssertionError(f"{name} is no loss of classes")


def loss_of_numbers(
    outputs: torch.Tensor, labels: torch.Tensor, name: LossTerm, scale: float
) -> torch.Tensor:
    """The mean loss over labelled pixels of numbers, a scalar without unit.

    Args:
        labels: the outputs' shape, NaN where missing. At least one must be known.
        scale: what errors are measured in, such as the labels' standard deviation.
    """
    known = ~labels.isnan()
    errors = (outputs[known] - labels[known]) / scale
    match name:
        case "squared":
            return errors.square().mean()
        case "absolute":
            return errors.abs().mean()
        case "huber":
            return functional.huber_loss(errors, torch.zeros_like(errors))
        case _:
            raise AssertionError(f"{name} is no loss of numbers")


def focal(logits: torch.Tensor, sought: torch.Tensor, known: torch.Tensor, weight: float) -> torch.Tensor:
    """Cross-entropy in which pixels that are already right count little (Lin et al. 2017, equation 5)."""
    weights = _weights(sought, known, weight)
    surprise = _surprise(logits, sought)  # -log of the probability given to the truth
    return (weights * (1 - (-surprise).exp()) ** _FOCAL_GAMMA * surprise).sum() / weights.sum()


def dice(probability: torch.Tensor, sought: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """One minus the soft Dice coefficient of a class (Milletari et al. 2016, "V-Net", section 3)."""
    probability = probability * known
    overlap = (probability * sought).sum()
    return 1 - (2 * overlap + DICE_SMOOTH) / (probability.sum() + sought.sum() + DICE_SMOOTH)


def jaccard(probability: torch.Tensor, sought: torch.Tensor) -> torch.Tensor:
    """One minus the soft Jaccard index of a class (Rahman & Wang 2016, section 3.2); both are 0 where missing."""
    overlap = (probability * sought).sum()
    union = probability.sum() + sought.sum() - overlap
    return 1 - (overlap + DICE_SMOOTH) / (union + DICE_SMOOTH)


def lovasz(probability: torch.Tensor, sought: torch.Tensor) -> torch.Tensor:
    """The Lovász extension of the Jaccard loss of a class (Berman et al. 2018, "The Lovász-Softmax loss", algorithm 1).

    Args:
        probability, sought: (N,) of labelled pixels.
    """
    errors, order = (sought - probability).abs().sort(descending=True)
    sorted_truth = sought[order]
    total = sorted_truth.sum()
    union = total + (1 - sorted_truth).cumsum(0)
    index = 1 - (total - sorted_truth.cumsum(0)) / union.clamp_min(1)
    steps = torch.cat([index[:1], index[1:] - index[:-1]])
    return (errors * steps).sum()


def lovasz_of_classes(probability: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean over the classes that the labels of the batch hold, (N, K) each."""
    is_there = truth.sum(dim=0) > 0
    each = [lovasz(p, t) for p, t in zip(probability.T, truth.T, strict=True)]
    return (torch.stack(each) * is_there).sum() / is_there.sum()


def _dice_of_classes(probability: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Mean of the classes' Dice losses, (N, K) each."""
    overlap = (probability * truth).sum(dim=0)  # (K,)
    sizes = probability.sum(dim=0) + truth.sum(dim=0)
    return (1 - (2 * overlap + DICE_SMOOTH) / (sizes + DICE_SMOOTH)).mean()


def _surprise(logits: torch.Tensor, sought: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(logits, sought, reduction="none")


def _weights(sought: torch.Tensor, known: torch.Tensor, weight: float) -> torch.Tensor:
    return known + (weight - 1) * sought if weight != 1 else known

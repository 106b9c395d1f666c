"""What heads without gradient share: they average labels, and say the average as an output."""

from __future__ import annotations

import numpy as np
import torch

from engine.learning.tasks.task import Link

# Shares are kept this far from 0 and 1, whose logits are infinite.
_LEAST_SHARE = 1e-4


def as_outputs(expected: torch.Tensor, link: Link) -> torch.Tensor:
    """Expected labels as outputs: numbers as they are, shares of classes as logits or logarithms."""
    match link:
        case "identity":
            return expected
        case "logit":
            return expected.clamp(_LEAST_SHARE, 1 - _LEAST_SHARE).logit()
        case "log":
            return expected.clamp_min(_LEAST_SHARE).log()


def by_patch(expected: torch.Tensor, values: int) -> torch.Tensor:
    """Expected labels of pixels as their mean over each patch: (N, p * p * values) -> (N, values), NaN without any."""
    return expected.view(len(expected), -1, values).nanmean(dim=1)


def without_gaps(expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Expected labels whose gaps hold the row's own mean, and each row's share of known ones; (N, L) and (N,).

    Args:
        expected: (N, L) with NaN where missing; each row knows one or more.
    """
    known = ~np.isnan(expected)
    means = np.nanmean(expected, axis=1, keepdims=True)
    return np.where(known, expected, means), known.mean(axis=1)

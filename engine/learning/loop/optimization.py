"""The optimiser of a training, and the size of its steps."""

from __future__ import annotations

import math
from collections.abc import Iterable

from torch import nn

from engine.jobs.configuration.config import TrainConfig
from engine.learning.loop.adam import Adam


def optimizer_of(config: TrainConfig, parameters: Iterable[nn.Parameter]) -> Adam:
    """The configured optimiser."""
    return Adam(parameters, config.weight_decay, is_decoupled=config.optimizer == "adamw")


def learning_rate_at(config: TrainConfig, step: int, steps: int, halvings: int = 0) -> float:
    """Linear climb, then as the schedule says: half a cosine down to zero (Loshchilov & Hutter 2017), or steps that stay.

    Args:
        step: from 0, below `steps`.
        halvings: how often validation has stayed where it was (schedule: plateau).
    """
    peak = config.learning_rate * 0.5**halvings
    climb = max(1, round(config.warm_up * steps)) if config.warm_up else 0
    if step < climb:
        return peak * (step + 1) / climb
    if config.schedule != "cosine":
        return peak
    return peak * 0.5 * (1 + math.cos(math.pi * (step - climb) / max(1, steps - climb)))


def is_time_to_halve(config: TrainConfig, epoch: int, best_epoch: int, last_halving: int) -> bool:
    """Whether validation has stayed for half of the patience since it was best, or since the last halving."""
    waits = max(1, config.patience // 2)
    return config.schedule == "plateau" and epoch - max(best_epoch, last_halving) >= waits

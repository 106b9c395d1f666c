"""Adam and AdamW, in so many words: torch's own optimisers import its compiler first, which takes 1.3 s of each start.

Kingma & Ba 2015, "Adam", algorithm 1; Loshchilov & Hutter 2019, "Decoupled Weight Decay Regularization", algorithm 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

# Kingma & Ba 2015, section 2: good default settings.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Running means of gradients and of their squares, and the step that they make.

    Attributes:
        is_decoupled: AdamW: weights decay by themselves, not through the gradient.
        count: steps so far.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float, is_decoupled: bool) -> None:
        self.parameters = list(parameters)
        self.weight_decay, self.is_decoupled, self.count = weight_decay, is_decoupled, 0
        self.means = [torch.zeros_like(one) for one in self.parameters]
        self.squares = [torch.zeros_like(one) for one in self.parameters]

    def forget_gradients(self) -> None:
        """Before the next backward pass."""
        for one in self.parameters:
            one.grad = None

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every parameter that has a gradient.

        Args:
            rate: step size.
        """
        self.count += 1
        first = rate / (1 - _BETA_1**self.count)
        second = (1 - _BETA_2**self.count) ** 0.5
        for one, mean, square in zip(self.parameters, self.means, self.squares, strict=True):
            if one.grad is None:
                continue
            gradient = one.grad
            if self.is_decoupled:
                one.mul_(1 - rate * self.weight_decay)
            elif self.weight_decay:
                gradient = gradient.add(one, alpha=self.weight_decay)
            mean.lerp_(gradient, 1 - _BETA_1)
            square.mul_(_BETA_2).addcmul_(gradient, gradient, value=1 - _BETA_2)
            one.addcdiv_(mean, (square.sqrt() / second).add_(_EPSILON), value=-first)

    def state(self) -> dict[str, Any]:
        """What the next step needs."""
        return {"count": self.count, "means": self.means, "squares": self.squares}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.count = int(state["count"])
        for own, kept in zip((*self.means, *self.squares), (*state["means"], *state["squares"]), strict=True):
            own.copy_(kept)

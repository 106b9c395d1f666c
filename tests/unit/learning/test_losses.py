from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch.nn import functional

from engine.jobs.config import LossConfig
from engine.learning.losses import loss_of

NAMES = get_args(LossConfig.model_fields["name"].annotation)


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(30, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.randint(-1, 2, (30, 16), generator=torch.Generator().manual_seed(1)).to(torch.int8)


@pytest.mark.parametrize("name", NAMES)
def test_missing_pixels_change_nothing(name: str, logits: torch.Tensor, labels: torch.Tensor) -> None:
    config = LossConfig(name=name, burned_weight=3.0)
    known = labels >= 0
    alone = loss_of(logits[known], labels[known], config)
    assert loss_of(logits, labels, config) == pytest.approx(float(alone), rel=1e-5)
    changed = torch.where(known, logits, logits + 50)
    assert loss_of(changed, labels, config) == pytest.approx(float(alone), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_missing_pixels_get_no_gradient(name: str, logits: torch.Tensor, labels: torch.Tensor) -> None:
    logits.requires_grad_()
    loss_of(logits, labels, LossConfig(name=name)).backward()
    assert logits.grad is not None
    assert (logits.grad[labels < 0] == 0).all()
    assert (logits.grad[labels >= 0] != 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_right_map_costs_nearly_nothing_and_the_wrong_one_more(name: str, labels: torch.Tensor) -> None:
    right = (labels.float() * 2 - 1) * 20
    assert loss_of(right, labels, LossConfig(name=name)) < 1e-3
    assert loss_of(-right, labels, LossConfig(name=name)) > 0.5


@pytest.mark.parametrize("weight", [1.0, 4.0])
def test_cross_entropy_is_that_of_two_classes(
    weight: float, logits: torch.Tensor, labels: torch.Tensor
) -> None:
    both = torch.stack([torch.zeros_like(logits), logits], dim=-1).reshape(-1, 2)
    expected = functional.cross_entropy(
        both, labels.reshape(-1).long(), weight=torch.tensor([1.0, weight]), ignore_index=-1
    )
    found = loss_of(logits, labels, LossConfig(name="cross_entropy", burned_weight=weight))
    assert found == pytest.approx(float(expected), rel=1e-5)

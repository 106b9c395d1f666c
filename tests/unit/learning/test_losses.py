from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch.nn import functional

from engine.jobs.config import LossConfig
from engine.learning.losses import LossName, loss_of, loss_of_classes

NAMES = get_args(LossConfig.model_fields["name"].annotation)


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(30, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.randint(-1, 2, (30, 16), generator=torch.Generator().manual_seed(1)).to(torch.int8)


@pytest.mark.parametrize("name", NAMES)
def test_missing_pixels_change_nothing(name: LossName, logits: torch.Tensor, labels: torch.Tensor) -> None:
    known = labels >= 0
    alone = loss_of(logits[known], labels[known], name, 3.0)
    assert loss_of(logits, labels, name, 3.0) == pytest.approx(float(alone), rel=1e-5)
    changed = torch.where(known, logits, logits + 50)
    assert loss_of(changed, labels, name, 3.0) == pytest.approx(float(alone), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_missing_pixels_get_no_gradient(name: LossName, logits: torch.Tensor, labels: torch.Tensor) -> None:
    logits.requires_grad_()
    loss_of(logits, labels, name).backward()
    assert logits.grad is not None
    assert (logits.grad[labels < 0] == 0).all()
    assert (logits.grad[labels >= 0] != 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_right_map_costs_nearly_nothing_and_the_wrong_one_more(
    name: LossName, labels: torch.Tensor
) -> None:
    right = (labels.float() * 2 - 1) * 20
    assert loss_of(right, labels, name) < 1e-3
    assert loss_of(-right, labels, name) > 0.5


@pytest.mark.parametrize("weight", [1.0, 4.0])
def test_cross_entropy_is_that_of_two_classes(
    weight: float, logits: torch.Tensor, labels: torch.Tensor
) -> None:
    both = torch.stack([torch.zeros_like(logits), logits], dim=-1).reshape(-1, 2)
    expected = functional.cross_entropy(
        both, labels.reshape(-1).long(), weight=torch.tensor([1.0, weight]), ignore_index=-1
    )
    found = loss_of(logits, labels, "cross_entropy", weight)
    assert found == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_losses_of_more_classes_leave_missing_pixels_out_and_fall_to_nothing_when_right(
    name: LossName,
) -> None:
    chance = torch.Generator().manual_seed(2)
    labels = torch.randint(-1, 4, (30, 16), generator=chance).to(torch.int8)
    logits = torch.randn(30, 16, 4, generator=chance, requires_grad=True)
    weights = [1.0, 2.0, 0.5, 3.0]
    found = loss_of_classes(logits, labels, name, weights)
    found.backward()
    assert logits.grad is not None
    assert (logits.grad[labels < 0] == 0).all()
    assert (logits.grad[labels >= 0] != 0).any(dim=-1).all()
    alone = loss_of_classes(logits.detach()[labels >= 0], labels[labels >= 0], name, weights)
    assert float(found.detach()) == pytest.approx(float(alone), rel=1e-5)
    right = functional.one_hot(labels.clamp(min=0).long(), 4).float() * 30
    assert (
        loss_of_classes(right, labels, name, weights)
        < 1e-3
        < 0.3
        < loss_of_classes(-right, labels, name, weights)
    )


def test_cross_entropy_of_more_classes_is_torchs_own() -> None:
    chance = torch.Generator().manual_seed(3)
    labels, logits = torch.randint(-1, 3, (50,), generator=chance), torch.randn(50, 3, generator=chance)
    weights = [1.0, 4.0, 0.3]
    expected = functional.cross_entropy(logits, labels, weight=torch.tensor(weights), ignore_index=-1)
    assert loss_of_classes(logits, labels, "cross_entropy", weights) == pytest.approx(
        float(expected), rel=1e-5
    )

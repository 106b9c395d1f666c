from __future__ import annotations

from functools import partial
from typing import get_args

import pytest
import torch
from torch.nn import functional

from engine.jobs.configuration.train import OF_NUMBERS, LossConfig, LossTerm
from engine.learning.losses import loss_of, loss_of_classes, loss_of_numbers, of_two_classes, weighted

NAMES = [name for name in get_args(LossTerm) if name not in OF_NUMBERS]
# Where a map is all wrong already, one more wrong pixel does not change the Jaccard index: no gradient there.
FLAT = ("lovasz",)


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(30, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.randint(-1, 2, (30, 16), generator=torch.Generator().manual_seed(1)).to(torch.int8)


@pytest.mark.parametrize("name", NAMES)
def test_missing_pixels_change_nothing(name: LossTerm, logits: torch.Tensor, labels: torch.Tensor) -> None:
    known = labels >= 0
    alone = loss_of(logits[known], labels[known], name, 3.0)
    assert loss_of(logits, labels, name, 3.0) == pytest.approx(float(alone), rel=1e-5)
    changed = torch.where(known, logits, logits + 50)
    assert loss_of(changed, labels, name, 3.0) == pytest.approx(float(alone), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_missing_pixels_get_no_gradient(name: LossTerm, logits: torch.Tensor, labels: torch.Tensor) -> None:
    logits.requires_grad_()
    loss_of(logits, labels, name).backward()
    assert logits.grad is not None
    assert (logits.grad[labels < 0] == 0).all()
    assert name in FLAT or (logits.grad[labels >= 0] != 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_right_map_costs_nearly_nothing_and_the_wrong_one_more(
    name: LossTerm, labels: torch.Tensor
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
    name: LossTerm,
) -> None:
    chance = torch.Generator().manual_seed(2)
    labels = torch.randint(-1, 4, (30, 16), generator=chance).to(torch.int8)
    logits = torch.randn(30, 16, 4, generator=chance, requires_grad=True)
    weights = [1.0, 2.0, 0.5, 3.0]
    found = loss_of_classes(logits, labels, name, weights)
    found.backward()
    assert logits.grad is not None
    assert (logits.grad[labels < 0] == 0).all()
    assert name in FLAT or (logits.grad[labels >= 0] != 0).any(dim=-1).all()
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


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_losses_of_numbers_leave_missing_ones_out(name: LossTerm) -> None:
    chance = torch.Generator().manual_seed(4)
    labels, outputs = torch.randn(40, 9, generator=chance), torch.randn(40, 9, generator=chance)
    labels[::3, ::2] = torch.nan
    outputs.requires_grad_()
    found = loss_of_numbers(outputs, labels, name, 2.0)
    found.backward()
    assert outputs.grad is not None
    assert (outputs.grad[labels.isnan()] == 0).all()
    known = ~labels.isnan()
    assert float(found.detach()) == pytest.approx(
        float(loss_of_numbers(outputs.detach()[known], labels[known], name, 2.0)), rel=1e-5
    )
    assert float(loss_of_numbers(labels, labels, name, 2.0)) == 0


def test_a_sum_of_losses_is_their_weighted_sum(logits: torch.Tensor, labels: torch.Tensor) -> None:
    each = partial(loss_of, logits, labels)
    config = LossConfig(name="sum", terms={"cross_entropy": 2.0, "lovasz": 0.5})
    assert float(weighted(config, each)) == pytest.approx(
        2 * float(each("cross_entropy")) + 0.5 * float(each("lovasz")), rel=1e-6
    )
    both = of_two_classes(LossConfig(name="cross_entropy_dice"), logits, labels)
    assert float(both) == pytest.approx(float(each("cross_entropy") + each("dice")), rel=1e-6)


def test_the_lovasz_loss_of_a_map_of_certain_pixels_is_one_minus_its_iou() -> None:
    chance = torch.Generator().manual_seed(5)
    labels = torch.randint(0, 2, (200,), generator=chance)
    predicted = torch.randint(0, 2, (200,), generator=chance)
    overlap, union = int((labels & predicted).sum()), int((labels | predicted).sum())
    certain = (predicted.float() * 2 - 1) * 40
    assert float(loss_of(certain, labels, "lovasz")) == pytest.approx(1 - overlap / union, abs=1e-5)
    assert float(loss_of(certain, labels, "jaccard")) == pytest.approx(1 - overlap / union, abs=0.01)


@pytest.mark.parametrize("pixels", [7, 65_536, 150_000])
@pytest.mark.parametrize(
    "terms",
    [
        {"cross_entropy": 1.0},
        {"cross_entropy": 1.0, "dice": 1.0},
        {"cross_entropy": 0.3, "dice": 2.0, "jaccard": 1.0},
    ],
    ids="+".join,
)
def test_losses_in_pieces_have_the_value_and_the_gradient_of_torchs_formulas(
    pixels: int, terms: dict[LossTerm, float]
) -> None:
    chance = torch.Generator().manual_seed(0)
    logits = torch.randn(pixels, generator=chance).mul_(8).requires_grad_()
    labels = torch.randint(-1, 2, (pixels,), generator=chance).to(torch.int8)
    labels[0] = 1
    own = of_two_classes(LossConfig(name="sum", terms=terms), logits, labels, 3.0)
    known = labels >= 0
    truth, probability = labels[known].double(), logits[known].double().sigmoid()
    weights = torch.where(truth == 1, 3.0, 1.0)
    surprise = functional.binary_cross_entropy_with_logits(
        logits[known].double(), truth, weights, reduction="sum"
    )
    overlap, sizes = (probability * truth).sum(), probability.sum() + truth.sum()
    plain = {
        "cross_entropy": surprise / weights.sum(),
        "dice": 1 - (2 * overlap + 1) / (sizes + 1),
        "jaccard": 1 - (overlap + 1) / (sizes - overlap + 1),
    }
    expected = sum(share * plain[term] for term, share in terms.items())
    torch.testing.assert_close(own.double(), expected, rtol=1e-5, atol=1e-7)
    found, sought = (torch.autograd.grad(loss, logits)[0] for loss in (own, expected))
    torch.testing.assert_close(found, sought, rtol=2e-5, atol=1e-6 / pixels)
    with torch.no_grad():
        assert torch.equal(of_two_classes(LossConfig(name="sum", terms=terms), logits, labels, 3.0), own)

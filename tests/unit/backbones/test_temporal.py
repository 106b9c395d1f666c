"""Several dates through an encoder of single images."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.backbones.core.temporal import WAYS, TemporalBackbone
from engine.errors import BackboneError
from tests.unit.backbones.batches import HLS, make_batch
from tests.unit.backbones.test_clay import backbone as clay_backbone
from tests.unit.backbones.test_prithvi import backbone as prithvi_backbone


@pytest.fixture(scope="module")
def alone() -> list[torch.Tensor]:
    """The last layer of each of three dates, each through the encoder by itself."""
    batch, model = make_batch(dates=3, bands=HLS), clay_backbone()
    return [
        model.embed(
            replace(
                batch,
                image=batch.image[:, t : t + 1],
                valid=batch.valid[:, t : t + 1],
                datetimes=[[dates[t]] for dates in batch.datetimes],
            ),
            [-1],
        ).maps[0]
        for t in range(3)
    ]


def joined(way: str, dates: int = 3) -> torch.Tensor:
    batch = make_batch(dates=3, bands=HLS)
    batch = replace(
        batch,
        image=batch.image[:, :dates],
        valid=batch.valid[:, :dates],
        datetimes=[d[:dates] for d in batch.datetimes],
    )
    return TemporalBackbone(clay_backbone(), way).embed(batch, [-1]).maps[0]


@pytest.mark.parametrize(
    ("way", "oracle"),
    [
        ("mean", lambda d: (d[0] + d[1] + d[2]) / 3),
        ("max", lambda d: torch.maximum(torch.maximum(d[0], d[1]), d[2])),
        ("concatenate", lambda d: torch.cat(d, dim=-1)),
        ("keep", lambda d: torch.stack(d, dim=1)),
    ],
)
def test_dates_are_joined(way: str, oracle: object, alone: list[torch.Tensor]) -> None:
    torch.testing.assert_close(joined(way), oracle(alone), atol=1e-5, rtol=0)  # type: ignore[operator]


def test_a_difference_is_the_first_date_minus_the_second(alone: list[torch.Tensor]) -> None:
    torch.testing.assert_close(joined("difference", dates=2), alone[0] - alone[1], atol=1e-5, rtol=0)


def test_a_difference_of_three_dates_is_refused() -> None:
    with pytest.raises(BackboneError, match="two dates; the scene has 3"):
        joined("difference")


def test_class_tokens_are_joined_like_maps() -> None:
    model, batch = clay_backbone(), make_batch(dates=2, bands=HLS)
    cls = TemporalBackbone(model, "concatenate").embed(batch, [-1]).cls
    assert cls is not None
    assert cls[0].shape == (2, 2 * 48)


def test_an_encoder_that_attends_across_dates_is_left_alone() -> None:
    model, batch = prithvi_backbone(), make_batch(dates=2, bands=HLS)
    ours = TemporalBackbone(model, "mean").embed(batch, [-1]).maps[0]
    torch.testing.assert_close(ours, model.embed(batch, [-1]).maps[0], atol=0, rtol=0)


def test_an_unknown_way_names_the_nearest() -> None:
    with pytest.raises(BackboneError, match="concatenate"):
        TemporalBackbone(clay_backbone(), "concat")
    assert set(WAYS) == {"mean", "max", "difference", "concatenate", "keep"}

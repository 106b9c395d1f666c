"""Clay as a backbone: any bands in any order, statistics by sensor, time, place and resolution."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

import pytest
import torch

from engine.backbones import cards
from engine.backbones.clay import encoder as clay
from engine.backbones.clay.encoder import ClayBackbone, week_and_hour
from engine.backbones.core.batch import Batch
from engine.errors import BackboneError
from tests.unit.backbones.batches import HLS, OPTICAL, make_batch

SMALL = {"embed_dim": 48, "depth": 2, "num_heads": 2, "head_dim": 24, "wave_dim": 32, "wave_ff": 64}


def backbone(name: str = "clay_v1_5_large", **settings: str) -> ClayBackbone:
    spec = cards.CARDS[name]
    spec = replace(spec, depth=2, dim=48, config=MappingProxyType({**spec.config, **SMALL}))
    torch.manual_seed(0)
    module = clay.encoder(spec)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return clay.wrap(spec, module, "random", settings)


def last_map(model: ClayBackbone, batch: Batch) -> torch.Tensor:
    return model.embed(batch, [-1]).maps[0]


def test_sides_may_differ_and_a_batch_of_one_equals_a_batch_of_many() -> None:
    model, batch = backbone(), make_batch(height=40, width=64, bands=HLS)
    whole = last_map(model, batch)
    assert whole.shape == (2, 5, 8, 48)
    one = replace(batch, image=batch.image[1:], valid=batch.valid[1:], datetimes=batch.datetimes[1:],
                  lonlat=batch.lonlat[1:])  # fmt: skip
    torch.testing.assert_close(last_map(model, one), whole[1:], atol=1e-5, rtol=0)


def test_the_order_of_the_scene_s_bands_has_no_say() -> None:
    model, batch = backbone(), make_batch(bands=OPTICAL)
    turned = replace(
        batch, image=batch.image.flip(2), bands=batch.bands[::-1], wavelengths_um=batch.wavelengths_um[::-1]
    )
    torch.testing.assert_close(last_map(model, turned), last_map(model, batch), atol=2e-5, rtol=0)


@pytest.mark.parametrize("change", ["gsd", "time", "place", "wavelength"])
def test_scene_facts_reach_the_encoder(change: str) -> None:
    batch = make_batch(bands=HLS)
    other = {
        "gsd": replace(batch, gsd_m=30.0),
        "time": replace(batch, datetimes=[[datetime(2021, 9, 1, 3)]] * 2),
        "place": replace(batch, lonlat=batch.lonlat + 20),
        "wavelength": replace(batch, wavelengths_um=tuple(um + 0.05 for um in batch.wavelengths_um)),
    }[change]
    assert (last_map(backbone(), batch) - last_map(backbone(), other)).abs().max() > 1e-3


def test_ignored_facts_do_not_reach_the_encoder() -> None:
    batch = make_batch(bands=HLS)
    unknown = replace(batch, datetimes=[[None], [None]], lonlat=None)
    ignored = last_map(backbone(time="ignore", location="ignore"), batch)
    torch.testing.assert_close(last_map(backbone(), unknown), ignored, atol=0, rtol=0)


def test_week_and_hour_go_round() -> None:
    sine, cosine, hour_sine, hour_cosine = week_and_hour(
        datetime(2021, 4, 1, 6)
    )  # week 13 of 52, 6 of 24 hours
    assert (sine, hour_sine) == pytest.approx((1, 1))
    assert (cosine, hour_cosine) == pytest.approx((0, 0), abs=1e-9)
    assert week_and_hour(None) == (0, 0, 0, 0)


def test_sentinel_2_bands_are_standardised_as_digital_numbers() -> None:
    spec = cards.CARDS["clay_v1_base"]
    mean = torch.tensor(spec.normalisation.mean)
    batch = make_batch(bands=spec.bands, gaps=False)
    at_mean = replace(batch, image=(mean / 10_000).view(1, 1, -1, 1, 1).expand_as(batch.image))
    all_gaps = replace(batch, valid=torch.zeros_like(batch.valid))
    model = backbone()
    torch.testing.assert_close(last_map(model, at_mean), last_map(model, all_gaps), atol=1e-4, rtol=0)


def test_the_two_versions_read_radar_in_their_own_unit() -> None:
    decibels = make_batch(bands=("vv", "vh"), gaps=False)
    linear = replace(decibels, image=10 ** (decibels.image / 10))
    for name in ("clay_v1_base", "clay_v1_5_large"):
        first = last_map(backbone(name, radar_values="db"), decibels)
        second = last_map(backbone(name, radar_values="linear"), linear)
        torch.testing.assert_close(first, second, atol=1e-4, rtol=0)


def test_a_polarisation_without_statistics_is_refused() -> None:
    batch = replace(make_batch(bands=("vv", "vh")), bands=("hh", "hv"))
    with pytest.raises(BackboneError, match="hh"):
        backbone().embed(batch, [-1])


def test_kernels_follow_new_weights() -> None:
    model, batch = backbone(), make_batch(bands=HLS)
    before = last_map(model, batch)
    torch.testing.assert_close(last_map(model, batch), before, atol=0, rtol=0)
    state = {key: value * 1.5 for key, value in model.module.state_dict().items()}
    model.module.load_state_dict(state)
    fresh = backbone()
    fresh.module.load_state_dict(state)
    torch.testing.assert_close(last_map(model, batch), last_map(fresh, batch), atol=0, rtol=0)


def test_a_chip_that_patches_do_not_cover_is_refused() -> None:
    with pytest.raises(BackboneError, match="multiples of 8"):
        backbone().embed(make_batch(bands=HLS, height=60), [-1])

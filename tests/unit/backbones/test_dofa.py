"""DOFA as a backbone: any bands in any order, the 8-bit stretch, the resized position table."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
import torch

from engine.backbones import cards
from engine.backbones.core.batch import Batch
from engine.backbones.dofa import encoder as dofa
from engine.backbones.dofa.encoder import DofaBackbone
from engine.errors import BackboneError
from tests.unit.backbones.batches import HLS, OPTICAL, make_batch

CARD = cards.CARDS["dofa_base"]
SMALL = {"embed_dim": 32, "depth": 2, "num_heads": 4, "wave_dim": 32, "wave_ff": 64, "img_size": 64}


def backbone(**settings: str) -> DofaBackbone:
    spec = replace(CARD, depth=2, dim=32, config=MappingProxyType({**CARD.config, **SMALL}))
    torch.manual_seed(0)
    module = dofa.encoder(spec)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return dofa.wrap(spec, module, "random", settings)


def last_map(model: DofaBackbone, batch: Batch) -> torch.Tensor:
    return model.embed(batch, [-1]).maps[0]


def test_a_batch_of_one_equals_a_batch_of_many_at_any_size() -> None:
    model, batch = backbone(), make_batch(height=96, width=48, bands=HLS)
    whole = last_map(model, batch)
    assert whole.shape == (2, 6, 3, 32)
    one = replace(batch, image=batch.image[1:], valid=batch.valid[1:], datetimes=batch.datetimes[1:])
    torch.testing.assert_close(last_map(model, one), whole[1:], atol=2e-5, rtol=0)


def test_the_order_of_the_scene_s_bands_has_no_say() -> None:
    model, batch = backbone(), make_batch(bands=OPTICAL)
    turned = replace(
        batch, image=batch.image.flip(2), bands=batch.bands[::-1], wavelengths_um=batch.wavelengths_um[::-1]
    )
    torch.testing.assert_close(last_map(model, turned), last_map(model, batch), atol=5e-5, rtol=0)


def test_the_way_of_resizing_counts_on_other_grids_only() -> None:
    native, other = make_batch(bands=HLS), make_batch(bands=HLS, height=96, width=96)
    bicubic, bilinear = backbone(position_resize="bicubic"), backbone(position_resize="bilinear")
    torch.testing.assert_close(last_map(bicubic, native), last_map(bilinear, native), atol=0, rtol=0)
    assert (last_map(bicubic, other) - last_map(bilinear, other)).abs().max() > 1e-3


def test_the_stretch_follows_the_setting() -> None:
    batch = make_batch(bands=CARD.bands, gaps=False)
    low, high = (
        last_map(backbone(reflectance_at_255="0.5"), batch),
        last_map(backbone(reflectance_at_255="1.0"), batch),
    )
    assert (low - high).abs().max() > 1e-3
    doubled = replace(batch, image=batch.image * 2)
    torch.testing.assert_close(last_map(backbone(reflectance_at_255="1.0"), doubled), low, atol=1e-4, rtol=0)


def test_the_stretch_saturates_above_its_white() -> None:
    batch = make_batch(bands=CARD.bands, gaps=False)
    bright = replace(batch, image=batch.image + 0.5)
    brighter = replace(batch, image=batch.image + 0.9)
    model = backbone(reflectance_at_255="0.3")
    torch.testing.assert_close(last_map(model, bright), last_map(model, brighter), atol=0, rtol=0)


def test_missing_pixels_have_no_say() -> None:
    model, batch = backbone(), make_batch(bands=HLS)
    gaps = ~batch.valid[:, :, None].expand_as(batch.image)
    other = replace(batch, image=torch.where(gaps, torch.nan, batch.image))
    torch.testing.assert_close(last_map(model, other), last_map(model, batch), atol=0, rtol=0)


def test_no_layer_passes_through_a_norm() -> None:
    model, batch = backbone(), make_batch(bands=HLS)
    first, last = model.embed(batch, [0, -1]).maps
    tokens = first.flatten(1, 2)
    cls = model.embed(batch, [0]).cls
    assert cls is not None
    expected = model.module.blocks[1](torch.cat([cls[0][:, None], tokens], dim=1))[:, 1:]
    torch.testing.assert_close(last.flatten(1, 2), expected, atol=1e-5, rtol=0)


def test_several_dates_are_left_to_the_temporal_wrapper() -> None:
    with pytest.raises(BackboneError, match=r"backbone\.temporal"):
        backbone().embed(make_batch(bands=HLS, dates=2), [-1])

"""Prithvi as a backbone: units, dates, time and place, band subsets, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
import torch

from engine.backbones import cards
from engine.backbones.core.batch import Batch
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.prithvi import encoder as prithvi
from engine.backbones.prithvi.encoder import PrithviBackbone
from engine.errors import BackboneError, MissingBand
from tests.unit.backbones.batches import HLS, make_batch

CARD = cards.CARDS["prithvi_eo_v2_tiny_tl"]


def small(card: BackboneSpec = CARD, **config: object) -> BackboneSpec:
    """The card at a size that runs in milliseconds."""
    shrunk = {**card.config, "embed_dim": 64, "depth": 2, "num_heads": 4, "img_size": 64, **config}
    return replace(card, depth=2, dim=64, config=MappingProxyType(shrunk))


def backbone(spec: BackboneSpec | None = None, **settings: str) -> PrithviBackbone:
    spec = spec or small()
    torch.manual_seed(0)
    module = prithvi.encoder(spec)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return prithvi.wrap(spec, module, "random", settings)


def last_map(model: PrithviBackbone, batch: Batch) -> torch.Tensor:
    return model.embed(batch, [-1]).maps[0]


def test_reflectance_is_scaled_and_standardised_by_the_card() -> None:
    model, batch = backbone(), make_batch(bands=HLS, gaps=False)
    norm = CARD.normalisation
    mean, std = (torch.tensor(v).view(1, -1, 1, 1, 1) for v in (norm.mean, norm.std))
    image = (batch.image.transpose(1, 2) * 10_000 - mean) / std
    time = torch.tensor([[[2021.0, 63.0]], [[2021.0, 64.0]]])  # 5 and 6 March, 1 January is day 0
    place = torch.tensor([[41.25, 12.5], [40.25, 13.5]])
    expected = model.module(image, [1], time, place)[1]
    found = model.embed(batch, [-1])
    assert found.cls is not None
    torch.testing.assert_close(found.cls[0], expected[:, 0], atol=2e-5, rtol=0)
    torch.testing.assert_close(found.maps[0].flatten(1, 2), expected[:, 1:], atol=2e-5, rtol=0)


def test_a_batch_of_one_equals_a_batch_of_many() -> None:
    model, many = backbone(), make_batch(chips=3, dates=2, bands=HLS)
    one = make_batch(chips=3, dates=2, bands=HLS)
    one = replace(
        one, image=one.image[1:2], valid=one.valid[1:2], datetimes=one.datetimes[1:2], lonlat=one.lonlat[1:2]
    )
    torch.testing.assert_close(last_map(model, one), last_map(model, many)[1:2], atol=1e-5, rtol=0)


def test_dates_lie_side_by_side_time_major() -> None:
    model, batch = backbone(), make_batch(dates=3, height=32, width=48, bands=HLS)
    assert last_map(model, batch).shape == (2, 2, 3, 3 * 64)
    # before the first block a date's tokens depend on that date alone
    tokens = model.module.tokens_in(batch.image.transpose(1, 2))
    changed = batch.image.clone()
    changed[:, 1] += 1
    differs = (
        (model.module.tokens_in(changed.transpose(1, 2)) != tokens).any(dim=-1)[0, 1:].view(3, -1).any(dim=1)
    )
    assert differs.tolist() == [False, True, False]


def test_missing_pixels_have_no_say() -> None:
    model, batch = backbone(), make_batch(bands=HLS)
    gaps = ~batch.valid[:, :, None].expand_as(batch.image)
    other = replace(batch, image=torch.where(gaps, torch.nan, batch.image))
    assert gaps.any()
    torch.testing.assert_close(last_map(model, other), last_map(model, batch), atol=0, rtol=0)


def test_the_order_of_the_scene_s_bands_has_no_say() -> None:
    model, batch = backbone(), make_batch(bands=HLS)
    turned = replace(batch, image=batch.image.flip(2), bands=batch.bands[::-1])
    torch.testing.assert_close(last_map(model, turned), last_map(model, batch), atol=0, rtol=0)


def test_latitude_and_longitude_swap_with_the_setting() -> None:
    batch = make_batch(bands=HLS)
    swapped = replace(batch, lonlat=batch.lonlat.flip(1))
    first = last_map(backbone(location_order="lat_lon"), batch)
    torch.testing.assert_close(first, last_map(backbone(location_order="lon_lat"), swapped), atol=0, rtol=0)
    assert (first - last_map(backbone(location_order="lon_lat"), batch)).abs().max() > 1e-3


def test_the_day_base_moves_the_day_by_one() -> None:
    batch = make_batch(chips=1, bands=HLS)
    earlier = replace(batch, datetimes=[[batch.datetimes[0][0].replace(day=4)]])
    zero_based, one_based = last_map(backbone(day_base="0"), batch), last_map(backbone(day_base="1"), earlier)
    torch.testing.assert_close(zero_based, one_based, atol=0, rtol=0)
    assert (zero_based - last_map(backbone(day_base="1"), batch)).abs().max() > 1e-4


def test_an_unknown_date_or_place_adds_nothing() -> None:
    batch = make_batch(bands=HLS)
    unknown = replace(batch, datetimes=[[None], [None]], lonlat=None)
    silent = last_map(backbone(time="ignore", location="ignore"), batch)
    torch.testing.assert_close(last_map(backbone(), unknown), silent, atol=0, rtol=0)
    assert (last_map(backbone(), batch) - silent).abs().max() > 1e-3


def test_one_chip_without_a_date_leaves_the_other_chips_dates() -> None:
    batch = make_batch(bands=HLS)
    half = replace(batch, datetimes=[batch.datetimes[0], [None]])
    torch.testing.assert_close(
        last_map(backbone(), half)[0], last_map(backbone(), batch)[0], atol=1e-6, rtol=0
    )
    assert (last_map(backbone(), half)[1] - last_map(backbone(), batch)[1]).abs().max() > 1e-3


def test_only_the_last_layer_is_normed() -> None:
    model, batch = backbone(), make_batch(bands=HLS)
    both = model.embed(batch, [0, -1]).maps
    bias, weight = model.module.norm.bias, model.module.norm.weight
    centres = [((item - bias) / weight).mean(dim=-1).abs().max() for item in both]
    assert centres[1] < 1e-3 < centres[0]  # a normed token has a mean of zero


def test_leaving_a_band_out_equals_its_training_mean() -> None:
    spec = small()
    full = backbone(spec)
    subset = cards.resolve(spec, {"bands": "available"}, ("swir_2", "blue", "red"))
    assert subset.bands == ("blue", "red", "swir_2")
    narrow = prithvi.wrap(subset, prithvi.encoder(subset), "random", {"bands": "available"})
    narrow.module.load_state_dict(full.module.state_dict())
    batch = make_batch(bands=HLS, gaps=False)
    at_mean = batch.image.clone()
    for place, band in enumerate(HLS):
        if band not in subset.bands:
            at_mean[:, :, place] = CARD.normalisation.mean[place] / 10_000
    few = make_batch(bands=HLS, gaps=False)
    kept = [HLS.index(band) for band in subset.bands]
    few = replace(few, image=few.image[:, :, kept], bands=subset.bands)
    expected = last_map(full, replace(batch, image=at_mean))
    torch.testing.assert_close(last_map(narrow, few), expected, atol=1e-4, rtol=0)


def test_a_scene_without_a_band_is_refused_by_its_name() -> None:
    with pytest.raises(MissingBand, match="swir_2"):
        backbone().embed(make_batch(bands=HLS[:5]), [-1])


def test_more_dates_than_the_model_takes_are_refused() -> None:
    with pytest.raises(BackboneError, match="up to 4 dates"):
        backbone().embed(make_batch(dates=5, bands=HLS), [-1])


def test_a_layer_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BackboneError, match="layers 0 to 1"):
        backbone().embed(make_batch(bands=HLS), [2])


def test_a_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BackboneError, match="day_bass"):
        backbone(day_bass="1")


def test_pixels_beyond_whole_patches_are_cut_off() -> None:
    spec = replace(small(cards.CARDS["prithvi_eo_v2_600"], img_size=56, patch_size=(1, 14, 14)), patch_px=14)
    model, batch = backbone(spec), make_batch(height=64, width=50, bands=HLS)
    cut = replace(batch, image=batch.image[..., :56, :42], valid=batch.valid[..., :56, :42])
    assert last_map(model, batch).shape[1:3] == (4, 3)
    torch.testing.assert_close(last_map(model, batch), last_map(model, cut), atol=0, rtol=0)

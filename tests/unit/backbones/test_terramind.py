"""TerraMind as a backbone: modalities alone and together, merges, band subsets, tokenizers."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
import torch

from engine.backbones import cards
from engine.backbones.core.batch import Batch
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.terramind import encoder as terramind
from engine.backbones.terramind import tokenizer as terramind_tokenizer
from engine.backbones.terramind.backbone import TerraMindBackbone, attach, wrap
from engine.backbones.terramind.cards import TOKENIZERS
from engine.backbones.terramind.settings import companions
from engine.errors import BackboneError, MissingBand, WeightsError
from tests.unit.backbones.batches import ALL_BANDS, OPTICAL, make_batch

ALONE = {"S2L2A": "s2l2a", "S2L1C": "s2l1c", "S1GRD": "s1grd", "S1RTC": "s1rtc", "RGB": "rgb", "DEM": "dem",
         "NDVI": "ndvi", "LULC": "lulc"}  # fmt: skip
SMALL = {"embed_dim": 48, "depth": 2, "num_heads": 4, "img_size": 64}


def card(name: str = "terramind_v1_base") -> BackboneSpec:
    spec = cards.CARDS[name]
    return replace(spec, depth=2, dim=48, config=MappingProxyType({**spec.config, **SMALL}))


def tokenizer(modality: str) -> torch.nn.Module:
    spec = TOKENIZERS[modality]
    torch.manual_seed(1)
    return terramind_tokenizer.encoder(replace(spec, config=MappingProxyType({**spec.config, **SMALL})))


def backbone(available: tuple[str, ...] = tuple(ALL_BANDS), **settings: str) -> TerraMindBackbone:
    spec = card()
    spec = cards.resolve(spec, settings, available)
    torch.manual_seed(0)
    module = terramind.encoder(spec)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    for name in companions(spec):
        attach(module, name, tokenizer(name))
    return wrap(spec, module, "random", settings)  # type: ignore[return-value]


def last_map(model: TerraMindBackbone, batch: Batch) -> torch.Tensor:
    return model.embed(batch, [-1]).maps[0]


def only(*names: str) -> dict[str, str]:
    return {setting: "use" if name in names else "ignore" for name, setting in ALONE.items()}


@pytest.mark.parametrize("name", ALONE)
def test_each_modality_works_alone(name: str) -> None:
    model = backbone(**only(name))
    batch = make_batch(height=48, width=64)
    whole = last_map(model, batch)
    assert whole.shape == (2, 3, 4, 48)
    assert torch.isfinite(whole).all()
    one = replace(batch, image=batch.image[1:], valid=batch.valid[1:], datetimes=batch.datetimes[1:])
    torch.testing.assert_close(last_map(model, one), whole[1:], atol=1e-5, rtol=0)


def test_the_merge_of_several_modalities_is_mean_max_or_side_by_side() -> None:
    names, batch = ("S2L2A", "S1GRD", "LULC"), make_batch()
    maps = {how: last_map(backbone(merge=how, **only(*names)), batch) for how in ("mean", "max", "concat")}
    each = maps["concat"].unflatten(-1, (3, 48))
    torch.testing.assert_close(each.mean(dim=-2), maps["mean"], atol=1e-5, rtol=0)
    torch.testing.assert_close(each.amax(dim=-2), maps["max"], atol=1e-5, rtol=0)
    assert backbone(merge="concat", **only(*names)).spec.dim == 3 * 48


def test_leaving_bands_out_equals_their_training_means() -> None:
    few = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
    narrow, full = backbone(few, bands="available"), backbone()
    narrow.module.load_state_dict(full.module.state_dict())
    assert narrow.spec.bands == few
    batch = make_batch(bands=OPTICAL, gaps=False)
    at_mean = batch.image.clone()
    for band, mean in zip(full.spec.bands, full.spec.normalisation.mean, strict=True):
        if band not in few:
            at_mean[:, :, OPTICAL.index(band)] = mean / 10_000
    kept = replace(batch, image=batch.image[:, :, [OPTICAL.index(b) for b in few]], bands=few)
    expected = last_map(full, replace(batch, image=at_mean))
    torch.testing.assert_close(last_map(narrow, kept), expected, atol=1e-4, rtol=0)


def test_a_card_resolved_twice_is_the_card_resolved_once() -> None:
    settings = {"merge": "concat", "bands": "available", **only("S2L2A", "DEM", "NDVI")}
    once = cards.resolve(card(), settings, tuple(ALL_BANDS))
    twice = cards.resolve(once, settings, once.bands)
    assert (twice.bands, twice.dim, dict(twice.config)) == (once.bands, once.dim, dict(once.config))


def test_a_scene_without_a_band_is_refused_by_its_name() -> None:
    with pytest.raises(MissingBand, match="coastal_aerosol"):
        backbone().embed(make_batch(bands=OPTICAL[1:]), [-1])


def test_radar_in_linear_power_equals_radar_in_decibels() -> None:
    batch = make_batch(gaps=False)
    linear = batch.image.clone()
    radar = [batch.bands.index("vv"), batch.bands.index("vh")]
    linear[:, :, radar] = 10 ** (linear[:, :, radar] / 10)
    decibels = last_map(backbone(**only("S1GRD")), batch)
    converted = last_map(backbone(radar_values="linear", **only("S1GRD")), replace(batch, image=linear))
    torch.testing.assert_close(converted, decibels, atol=1e-4, rtol=0)


def test_the_sentinel_2_offset_is_added_to_digital_numbers() -> None:
    batch = make_batch(bands=OPTICAL, gaps=False)
    shifted = last_map(backbone(sentinel2_offset="1000"), batch)
    expected = last_map(backbone(), replace(batch, image=batch.image + 0.1))
    torch.testing.assert_close(shifted, expected, atol=1e-4, rtol=0)


def test_ndvi_comes_from_red_and_infrared_where_the_scene_has_no_index() -> None:
    batch = make_batch(bands=OPTICAL, gaps=False)
    red, infrared = (batch.image[:, :, OPTICAL.index(b)] for b in ("red", "nir_broad"))
    index = replace(batch, image=((infrared - red) / (infrared + red))[:, :, None], bands=("ndvi",))
    computed = last_map(backbone(OPTICAL, **only("NDVI")), batch)
    given = last_map(backbone(("ndvi",), **only("NDVI")), index)
    torch.testing.assert_close(given, computed, atol=1e-5, rtol=0)


def test_a_token_modality_without_its_tokenizer_is_refused() -> None:
    settings = only("LULC")
    spec = cards.resolve(card(), settings, ("lulc",))
    with pytest.raises(WeightsError, match="tokenizer"):
        wrap(spec, terramind.encoder(spec), "random", settings)


def test_a_land_cover_class_beyond_the_ten_is_refused() -> None:
    batch = make_batch(gaps=False)
    image = batch.image.clone()
    image[:, :, batch.bands.index("lulc")] = 10
    with pytest.raises(BackboneError, match="class ids 10 to 10; the model knows 0 to 9"):
        backbone(**only("LULC")).embed(replace(batch, image=image), [-1])


def test_a_chip_that_patches_do_not_cover_is_refused() -> None:
    with pytest.raises(BackboneError, match="multiples of 16"):
        backbone().embed(make_batch(bands=OPTICAL, height=60), [-1])


def test_no_modality_at_all_is_refused() -> None:
    with pytest.raises(BackboneError, match="ignores all of its modalities"):
        cards.resolve(card(), only(), tuple(ALL_BANDS))


def test_a_norm_with_a_bias_is_another_model() -> None:
    spec = card()
    module = terramind.encoder(spec)
    with pytest.raises(WeightsError, match="have no bias"):
        terramind.official_to_encoder({**module.state_dict(), "encoder_norm.bias": torch.ones(48)}, spec)


def test_a_vegetation_tokenizer_writes_ids_within_its_vocabulary() -> None:
    encoded = tokenizer("NDVI").encode(torch.randn(2, 1, 96, 64) * 3)  # type: ignore[operator]
    levels = torch.tensor([8, 8, 8, 6, 5])
    assert encoded.token_ids.shape == (2, 6, 4)
    assert encoded.token_ids.max() < levels.prod() == 15360
    # the ids are the quantised digits in mixed radix, the first level fastest
    digits = (encoded.code.permute(0, 2, 3, 1) * (levels - 1)).round().long()
    places = torch.tensor([1, 8, 64, 512, 3072])
    assert torch.equal((digits * places).sum(dim=-1), encoded.token_ids)

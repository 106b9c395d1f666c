"""Galileo: groups of what the scene has, patches of 1 to 8 px, several dates as one embedding, the official file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.backbones.build import build
from engine.backbones.cards import card, resolve
from engine.backbones.core.batch import Batch
from engine.backbones.core.device import OnDevice, choose
from engine.backbones.galileo.backbone import GalileoBackbone, slope_deg, wrap
from engine.backbones.galileo.cards import group_names
from engine.backbones.galileo.encoder import encoder
from engine.backbones.galileo.official_file import official_to_encoder, resized_kernel
from engine.errors import BackboneError, MissingBand, WeightsError
from tests.unit.backbones.batches import ALL_BANDS, HLS, make_batch

FLOAT32 = choose("cpu", torch.float32)
GOLDEN = Path(__file__).parents[2] / "golden" / "open" / "galileo_b_hls6_p3.safetensors"
SENTINEL2 = (*HLS, "red_edge_1", "red_edge_2", "red_edge_3", "nir_broad")


def backbone(bands: Sequence[str] = HLS, **settings: str) -> OnDevice:
    return build(card("galileo_nano"), "random", FLOAT32, settings, bands=bands)


def adapter() -> GalileoBackbone:
    """The backbone without a device around it."""
    spec = resolve(card("galileo_nano"), {}, HLS)
    torch.manual_seed(0)
    return wrap(spec, encoder(spec), "random", {})


def embed(batch: Batch, bands: Sequence[str] | None = None, **settings: str) -> torch.Tensor:
    return backbone(bands or batch.bands, **settings).embed(batch, [-1]).maps[0]


@pytest.mark.parametrize(("bands", "groups"), [
    (HLS, ("S2_RGB", "S2_NIR_20m", "S2_SWIR")),
    (SENTINEL2, ("S2_RGB", "S2_Red_Edge", "S2_NIR_10m", "S2_NIR_20m", "S2_SWIR", "NDVI")),
    (("vv", "vh"), ("S1",)),
    (("vv", "red", "green", "thermal", "nir_broad"), ("S2_NIR_10m", "NDVI")),
    ((*HLS, "vv", "vh", "elevation"), ("S1", "S2_RGB", "S2_NIR_20m", "S2_SWIR", "SRTM")),
])  # fmt: skip
def test_the_groups_that_a_scene_has_in_full_are_read_and_nothing_else(
    bands: tuple[str, ...], groups: tuple[str, ...]
) -> None:
    settled = resolve(card("galileo_nano"), {}, bands)
    assert group_names(settled) == groups
    assert set(settled.bands_read(bands)) <= set(bands) - {"thermal"}


def test_a_scene_without_a_whole_group_is_refused_with_what_would_do() -> None:
    with pytest.raises(MissingBand, match=r"vv and vh; .* the scene has red, green"):
        resolve(card("galileo_nano"), {}, ("red", "green"))


def test_a_run_that_ignores_every_group_is_refused() -> None:
    with pytest.raises(BackboneError, match="ignores all of its groups"):
        resolve(card("galileo_nano"), dict.fromkeys(("s1", "s2", "ndvi", "srtm"), "ignore"), HLS)


def test_only_radar_has_no_level_and_optical_groups_learnt_from_top_of_atmosphere() -> None:
    assert resolve(card("galileo_nano"), {}, HLS).level == "top of atmosphere"
    assert resolve(card("galileo_nano"), {}, ("vv", "vh")).level is None


@pytest.mark.parametrize("patch_px", range(1, 9))
def test_every_patch_from_1_to_8_px_gives_a_map_of_its_own_grid(patch_px: int) -> None:
    side = 4 * patch_px
    found = embed(make_batch(height=side, width=2 * side, bands=HLS), patch_px=str(patch_px))
    assert found.shape == (2, 4, 8, 128)
    assert torch.isfinite(found).all()


def test_groups_side_by_side_are_as_wide_as_their_number_says() -> None:
    model = backbone(SENTINEL2, merge="concat")
    found = model.embed(make_batch(height=16, width=16, bands=SENTINEL2), [0, -1]).maps
    assert [item.shape[-1] for item in found] == [model.spec.dim] * 2 == [6 * 128] * 2


def test_several_dates_give_one_embedding_that_knows_their_order_and_months() -> None:
    batch = make_batch(dates=3, height=16, width=16, bands=HLS)
    found = embed(batch)
    assert found.shape == (2, 4, 4, 128)
    other_months = replace(batch, datetimes=[[datetime(2021, 1 + i, 1) for i in range(3)]] * 2)
    turned = replace(batch, image=batch.image.flip(1), valid=batch.valid.flip(1))
    assert not torch.allclose(embed(other_months), found, atol=1e-4)
    assert not torch.allclose(embed(turned), found, atol=1e-4)


def test_more_dates_than_the_model_has_places_for_are_refused() -> None:
    batch = make_batch(chips=1, height=8, width=8, bands=HLS)
    series = replace(
        batch, image=batch.image.expand(-1, 25, -1, -1, -1), valid=batch.valid.expand(-1, 25, -1, -1),
        datetimes=[[None] * 25],
    )  # fmt: skip
    with pytest.raises(BackboneError, match="up to 24 dates; the scene has 25"):
        embed(series)


def test_an_unknown_date_counts_as_june() -> None:
    batch = make_batch(height=16, width=16, bands=HLS)
    unknown, june = (replace(batch, datetimes=[[when]] * 2) for when in (None, datetime(2020, 6, 15)))
    torch.testing.assert_close(embed(unknown), embed(june))


def test_the_location_counts_only_where_it_is_used() -> None:
    here = make_batch(height=16, width=16, bands=HLS)
    there = replace(here, lonlat=torch.tensor([[100.0, -30.0], [-60.0, 5.0]]))
    torch.testing.assert_close(embed(there), embed(here))
    assert not torch.allclose(embed(there, location="use"), embed(here, location="use"), atol=1e-4)
    assert torch.isfinite(embed(replace(here, lonlat=None), location="use")).all()


def test_missing_pixels_take_no_part_whatever_they_hold() -> None:
    bands = (*SENTINEL2, "vv", "vh", "elevation")
    batch = make_batch(dates=2, height=16, width=16, bands=bands)
    other = batch.image.masked_fill(~batch.valid[:, :, None], 9e5)
    torch.testing.assert_close(embed(replace(batch, image=other)), embed(batch))


def test_order_and_number_of_a_scenes_bands_change_nothing() -> None:
    batch = make_batch(height=16, width=16, bands=tuple(ALL_BANDS))
    picked = [batch.bands.index(band) for band in reversed(HLS)]
    fewer = replace(batch, image=batch.image[:, :, picked], bands=tuple(reversed(HLS)))
    torch.testing.assert_close(embed(fewer), embed(batch, HLS))


def test_positions_count_metres_and_not_pixels() -> None:
    batch = make_batch(height=16, width=16, bands=HLS)
    assert not torch.allclose(embed(replace(batch, gsd_m=30.0)), embed(batch), atol=1e-4)


@pytest.mark.parametrize("degrees", [0.0, 10.0, 45.0])
def test_the_slope_of_a_plane_is_its_angle_everywhere(degrees: float) -> None:
    rise = 20.0 * torch.tan(torch.deg2rad(torch.tensor(degrees)))
    plane = (torch.arange(12) * rise).expand(1, 9, 12)
    torch.testing.assert_close(slope_deg(plane, 20.0), torch.full((1, 9, 12), degrees), atol=1e-3, rtol=0)


@pytest.mark.parametrize("patch_px", [1, 3, 6, 8])
def test_a_resized_kernel_gives_for_a_patch_what_the_full_one_gives_for_the_patch_enlarged(
    patch_px: int,
) -> None:
    """The patch enlarged: the image of 8 px that the pseudo-inverse of the resizing makes of it."""
    generator = torch.Generator().manual_seed(1)
    kernel = torch.randn(5, 2, 8, 8, generator=generator)
    patch = torch.rand(1, 2, patch_px, patch_px, generator=generator)
    units = torch.eye(64).reshape(64, 1, 8, 8)
    down = torch.nn.functional.interpolate(
        units, (patch_px, patch_px), mode="bicubic", antialias=True
    ).flatten(1)
    enlarged = (patch.flatten(2) @ torch.linalg.pinv(down)).unflatten(2, (8, 8))
    small = torch.nn.functional.conv2d(patch, resized_kernel(kernel, patch_px))
    torch.testing.assert_close(small, torch.nn.functional.conv2d(enlarged, kernel), atol=1e-4, rtol=1e-4)


def test_the_official_file_loads_with_and_without_the_extra_word_in_its_keys() -> None:
    spec = replace(
        card("galileo_nano"), depth=2, config={"embed_dim": 32, "depth": 2, "num_heads": 2, "patch_size": 4}
    )
    state = load_file(GOLDEN)
    plain = official_to_encoder(state, spec)
    worded = {key.replace(".proj.", ".backbone.proj.", 1): tensor for key, tensor in state.items()}
    assert worded.keys() != state.keys()
    again = official_to_encoder(worded, spec)
    assert plain.keys() == again.keys()
    assert all(torch.equal(plain[key], again[key]) for key in plain)


@pytest.mark.parametrize(
    "key", ["blocks.1.attn.k.weight", "space_time_embed.S1.proj.bias", "month_embed.weight"]
)
def test_a_tensor_that_is_missing_from_the_official_file_is_named(key: str) -> None:
    spec = replace(
        card("galileo_nano"), depth=2, config={"embed_dim": 32, "depth": 2, "num_heads": 2, "patch_size": 4}
    )
    state = load_file(GOLDEN)
    del state[key]
    with pytest.raises(WeightsError, match="the checkpoint lacks 1"):
        official_to_encoder(state, spec)

"""Bands that are not optical: radar in the unit that the sensor states, height, classes and index by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from engine.backbones.build import build
from engine.backbones.cards import card
from engine.backbones.core.batch import Batch
from engine.backbones.core.device import choose
from engine.errors import MissingBand
from tests.unit.backbones.batches import ALL_BANDS, OPTICAL, make_batch

FLOAT32 = choose("cpu", torch.float32)
RADAR = ("vv", "vh")
TERRAMIND = {"s1rtc": "use", "dem": "use", "ndvi": "use"}


def batch_of(bands: Sequence[str], radar: str = "sigma0, decibels") -> Batch:
    """Chips with the units that sensors state; wavelengths of optical bands only. Radar is drawn in decibels."""
    made = make_batch(chips=1, height=32, width=32, bands=bands, gaps=False)
    image = made.image.clone()
    if "linear" in radar:
        for place, band in enumerate(bands):
            if band in RADAR:
                image[:, :, place] = 10 ** (image[:, :, place] / 10)
    return replace(
        made,
        image=image,
        wavelengths_um=tuple(ALL_BANDS[band] or None for band in bands),
        units=tuple(radar if band in RADAR else "reflectance" for band in bands),
    )


@pytest.mark.parametrize(("name", "settings", "bands"), [
    ("terramind_v1_tiny", TERRAMIND, (*OPTICAL, *RADAR, "elevation")),
    ("terramind_v1_tiny", {"s2l2a": "ignore", "s1grd": "use"}, RADAR),
    ("clay_v1_base", {}, (*OPTICAL, *RADAR)),
    ("clay_v1_base", {}, RADAR),
    ("dofa_base", {}, (*OPTICAL, *RADAR)),
    ("galileo_nano", {}, (*OPTICAL, *RADAR)),
    ("galileo_nano", {}, RADAR),
])  # fmt: skip
def test_radar_counts_in_the_unit_that_its_sensor_states(
    name: str, settings: dict[str, str], bands: tuple[str, ...]
) -> None:
    embedded = [
        build(card(name), "random", FLOAT32, {**settings, "radar_values": assumed}, bands=bands)
        .embed(batch_of(bands, unit), [0])
        .maps[0]
        for unit in ("sigma0, decibels", "gamma0, linear power")
        for assumed in ("db", "linear")
    ]
    for other in embedded[1:]:
        torch.testing.assert_close(other, embedded[0], rtol=1e-3, atol=1e-3)


def test_radar_whose_unit_is_not_stated_counts_as_the_setting_says() -> None:
    batch = replace(batch_of(RADAR, "gamma0, linear power"), units=())
    settings = {"s2l2a": "ignore", "s1rtc": "use"}
    assumed = {
        unit: build(card("terramind_v1_tiny"), "random", FLOAT32, {**settings, "radar_values": unit})
        .embed(batch, [0])
        .maps[0]
        for unit in ("db", "linear")
    }
    stated = build(card("terramind_v1_tiny"), "random", FLOAT32, settings).embed(
        batch_of(RADAR, "gamma0, linear power"), [0]
    )
    torch.testing.assert_close(assumed["linear"], stated.maps[0])
    assert not torch.allclose(assumed["db"], stated.maps[0])


@pytest.mark.parametrize("name", ["clay_v1_base", "clay_v1_5_large", "dofa_base"])
def test_a_backbone_that_reads_wavelengths_leaves_height_classes_and_index_out(name: str) -> None:
    available = ("blue", "elevation", "red", "vv", "lulc", "ndvi")
    assert card(name).bands_read(available) == ("blue", "red", "vv")
    assert card("raw").bands_read(available) == available


@pytest.mark.parametrize("name", ["clay_v1_base", "dofa_base"])
def test_a_band_without_a_wavelength_is_refused_by_name(name: str) -> None:
    backbone = build(card(name), "random", FLOAT32)
    with pytest.raises(MissingBand, match="The band elevation has no wavelength"):
        backbone.embed(batch_of(("blue", "elevation")), [0])


def test_terramind_reads_sentinel_1_and_2_height_classes_and_index_of_one_scene() -> None:
    settings = {**TERRAMIND, "lulc": "use"}
    bands = (*OPTICAL, *RADAR, "elevation", "lulc")
    backbone = build(card("terramind_v1_tiny"), "random", FLOAT32, settings, bands=bands)
    assert set(backbone.spec.bands) == set(bands) - {"cirrus"}
    assert backbone.embed(batch_of(bands), [-1]).maps[0].shape == (1, 2, 2, 192)

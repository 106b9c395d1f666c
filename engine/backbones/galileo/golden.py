"""Outputs of our Galileo encoder for a golden case, under the reference's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.galileo.backbone import groups_of, in_training_range, merged
from engine.backbones.galileo.cards import CARDS
from engine.backbones.galileo.encoder import Seen, encoder
from engine.backbones.galileo.groups import GROUPS, REFLECTANCE_SCALE, is_reflectance
from engine.backbones.galileo.official_file import official_to_encoder
from engine.backbones.parts.golden_outputs import Facts, Inputs, Outputs, State, case_card, need

# The reference's names of channels, in the order of `GROUPS`.
CHANNELS = {
    "VV": "vv", "VH": "vh", "B2": "blue", "B3": "green", "B4": "red", "B5": "red_edge_1", "B6": "red_edge_2",
    "B7": "red_edge_3", "B8": "nir_broad", "B8A": "nir_narrow", "B11": "swir_1", "B12": "swir_2", "NDVI": "ndvi",
    "elevation": "elevation", "slope": "slope",
}  # fmt: skip


def run(facts: Facts, state: State, inputs: Inputs) -> Outputs:
    """The outputs that a case of the encoder may ask for.

    A case gives raw values: decibels, reflectance x 10000, metres, degrees; `groups_seen` names what is seen.
    """
    spec = _card(facts)
    module = encoder(spec).eval()
    module.load_state_dict(official_to_encoder(state, spec))
    seen = _seen(facts, inputs)
    grid = module.grid(seen)
    tokens = module(seen, [len(module.blocks) - 1])[len(module.blocks) - 1]
    groups = groups_of(tokens, seen, grid)
    return {
        "out_tokens_space_time": lambda: torch.stack(
            [groups[name].permute(0, 2, 3, 1, 4) for name in seen.space_time], dim=4
        ),
        "out_tokens_space": lambda: torch.stack([groups[name][:, 0] for name in seen.space], dim=3),
        "out_tokens_static": lambda: tokens[:, -1:],
        "out_patch_mean": lambda: merged(tokens, seen, grid, is_concatenated=False),
    }


def _card(facts: Facts) -> BackboneSpec:
    """The card that the case names, or one of its constructor arguments, with the case's patch."""
    patch = {"patch_size": int(facts["patch_size_px"])}
    if isinstance(facts["model"], Mapping):
        return case_card(CARDS, facts, patch)
    spec = next(card for card in CARDS if card.name == facts["model"])
    return replace(spec, config={**spec.config, **patch})


def _seen(facts: Facts, inputs: Inputs) -> Seen:
    groups = facts["groups_seen"]
    space_time, space = groups.get("space_time", ()), groups.get("space", ())
    location = None
    if "location" in groups.get("static", ()):
        location = _picked(need(inputs, "static_raw"), facts["static_bands"], ("x", "y", "z"))
    return Seen(
        {
            name: _group(name, need(inputs, "space_time_raw"), facts["space_time_bands"])
            for name in space_time
        },
        {
            name: _group(name, need(inputs, "space_raw")[:, :, :, None], facts["space_bands"])[:, 0]
            for name in space
        },
        need(inputs, "months"),
        float(facts["input_resolution_m"]),
        location,
    )


def _group(name: str, raw: torch.Tensor, bands: Sequence[str]) -> torch.Tensor:
    """(B, T, C, H, W) of a group, standardised, of raw values (B, H, W, T, all bands)."""
    channels = GROUPS[name].channels
    values = _picked(raw, [CHANNELS.get(band, band) for band in bands], channels).permute(0, 3, 4, 1, 2)
    scale = [REFLECTANCE_SCALE if is_reflectance(channel) else 1.0 for channel in channels]
    valid = torch.ones_like(values[:, :, 0], dtype=torch.bool)
    return in_training_range(values / torch.tensor(scale).view(-1, 1, 1), channels, valid)


def _picked(raw: torch.Tensor, bands: Sequence[str], wanted: Sequence[str]) -> torch.Tensor:
    """Some bands of values whose last axis is the bands."""
    return raw.float()[..., [list(bands).index(name) for name in wanted]]

"""Outputs of our Prithvi encoder for a golden case, under the reference's names."""

from __future__ import annotations

from engine.backbones.parts.golden_outputs import (
    Facts,
    Inputs,
    Outputs,
    State,
    case_card,
    feature_map,
    lower,
    need,
    trunk_outputs,
)
from engine.backbones.prithvi.cards import CARDS
from engine.backbones.prithvi.encoder import encoder, official_to_encoder


def run(facts: Facts, state: State, inputs: Inputs) -> Outputs:
    """The outputs that a case of the encoder may ask for."""
    known = facts.get("checkpoint", {}).get("bands") or facts.get("bands") or CARDS[0].bands
    used = facts.get("bands") or facts["model"].get("bands") or known
    spec = case_card(CARDS, facts, {"checkpoint_bands": lower(known)}, bands=lower(used))
    module = encoder(spec).eval()
    module.load_state_dict(official_to_encoder(state, spec))
    image = need(inputs, "image").float()
    image = image[:, :, None] if image.ndim == 4 else image
    time, location = inputs.get("temporal_coords"), inputs.get("location_coords")
    patch = module.patch_px
    grid = (image.shape[-2] // patch, image.shape[-1] // patch)
    outputs = trunk_outputs(module.blocks, module.norm, module.tokens_in(image, time, location))
    last = len(module.blocks) - 1
    for name, coordinates in {
        "time_only": (time, None), "location_only": (None, location), "none": (None, None)
    }.items():  # fmt: skip
        outputs[f"out_{name}_tokens"] = lambda c=coordinates: module(image, [last], *c)[last]  # type: ignore[misc]
    outputs["out_featmap"] = lambda: feature_map(outputs["out_tokens"](), 1, grid)
    return outputs

"""Outputs of our DOFA encoder for a golden case, under the reference's names."""

from __future__ import annotations

from engine.backbones.dofa.cards import CARDS
from engine.backbones.dofa.encoder import encoder, official_to_encoder
from engine.backbones.parts.golden_outputs import (
    Facts,
    Inputs,
    Outputs,
    State,
    case_card,
    feature_map,
    need,
    trunk_outputs,
)


def run(facts: Facts, state: State, inputs: Inputs) -> Outputs:
    """The outputs that a case of the encoder may ask for."""
    spec = case_card(CARDS, facts)
    module = encoder(spec).eval()
    module.load_state_dict(official_to_encoder(state, spec))
    image = need(inputs, "image").float()
    waves = inputs["wavelengths"] if "wavelengths" in inputs else need(inputs, "waves")
    outputs = trunk_outputs(module.blocks, None, module.tokens_in(image, waves.float()))
    outputs["out_featmap"] = lambda: feature_map(outputs["out_tokens"](), 1, module.patch_embed.grid(image))
    return outputs

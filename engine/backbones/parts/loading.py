"""Loading an encoder strictly: the publisher's tensors under our names, none missing and none left over."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from engine.backbones.core.spec import BackboneSpec

State = Mapping[str, torch.Tensor]


def strict_loader(
    encoder: Callable[[BackboneSpec], nn.Module],
    official_to_encoder: Callable[[State, BackboneSpec], State],
) -> Callable[[BackboneSpec, State], nn.Module]:
    """`Adapter.load` of a family that renames the publisher's tensors."""

    def load(spec: BackboneSpec, state: State) -> nn.Module:
        module = encoder(spec)
        module.load_state_dict(official_to_encoder(state, spec), strict=True)
        return module

    return load

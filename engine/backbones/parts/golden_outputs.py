"""What the golden runners of the families share: the case's card, its inputs, and the outputs of a trunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from engine.backbones.core.spec import BackboneSpec
from engine.errors import BackboneError

Facts = Mapping[str, Any]
Inputs = dict[str, torch.Tensor]
State = dict[str, torch.Tensor]
Outputs = dict[str, Callable[[], torch.Tensor]]


def case_card(
    cards: Sequence[BackboneSpec], facts: Facts, more: Mapping[str, object] | None = None, **changes: Any
) -> BackboneSpec:
    """A card of the family with the case's own constructor arguments (and `more`) and name."""
    config = {**facts["model"], **(more or {})}
    return replace(
        cards[0], name=str(facts.get("case", "case")), config=config, depth=int(config["depth"]), **changes
    )


def lower(names: Sequence[str]) -> tuple[str, ...]:
    """Band names of the reference code as common names."""
    return tuple(name.lower() for name in names)


def need(inputs: Inputs, name: str) -> torch.Tensor:
    """An input of the case.

    Raises:
        BackboneError: the case has no such input.
    """
    if name not in inputs:
        raise BackboneError(
            f"The case has no input in_{name}; it has {', '.join(inputs) or 'none'}. Add in_{name} to its npz."
        )
    return inputs[name]


def trunk_outputs(blocks: nn.ModuleList, norm: nn.Module | None, tokens: torch.Tensor) -> Outputs:
    """out_embed, out_layerN (no norm) and out_tokens (final norm where the family has one)."""
    states = [tokens]
    for block in blocks:
        states.append(block(states[-1]))
    last = states[-1] if norm is None else norm(states[-1])
    outputs: Outputs = {"out_embed": lambda: tokens, "out_tokens": lambda: last}
    for index, state in enumerate(states[1:]):
        outputs[f"out_layer{index}"] = lambda state=state: state  # type: ignore[misc]
    return outputs


def feature_map(tokens: torch.Tensor, prefix: int, grid: tuple[int, int]) -> torch.Tensor:
    """(B, prefix + T*h*w, D) -> (B, T*D, h, w), time-major."""
    patches = tokens[:, prefix:].reshape(len(tokens), -1, *grid, tokens.shape[-1])  # (B, T, h, w, D)
    return patches.permute(0, 1, 4, 2, 3).flatten(1, 2).contiguous()

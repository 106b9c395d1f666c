"""Official checkpoint layouts: keys renamed, known extras dropped."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

Rename = Callable[[str], str | None]


def meta_state(build: Callable[[], nn.Module]) -> dict[str, torch.Tensor]:
    """Keys and shapes of an encoder, without memory for its weights."""
    with torch.device("meta"):
        return dict(build().state_dict())


def renamed(state: Mapping[str, torch.Tensor], rename: Rename) -> dict[str, torch.Tensor]:
    """The state under new names, in float32; keys for which `rename` gives None are dropped."""
    result: dict[str, torch.Tensor] = {}
    for key, tensor in state.items():
        name = rename(key)
        if name is not None:
            result[name] = tensor.float() if tensor.is_floating_point() else tensor
    return result

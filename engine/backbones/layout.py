"""Official checkpoint layouts: keys renamed, known extras dropped, and any other difference refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import nn

from engine.errors import WeightsError

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


def require_match(name: str, found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> None:
    """Refuse a state that is not exactly the encoder's.

    Raises:
        WeightsError: keys are missing, unknown or of another shape; the message lists them.
    """
    missing = [key for key in wanted if key not in found]
    unknown = [key for key in found if key not in wanted]
    reshaped = [
        f"{key} {tuple(found[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in wanted
        if key in found and found[key].shape != wanted[key].shape
    ]
    if not (missing or unknown or reshaped):
        return
    parts = [
        f"{len(items)} {what}: {_some(items)}"
        for what, items in (("missing", missing), ("unknown", unknown), ("of another shape", reshaped))
        if items
    ]
    raise WeightsError(
        f"the {len(wanted)} encoder weights of {name} were wanted; the checkpoint has {'; '.join(parts)}. "
        f"It belongs to another model or size: choose the file of {name}'s card."
    )


def _some(items: Iterable[str], most: int = 6) -> str:
    listed = list(items)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more

"""The authors' checkpoint as our encoder's tensors; its 8 x 8 patch projections are carried to the patch in use."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import nn

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.galileo.encoder import encoder
from engine.backbones.parts.constructor import argument
from engine.backbones.parts.key_table import meta_state, renamed
from engine.backbones.weights.checkpoint import require_same_tensors

_LARGEST_PX = 8
# Groups that no scene has here: land cover, crops, weather, night lights, population.
_UNREAD = re.compile(
    r"(space_embed\.(DW|WC)|time_embed\.\w+|static_embed\.(LS|DW_static|WC_static))\.|t_channel_embed$"
)
_KINDS = {"s_t_channel_embed": "space_time", "sp_channel_embed": "space", "st_channel_embed": "static"}


def official_to_encoder(state: Mapping[str, torch.Tensor], spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """The tensors of `encoder.pt` under our names.

    Raises:
        WeightsError: keys are missing, unknown or of another shape.
    """
    found = _with_joined_attention(renamed(state, _name))
    patch_px = argument(spec.config, "patch_size", int)
    for key, tensor in found.items():
        if key.startswith("patches.") and tensor.shape[-2:] == (_LARGEST_PX, _LARGEST_PX):
            found[key] = resized_kernel(tensor, patch_px)
    require_same_tensors(spec.name, meta_state(lambda: encoder(spec)), found)
    return found


def resized_kernel(kernel: torch.Tensor, patch_px: int) -> torch.Tensor:
    """A patch projection (D, C, 8, 8) for smaller patches: what it gave for an image it gives for the image resized.

    The pseudo-inverse of the resizing of patches (bicubic, antialiased), after FlexiViT (Beyer et al. 2023,
    arXiv:2212.08013).

    Returns:
        (D, C, patch_px, patch_px).
    """
    if patch_px == _LARGEST_PX:
        return kernel
    units = torch.eye(_LARGEST_PX**2).reshape(-1, 1, _LARGEST_PX, _LARGEST_PX)
    resized = nn.functional.interpolate(
        units, (patch_px, patch_px), mode="bicubic", antialias=True, align_corners=False
    )
    back = torch.linalg.pinv(resized.flatten(1))  # (p*p, 64)
    return (kernel.flatten(2) @ back.T).unflatten(2, (patch_px, patch_px))


def _name(key: str) -> str | None:
    """Our name of a tensor, None for one that is not read."""
    key = key.replace(".backbone", "")
    if _UNREAD.match(key):
        return None
    if key in _KINDS:
        return f"kinds.{_KINDS[key]}"
    key = re.sub(r"^space(?:_time)?_embed\.(\w+)\.proj\.", r"patches.\1.", key)
    return key.replace("static_embed.location.", "location.")


def _with_joined_attention(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Separate projections to queries, keys and values as the one of our blocks."""
    joined: dict[str, torch.Tensor] = {}
    for key, tensor in state.items():
        parts = [key.replace(".attn.q.", f".attn.{part}.") for part in "qkv"]
        if ".attn.q." in key and all(part in state for part in parts):
            joined[key.replace(".attn.q.", ".attn.qkv.")] = torch.cat([state[part] for part in parts])
        elif not re.search(r"\.attn\.[kv]\.", key) or re.sub(r"\.attn\.[kv]\.", ".attn.q.", key) not in state:
            joined[key] = tensor
    return joined

"""DINOv3 at the size of a golden case: timm's Eva with the case's arguments and Meta's checkpoint layout."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from timm.models.eva import Eva
from torch import nn

from engine.backbones.parts.golden_outputs import (
    Facts,
    Inputs,
    Outputs,
    State,
    feature_map,
    need,
    trunk_outputs,
)
from engine.backbones.parts.key_table import renamed
from engine.backbones.weights.checkpoint import require_same_tensors


def run(facts: Facts, state: State, inputs: Inputs) -> Outputs:
    """The outputs that the case may ask for."""
    reference = DinoReference(facts, state)
    image = need(inputs, "image").float()
    tokens, blocks = reference.tokens_and_blocks(image)
    outputs = trunk_outputs(blocks, reference.model.norm, tokens)
    patch = reference.patch_px
    grid = (image.shape[-2] // patch, image.shape[-1] // patch)
    outputs["out_featmap"] = lambda: feature_map(outputs["out_tokens"](), reference.prefix, grid)
    return outputs


class DinoReference:
    """One golden case's encoder.

    Attributes:
        model: timm's Eva, loaded.
        patch_px: side of a patch.
        prefix: class and register tokens before the patches.
    """

    def __init__(self, facts: Mapping[str, Any], state: Mapping[str, torch.Tensor]) -> None:
        config = facts["model"]
        dim = int(config["embed_dim"])
        bias = _masked_bias(state)
        self.patch_px = int(config.get("patch_size", 16))
        gated = "blocks.0.mlp.w1.weight" in state
        hidden = state["blocks.0.mlp.w1.weight" if gated else "blocks.0.mlp.fc1.weight"].shape[0]
        self.model = Eva(
            patch_size=self.patch_px,
            in_chans=state["patch_embed.proj.weight"].shape[1],
            num_classes=0,
            embed_dim=dim,
            depth=int(config["depth"]),
            num_heads=int(config["num_heads"]),
            mlp_ratio=(hidden + 0.5) / dim,  # Eva takes the integer part of ratio * dim
            qkv_bias=bool(bias),
            swiglu_mlp=gated,
            swiglu_align_to=1 if gated else 0,  # any value but 0 chooses the variant with two input layers
            init_values=1e-5 if config.get("layer_scale", True) else None,
            num_reg_tokens=int(config.get("num_reg_tokens", 4)),
            dynamic_img_size=True,
            rope_type="dinov3",
            rope_temperature=float(config.get("rope_temperature", 100)),
            rope_rotate_half=True,
            use_rot_pos_emb=True,
            use_abs_pos_emb=False,
            use_fc_norm=False,
            norm_layer=partial(nn.LayerNorm, eps=float(config.get("norm_eps", 1e-5))),
        ).eval()
        found = renamed(state, _rename) | bias
        expected = {key: t for key, t in self.model.state_dict().items() if not key.endswith("k_bias")}
        require_same_tensors(str(facts.get("case", "dinov3")), expected, found)
        self.model.load_state_dict(found, strict=False)
        self.prefix = int(self.model.num_prefix_tokens)

    def tokens_and_blocks(self, image: torch.Tensor) -> tuple[torch.Tensor, nn.ModuleList]:
        """Tokens that enter the first block, and the blocks with the image's rotation bound."""
        tokens, rope = self.model._pos_embed(self.model.patch_embed(image))
        return tokens, nn.ModuleList(_Bound(block, rope) for block in self.model.blocks)


class _Bound(nn.Module):
    """A block that carries its rotary embedding along."""

    def __init__(self, block: nn.Module, rope: torch.Tensor | None) -> None:
        super().__init__()
        self.block, self.rope = block, rope

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, N, D) -> (B, N, D)."""
        after: torch.Tensor = self.block(tokens, rope=self.rope)
        return after


_PARTS = {
    "storage_tokens": "reg_token",
    "ls1.gamma": "gamma_1",
    "ls2.gamma": "gamma_2",
    "mlp.w1.": "mlp.fc1_g.",
    "mlp.w2.": "mlp.fc1_x.",
    "mlp.w3.": "mlp.fc2.",
}


def _rename(key: str) -> str | None:
    """Meta's name as timm's; rotation periods, masks and training-only tensors are dropped, as timm does."""
    if key in {"mask_token", "rope_embed.periods"} or key.startswith("local_cls_norm."):
        return None
    if key.endswith((".qkv.bias", ".bias_mask")):
        return None
    for old, new in _PARTS.items():
        key = key.replace(old, new)
    return key


def _masked_bias(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Query and value biases, where any is not zero; Meta's class masks the key third."""
    result: dict[str, torch.Tensor] = {}
    for key, bias in state.items():
        if key.endswith(".attn.qkv.bias"):
            query, _, value = bias.float().chunk(3)
            block = key.removesuffix("qkv.bias")
            result |= {f"{block}q_bias": query, f"{block}v_bias": value}
    return result if any(bool(t.any()) for t in result.values()) else {}

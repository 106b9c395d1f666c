"""The transformer trunk that all families share: timm's pre-norm blocks with each family's own norms and biases."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial

import torch
from timm.layers.mlp import Mlp, SwiGLU
from timm.models.vision_transformer import Block
from torch import nn


def layer_norm(eps: float, bias: bool = True) -> partial[nn.LayerNorm]:
    """A LayerNorm constructor; timm's blocks default to an eps of 1e-6, so each family states its own."""
    return partial(nn.LayerNorm, eps=eps, bias=bias)


def trunk(
    dim: int,
    depth: int,
    heads: int,
    mlp_ratio: float,
    norm: partial[nn.LayerNorm],
    qkv_bias: bool = True,
    proj_bias: bool = True,
    gated: bool = False,
) -> nn.ModuleList:
    """`depth` timm blocks with exact GELU MLPs, or with SwiGLU of 2/3 the hidden width where `gated`.

    `proj_bias` decides over the biases of the MLP too (timm ties them).
    """
    ratio = 2 * mlp_ratio / 3 if gated else mlp_ratio
    return nn.ModuleList(
        Block(
            dim,
            heads,
            mlp_ratio=ratio,
            qkv_bias=qkv_bias,
            proj_bias=proj_bias,
            norm_layer=norm,  # type: ignore[arg-type]  # any constructor of a norm will do
            mlp_layer=SwiGLU if gated else Mlp,
            act_layer=nn.SiLU if gated else nn.GELU,
        )
        for _ in range(depth)
    )


def through(
    blocks: Iterable[nn.Module], norm: nn.Module | None, tokens: torch.Tensor, layers: Collection[int]
) -> dict[int, torch.Tensor]:
    """Tokens after each of the layers asked for; blocks after the last of them do not run.

    Args:
        norm: applied to the output of the very last block only; None where the family has no final norm.
        tokens: (B, N, D).
        layers: counted from 0.

    Returns:
        Layer -> (B, N, D); intermediate layers are not normed.
    """
    blocks = list(blocks)
    last = len(blocks) - 1
    outputs: dict[int, torch.Tensor] = {}
    for index, block in enumerate(blocks[: max(layers) + 1]):
        tokens = block(tokens)
        if index in layers:
            outputs[index] = norm(tokens) if norm is not None and index == last else tokens
    return outputs

"""Tensor names of the efficientnet_pytorch package turned into timm's, for checkpoints that come from it."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What that package calls the parts of a block, and timm. Blocks of the first stage have no expansion, so that
# their norms count from the depthwise convolution.
_EXPANDED = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
             "_project_conv": "conv_pwl", "_bn2": "bn3"}  # fmt: skip
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_SQUEEZE = {"_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand"}
_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2",
            "_fc": "classifier"}  # fmt: skip


def timm_name(key: str, stage_blocks: Sequence[int]) -> str:
    """`_blocks.6._bn0.weight` -> `blocks.2.0.bn1.weight`; a name that is not known stays as it is.

    Args:
        stage_blocks: number of blocks of each stage.
    """
    found = re.fullmatch(r"_blocks\.(\d+)\.(\w+?)\.(\w+)", key)
    if found is None:
        part, _, rest = key.partition(".")
        return f"{_OUTSIDE.get(part, part)}.{rest}"
    stage, index = _position(int(found[1]), stage_blocks)
    names = (_PLAIN if stage == 0 else _EXPANDED) | _SQUEEZE
    return f"blocks.{stage}.{index}.{names.get(found[2], found[2])}.{found[3]}"


def _position(block: int, stage_blocks: Sequence[int]) -> tuple[int, int]:
    """Stage, and index in the stage, of a block counted through all stages."""
    for stage, count in enumerate(stage_blocks):
        if block < count:
            return stage, block
        block -= count
    return len(stage_blocks), block

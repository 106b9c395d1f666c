"""The EfficientNet-B4 encoder of DLR's cloud mask, moved from its ONNX graph onto timm's modules."""

from __future__ import annotations

from collections.abc import Mapping

import timm
import torch
from torch import nn

from engine.backbones.core.batch import Backbone
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.timm.efficientnet_keys import timm_name
from engine.backbones.timm.encoder import IntermediatesBackbone
from engine.backbones.weights.checkpoint import require_same_tensors

_PREFIX = "model.encoder."
_STAGE_BLOCKS = (2, 4, 4, 6, 6, 8, 2)  # EfficientNet-B4: Tan & Le 2019, table 1 with depth factor 1.8


def encoder(spec: BackboneSpec) -> nn.Module:
    """The tf_efficientnet_b4 of timm without its head, for six bands, with random weights.

    The padding of the original was fixed for 380 px images. For chips whose sides are multiples of 32 it
    equals TensorFlow's 'same' everywhere but in the third stage's strided convolution, which pads by 2 all round.
    """
    module: nn.Module = timm.create_model("tf_efficientnet_b4", in_chans=len(spec.bands), num_classes=0)
    module.conv_head = nn.Identity()
    module.bn2 = nn.Identity()
    same = module.get_submodule("blocks.2.0.conv_dw")
    assert isinstance(same, nn.Conv2d)
    module.get_submodule("blocks.2.0").conv_dw = nn.Conv2d(
        same.in_channels, same.out_channels, same.kernel_size, same.stride,  # type: ignore[arg-type]
        padding=2, groups=same.groups, bias=False, device=same.weight.device,
    )  # fmt: skip
    return module


def official_to_encoder(state: Mapping[str, torch.Tensor], spec: BackboneSpec) -> dict[str, torch.Tensor]:
    """The encoder's tensors of the ONNX file under timm's names; the mask's decoder is left out.

    Raises:
        WeightsError: tensors are missing, unexpected or of another shape.
    """
    renamed = {
        timm_name(key.removeprefix(_PREFIX), _STAGE_BLOCKS): tensor
        for key, tensor in state.items()
        if key.startswith(_PREFIX)
    }
    with torch.device("meta"):
        expected = encoder(spec).state_dict()
    expected = {key: tensor for key, tensor in expected.items() if not key.endswith("num_batches_tracked")}
    require_same_tensors(spec.name, expected, renamed)
    counters = [key[: -len("running_mean")] for key in renamed if key.endswith("running_mean")]
    return renamed | {f"{norm}num_batches_tracked": torch.tensor(0) for norm in counters}


def wrap(spec: BackboneSpec, module: nn.Module, weights_sha256: str, settings: Mapping[str, str]) -> Backbone:
    """The encoder as a backbone."""
    return IntermediatesBackbone(spec, module, weights_sha256, settings)

"""What timm knows of one of its models, as JSON: `python -m engine.backbones.timm.model_facts MODEL`."""

from __future__ import annotations

import inspect
from typing import Any

import timm
import torch

from engine.backbones.parts.facts_process import print_facts
from engine.errors import BackboneError
from engine.nearest import nearest


def facts(model: str) -> dict[str, Any]:
    """Layers, sizes, statistics and licence of a timm model, built without memory for its weights.

    Raises:
        BackboneError: timm has no such model, or it cannot hand out its layers.
    """
    architecture, _, tag = model.partition(".")
    if not timm.is_model(architecture) or (tag and model not in timm.list_pretrained(f"{architecture}.*")):
        known = [*timm.list_models(), *timm.list_pretrained()]
        raise BackboneError(
            f"{model!r} is not a model of timm {timm.__version__}{nearest(model, known)}. "
            f"Write timm/<model> as timm.list_models() spells it."
        )
    with torch.device("meta"):
        module: Any = timm.create_model(model, num_classes=0)  # its parts are typed as tensors or modules
    if not hasattr(module, "forward_intermediates") or not hasattr(module, "feature_info"):
        raise BackboneError(
            f"timm/{model} does not give the outputs of its layers: {type(module).__name__} has no such function. "
            f"Choose a ViT, ConvNeXt, ResNet, Swin or EfficientNet."
        )
    published: Any = timm.get_pretrained_cfg(model) or module.pretrained_cfg
    published = published if isinstance(published, dict) else published.to_dict()
    return {
        "model": model,
        "mean": [float(value) for value in published["mean"]],
        "std": [float(value) for value in published["std"]],
        "chip_px": int(published["input_size"][-1]),
        "licence": published.get("license"),
        "hub": published.get("hf_hub_id"),
        "file": published.get("hf_hub_filename") or "model.safetensors",
        **layers_of(module),
    }


def layers_of(module: Any) -> dict[str, Any]:
    """Widths and strides of a network's layers, its parameters, and which tokens it has besides those of patches."""
    info = module.feature_info
    stages = [dict(item) for item in (info.info if hasattr(info, "info") else info)]
    return {
        "dims": [int(stage["num_chs"]) for stage in stages],
        "strides": [int(stage["reduction"]) for stage in stages],
        "parameters": sum(parameter.numel() for parameter in module.parameters()),
        "has_prefix": "return_prefix_tokens" in inspect.signature(module.forward_intermediates).parameters,
        "has_cls": getattr(module, "cls_token", None) is not None,
    }


if __name__ == "__main__":
    print_facts(facts)

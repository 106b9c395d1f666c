"""Cards of any timm model, read from timm by a short process of its own, so that pages need no torch."""

from __future__ import annotations

import functools
import sys
from types import MappingProxyType
from typing import Any

from engine.backbones.core.spec import BackboneSpec, Normalisation, WeightsSource
from engine.backbones.parts.facts_process import facts_of_process
from engine.backbones.timm.settings import (
    RGB,
    RGB_CONVENTIONS,
    RGB_SETTINGS,
    VIT_CONVENTIONS,
    VIT_SETTINGS,
)

_CITATION = """\
@misc{rw2019timm,
  author       = {Ross Wightman},
  title        = {{PyTorch} Image Models},
  year         = {2019},
  doi          = {10.5281/zenodo.4414861},
  howpublished = {https://github.com/huggingface/pytorch-image-models}
}
"""


@functools.lru_cache(maxsize=64)
def timm_card(name: str) -> BackboneSpec:
    """The card of `timm/<model>`.

    Where torch is already loaded the facts are read here; elsewhere a process reads them once.

    Raises:
        BackboneError: timm has no such model, or it cannot hand out its layers.
    """
    model = name.removeprefix("timm/")
    if "torch" in sys.modules:
        from engine.backbones.timm.model_facts import facts

        return _card(name, facts(model))
    return _card(name, facts_of_process("engine.backbones.timm.model_facts", name, model))


def _card(name: str, facts: dict[str, Any]) -> BackboneSpec:
    model = str(facts["model"])
    is_vit = bool(facts["has_prefix"])
    repo = facts["hub"] or ""
    page = f"https://huggingface.co/{repo}" if repo else "https://huggingface.co/timm"
    return BackboneSpec(
        name=name,
        title=model,
        family="timm",
        summary=f"timm's {model}, trained on photographs; sees red, green and blue unless told otherwise.",
        bands=RGB,
        normalisation=Normalisation(
            "true colour, 0 to 1", 1.0, tuple(facts["mean"]), tuple(facts["std"]), f"timm pretrained_cfg of {model}"
        ),
        chip_px=facts["chip_px"],
        patch_px=facts["strides"][-1],
        dim=facts["dims"][-1],
        depth=len(facts["dims"]),
        parameters=facts["parameters"],
        licence=facts["licence"] or "not stated by timm: see the publisher's page",
        licence_url=page,
        citation=_CITATION,
        weights=WeightsSource(
            kind="hub" if repo else "unpublished", repo=repo, file=facts["file"] if repo else "", page=page,
            size_mb=round(facts["parameters"] * 4 / 1e6, 1) if repo else None,
        ),
        # ViTs keep one width and stride; the stages of CNNs and Swin differ. Two thirds of the way down is stride 8
        # or 16, where classification nets still know where things are.
        default_layers=(-1,) if is_vit else (len(facts["dims"]) - 3,),
        layer_strides=() if is_vit else tuple(facts["strides"]),
        layer_dims=() if is_vit else tuple(facts["dims"]),
        pooling=("mean", "max", "cls") if facts["has_cls"] else ("mean", "max"),
        settings=MappingProxyType({**RGB_SETTINGS, **(VIT_SETTINGS if is_vit else {})}),
        conventions=MappingProxyType({**RGB_CONVENTIONS, **(VIT_CONVENTIONS if is_vit else {})}),
        config=MappingProxyType({"timm": model}),
    )  # fmt: skip

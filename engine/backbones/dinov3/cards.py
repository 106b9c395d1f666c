"""Cards of DINOv3 (Meta): eight vision transformers of web and satellite images in red, green and blue."""

from __future__ import annotations

from types import MappingProxyType

from engine.backbones.core.spec import BackboneSpec, Normalisation, WeightsSource
from engine.backbones.timm.settings import (
    RGB,
    RGB_CONVENTIONS,
    RGB_SETTINGS,
    VIT_CONVENTIONS,
    VIT_SETTINGS,
)

_CITATION = """\
@misc{simeoni2025dinov3,
  author        = {Sim{\\'e}oni, Oriane and others},
  title         = {{DINOv3}},
  year          = {2025},
  eprint        = {2508.10104},
  archivePrefix = {arXiv}
}
"""


def _dinov3(
    size: str, data: str, width: int, depth: int, parameters: int, meta_file: str, note: str = ""
) -> BackboneSpec:
    name = f"vit_{size}_patch16_dinov3.{data}"
    is_satellite = data == "sat493m"
    # Widths, depths, means and deviations: timm 1.0.31, timm/models/eva.py; Meta's README of DINOv3.
    mean, std = (
        ((0.430, 0.411, 0.296), (0.213, 0.156, 0.143))
        if is_satellite
        else ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    seen = "493 million Maxar satellite images" if is_satellite else "1.7 billion web images"
    return BackboneSpec(
        name=name,
        title=f"DINOv3 ViT-{size.replace('_', ' ')} ({'satellite' if is_satellite else 'web'})",
        family="dinov3",
        summary=f"Self-supervised on {seen}; sees red, green and blue only.{note}",
        bands=RGB,
        normalisation=Normalisation("true colour, 0 to 1", 1.0, mean, std, f"timm pretrained_cfg of {name}"),
        gsd_m=0.6 if is_satellite else None,  # Meta, DINOv3 paper, section 8: Maxar RGB at 0.6 m
        chip_px=256,
        patch_px=16,
        dim=width,
        depth=depth,
        parameters=parameters,
        licence="DINOv3 License",
        licence_url="https://ai.meta.com/resources/models-and-libraries/dinov3-license/",
        citation=_CITATION,
        weights=WeightsSource(
            kind="hub", repo=f"timm/{name}", file="model.safetensors",
            page=f"https://huggingface.co/timm/{name}", size_mb=round(parameters * 4 / 1e6, 1),
        ),
        pooling=("mean", "max", "cls"),
        settings=MappingProxyType({**RGB_SETTINGS, **VIT_SETTINGS}),
        conventions=MappingProxyType({**RGB_CONVENTIONS, **VIT_CONVENTIONS}),
        config=MappingProxyType({"timm": name, "meta_file": meta_file}),
    )  # fmt: skip


_HEAVY = " 27 GB of weights: needs a GPU with more than 30 GB of memory."
CARDS: tuple[BackboneSpec, ...] = (
    _dinov3("small", "lvd1689m", 384, 12, 21_586_944, "dinov3_vits16_pretrain_lvd1689m-08c60483.pth"),
    _dinov3(
        "small_plus", "lvd1689m", 384, 12, 28_683_264, "dinov3_vits16plus_pretrain_lvd1689m-4057cbaa.pth"
    ),
    _dinov3("base", "lvd1689m", 768, 12, 85_641_216, "dinov3_vitb16_pretrain_lvd1689m-73cec8be.pth"),
    _dinov3("large", "lvd1689m", 1024, 24, 303_079_424, "dinov3_vitl16_pretrain_lvd1689m-8aa4cbdd.pth"),
    _dinov3("large", "sat493m", 1024, 24, 303_079_424, "dinov3_vitl16_pretrain_sat493m-eadcf0ff.pth"),
    _dinov3(
        "huge_plus", "lvd1689m", 1280, 32, 840_509_440, "dinov3_vith16plus_pretrain_lvd1689m-7c1da9a5.pth"
    ),
    _dinov3(
        "7b", "lvd1689m", 4096, 40, 6_716_030_976, "dinov3_vit7b16_pretrain_lvd1689m-a955f4ea.pth", _HEAVY
    ),
    _dinov3("7b", "sat493m", 4096, 40, 6_716_030_976, "dinov3_vit7b16_pretrain_sat493m-a6675841.pth", _HEAVY),
)

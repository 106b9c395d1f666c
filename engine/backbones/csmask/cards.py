"""Cards of the embedded six-band encoders: the EfficientNet-B4 inside DLR's cloud and shadow masks."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from engine.backbones.core.spec import BackboneSpec, Normalisation, WeightsSource

_CITATION = """\
@article{wieland2022ukiscsmask,
  author  = {Wieland, Marc and Fichtner, Florian and Martinis, Sandro},
  title   = {{UKIS-CSMASK}: A {Python} package for multi-sensor cloud and cloud shadow segmentation},
  journal = {Int. Arch. Photogramm. Remote Sens. Spatial Inf. Sci.},
  volume  = {XLIII-B3-2022},
  pages   = {217--222},
  year    = {2022},
  doi     = {10.5194/isprs-archives-XLIII-B3-2022-217-2022}
}
"""
# The package's bands blue, green, red, nir, swir16, swir22 by our common names. It was trained on Landsat and
# Sentinel-2 together and does not say which near-infrared band of Sentinel-2; narrow B8A is the Landsat-like one.
_BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
# The stages that are stored when a configuration names none: strides 4 and 2, 32 and 24 channels. The validation split
# of the simulated season chose them (see assets/configs/train/simulated.yaml). Maps show the first.
_DEFAULT_LAYERS = (1, 0)


def _card(level: Literal["l1c", "l2a"], quantity: str, mean: tuple[float, ...], std: tuple[float, ...],
          sha256: str) -> BackboneSpec:  # fmt: skip
    return BackboneSpec(
        name=f"csmask_b4_{level}",
        title=f"Cloud-mask encoder, EfficientNet-B4 ({level.upper()})",
        family="csmask",
        summary=(
            f"The encoder of DLR's ukis-csmask 1.0.0, trained on Landsat and Sentinel-2 {quantity} to see clouds "
            "and their shadows (SPARCS, CloudSEN12+). Not a foundation model: it is small, installed with the "
            "app, and made for exactly these six bands."
        ),
        bands=_BANDS,
        normalisation=Normalisation(
            unit=quantity, scale=1.0, mean=mean, std=std,
            source=f"ukis-csmask 1.0.0, model_6b_{level}.json, data.dataset_statistics.img",
        ),
        level="top of atmosphere" if level == "l1c" else "surface",
        gsd_m=30.0,  # ukis-csmask 1.0.0 README: "resampled to approximately 30 m spatial resolution"
        chip_px=256,  # model_6b_*.json, data.target_size
        patch_px=4,
        dim=448,
        depth=5,
        layer_strides=(2, 4, 8, 16, 32),
        layer_dims=(24, 32, 56, 160, 448),
        default_layers=_DEFAULT_LAYERS,
        parameters=16_743_512,
        licence="Apache-2.0",
        licence_url="https://github.com/dlr-eoc/ukis-csmask/blob/main/LICENSE",
        citation=_CITATION,
        weights=WeightsSource(
            kind="package", repo="ukis_csmask", file=f"model_6b_{level}.onnx",
            page="https://github.com/dlr-eoc/ukis-csmask", size_mb=39.6, sha256=sha256,
        ),
        conventions=MappingProxyType({
            "level": f"{quantity.capitalize()}: ukis-csmask 1.0.0, README, the models by product level.",
            "nir": "The package's band 'nir' is taken as the narrow near infrared (B8A, OLI band 5).",
            "layers": "A layer is a stage of the network: 0 to 4 have strides 2, 4, 8, 16 and 32 pixels.",
        }),
    )  # fmt: skip


CARDS: tuple[BackboneSpec, ...] = (
    _card(
        "l1c", "top-of-atmosphere reflectance",
        (0.27552253007888794, 0.2556644380092621, 0.269801527261734,
         0.33431220054626465, 0.20851291716098785, 0.15826508402824402),
        (0.24488002061843872, 0.22757470607757568, 0.2537152171134949,
         0.23213787376880646, 0.148738831281662, 0.12604215741157532),
        "aa79e9a0f02ff8e0243d93771d1daf6a8d1166b7ac06c3771560b83367c6c573",
    ),
    _card(
        "l2a", "surface reflectance",
        (0.26681777834892273, 0.27799084782600403, 0.28811994194984436,
         0.36494743824005127, 0.2225709855556488, 0.17859040200710297),
        (0.33637598156929016, 0.3125455975532532, 0.311148464679718,
         0.27260705828666687, 0.16653667390346527, 0.14328984916210175),
        "d11c530978637ca420eedc40791c62bf78997dd39e1201777e2527e4bd94904e",
    ),
)  # fmt: skip

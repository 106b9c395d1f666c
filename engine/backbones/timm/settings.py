"""True colour from reflectance for networks of photographs: the open conventions, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from types import MappingProxyType

from engine.backbones.core.settings import scene_bands
from engine.backbones.core.spec import BackboneSpec

RGB = ("red", "green", "blue")
# ESA's own true-colour images are linear and white at reflectance 0.3558 (L1C) or 0.2 (L2A): Sentinel-2
# Products Specification Document, "True Colour Image". 0.3 lies between them and keeps bare soil unsaturated.
RGB_SETTINGS = MappingProxyType({
    "input": ("rgb", "all_bands"),
    "rgb_white": ("0.3", "0.2", "0.3558", "1.0"),
})  # fmt: skip
RGB_CONVENTIONS = MappingProxyType({
    "input": "rgb: red, green and blue of the scene; all_bands: every band of the scene, the first layer's "
    "colour kernels repeated in turn and scaled by 3 / bands (timm's adapt_input_conv), means and deviations "
    "repeated with them.",
    "rgb_white": "The reflectance that becomes white (1.0); linear, clipped at 0 and 1 for rgb. ESA's "
    "Sentinel-2 true-colour images use 0.3558 (L1C) and 0.2 (L2A).",
})  # fmt: skip
VIT_SETTINGS = MappingProxyType({"norm": ("last", "none", "all")})
VIT_CONVENTIONS = MappingProxyType({
    "norm": "Which layers pass through the encoder's final norm: the last one (as its own output does), none "
    "(timm's feature extraction), or all (Meta's get_intermediate_layers).",
})  # fmt: skip


def resolved(spec: BackboneSpec, settings: Mapping[str, str], bands: Sequence[str] | None) -> BackboneSpec:
    """The card for red, green and blue, or for every band of the scene with the statistics repeated in turn.

    Raises:
        BackboneError: all bands are asked for and none was given.
    """
    if settings["input"] != "all_bands":
        return spec
    given, known = scene_bands(spec, bands), spec.normalisation
    mean, std = (tuple(islice(cycle(numbers), len(given))) for numbers in (known.mean, known.std))
    return replace(spec, bands=given, normalisation=replace(known, mean=mean, std=std))

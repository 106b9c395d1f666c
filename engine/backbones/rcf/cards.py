"""The card of random convolutional features, and what settings and a scene's bands make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from engine.backbones.core.settings import scene_bands
from engine.backbones.core.spec import BackboneSpec, Normalisation, WeightsSource
from engine.errors import BackboneError

_CITATION = """\
@article{rolf2021mosaiks,
  author  = {Rolf, Esther and Proctor, Jonathan and Carleton, Tamma and Bolliger, Ian and others},
  title   = {A Generalizable and Accessible Approach to Machine Learning with Global Satellite Imagery},
  journal = {Nature Communications},
  volume  = {12},
  pages   = {4392},
  year    = {2021}
}
"""

CARDS: tuple[BackboneSpec, ...] = (BackboneSpec(
    name="rcf",
    title="Random convolutional features (MOSAIKS)",
    family="rcf",
    summary="A baseline without pretraining, for any bands: how much the ground looks like patches drawn at random from the "
    "scenes of the run. A pretrained encoder has to beat it.",
    bands=("blue", "green", "red", "nir_narrow", "swir_1", "swir_2"),
    any_bands=True,
    unread_bands=("lulc",),  # classes have no mean
    normalisation=Normalisation("that of the scenes", 1.0, (), (), "mean and deviation of the scenes of the run"),
    chip_px=256,
    patch_px=4,
    dim=256,
    depth=1,
    parameters=0,  # drawn, not learnt
    licence="none needed",
    licence_url="",
    citation=_CITATION,
    weights=WeightsSource(kind="scenes"),
    layer_strides=(4,),
    layer_dims=(256,),
    settings=MappingProxyType({
        "features": ("256", "64", "128", "512", "1024"),
        "patch_px": ("4", "1", "2", "8", "16"),
        "kernel_px": ("3", "5", "7"),
        "threshold": ("0", "0.5", "1"),
    }),
    conventions=MappingProxyType({
        "features": "Numbers of an embedding: two for each patch drawn, how much like it and how much unlike it.",
        "patch_px": "Side of the ground over which the features are averaged.",
        "kernel_px": "Side of the patches that are drawn; MOSAIKS takes 3.",
        "threshold": "Deviations that likeness must exceed to count (the bias before the rectifier).",
        "whitening": "Patches and ground are whitened (ZCA) as Coates and Ng do (Learning Feature Representations with "
        "K-means, 2012), with the covariance of patches of the scenes.",
        "weights": "The patches are kept with the store as _encoder.safetensors: give it as backbone.weights to compute the "
        "same features on other scenes.",
        "gaps": "A missing pixel takes the mean of its band, and no part in the average of its patch.",
    }),
),)  # fmt: skip


def resolved(spec: BackboneSpec, settings: Mapping[str, str], bands: Sequence[str] | None) -> BackboneSpec:
    """The card with what was chosen and the bands of the scene.

    Raises:
        BackboneError: no band was given that can be read.
    """
    read = tuple(band for band in scene_bands(spec, bands) if band not in spec.unread_bands)
    if not read:
        raise BackboneError(
            f"{spec.name} has no band to read: {', '.join(bands or ())} holds classes. Add another band."
        )
    features, patch_px, kernel_px = (int(settings[key]) for key in ("features", "patch_px", "kernel_px"))
    return replace(
        spec,
        bands=read,
        patch_px=patch_px,
        dim=features,
        layer_strides=(patch_px,),
        layer_dims=(features,),
        config=MappingProxyType({"patches": features // 2, "kernel_px": kernel_px}),
    )

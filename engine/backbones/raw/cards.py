"""The card of raw pixels, and what a patch size and a scene make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from engine.backbones.core.settings import scene_bands
from engine.backbones.core.spec import BackboneSpec, Normalisation, WeightsSource

CARDS: tuple[BackboneSpec, ...] = (BackboneSpec(
    name="raw",
    title="Raw pixels",
    family="raw",
    summary="No network: the embedding of a patch is its own reflectances. Baselines such as an NBR threshold read it.",
    bands=(),
    any_bands=True,
    normalisation=Normalisation("surface reflectance", 1.0, (), (), "the scene itself"),
    chip_px=256,
    patch_px=4,
    dim=0,  # patch * patch * bands of the scene; `resolved` fills it in
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
),)  # fmt: skip


def resolved(spec: BackboneSpec, settings: Mapping[str, str], bands: Sequence[str] | None) -> BackboneSpec:
    """The card with the patch that was chosen and the bands of the scene.

    Raises:
        BackboneError: no band was given.
    """
    patch_px, given = int(settings["patch_px"]), scene_bands(spec, bands)
    return replace(spec, bands=given, patch_px=patch_px, dim=patch_px * patch_px * len(given))

"""Cards narrowed to the bands that a scene has: a fixed-band model with part of its patch projection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from engine.backbones.core.spec import BackboneSpec
from engine.errors import MissingBand


def narrowed(spec: BackboneSpec, available: Sequence[str]) -> BackboneSpec:
    """The card with those of its bands that are available; the checkpoint's own stay in its configuration.

    The channels that are left out drop from the patch projection by name, without rescaling, as TerraTorch's
    `backbone_bands` does.

    Raises:
        MissingBand: none of the card's bands is available.
    """
    indices = [i for i, name in enumerate(spec.bands) if name in available]
    if not indices:
        raise MissingBand(
            f"{spec.name} needs some of {', '.join(spec.bands)}; the scene has {', '.join(available)}. "
            f"Pick a backbone that takes any bands, such as a Clay or DOFA one."
        )
    if len(indices) == len(spec.bands):
        return spec
    old = spec.normalisation
    return replace(
        spec,
        bands=tuple(spec.bands[i] for i in indices),
        normalisation=replace(
            old, mean=tuple(old.mean[i] for i in indices), std=tuple(old.std[i] for i in indices)
        ),
        config=MappingProxyType({**spec.config, "checkpoint_bands": spec.bands}),
    )

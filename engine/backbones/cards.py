"""The table of all backbones, and how a configuration turns a card into the encoder's own facts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from types import MappingProxyType

from engine.backbones.clay.cards import CARDS as CLAY_CARDS
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.csmask.cards import CSMASK_CARDS
from engine.backbones.dofa.cards import CARDS as DOFA_CARDS
from engine.backbones.parts.band_subset import narrowed
from engine.backbones.prithvi.cards import CARDS as PRITHVI_CARDS
from engine.backbones.terramind.cards import CARDS as TERRAMIND_CARDS
from engine.backbones.terramind.settings import resolved as terramind_resolved
from engine.backbones.timm.any_model import timm_card
from engine.backbones.timm.cards import TIMM_CARDS
from engine.errors import BackboneError
from engine.nearest import nearest

DEFAULT_BACKBONE = "csmask_b4_l2a"
CARDS: Mapping[str, BackboneSpec] = MappingProxyType({
    spec.name: spec
    for spec in (
        *CSMASK_CARDS, *PRITHVI_CARDS, *TERRAMIND_CARDS, *CLAY_CARDS, *DOFA_CARDS, *TIMM_CARDS
    )
})  # fmt: skip


def card(name: str) -> BackboneSpec:
    """The card of a name; `timm/<name>` is any model of timm's.

    Raises:
        BackboneError: the name is unknown; the nearest one is named.
    """
    if name in CARDS:
        return CARDS[name]
    if name.startswith("timm/"):
        return timm_card(name)
    raise BackboneError(
        f"a backbone was wanted; {name!r} is not one{nearest(name, CARDS)}. "
        f"`python -m engine backbones` lists them all; timm/<model> takes any timm model."
    )


def fits(spec: BackboneSpec, band_names: Sequence[str]) -> list[str]:
    """The bands that the backbone needs and a scene with these bands lacks; empty: it fits."""
    return [] if spec.any_bands else [band for band in spec.bands if band not in band_names]


def settle(spec: BackboneSpec, settings: Mapping[str, str]) -> dict[str, str]:
    """Every setting of a card with its value: as given, or the default.

    Raises:
        BackboneError: a setting or a value that the card does not offer.
    """
    for key, value in settings.items():
        if key not in spec.settings:
            offered = ", ".join(spec.settings) or "none"
            raise BackboneError(
                f"{spec.name} has the settings {offered}; found {key!r}{nearest(key, spec.settings)}. "
                f"Mend backbone.settings."
            )
        if str(value) not in spec.settings[key]:
            raise BackboneError(
                f"{spec.name}: setting {key} is one of {', '.join(spec.settings[key])}; found {value!r}. "
                f"Mend backbone.settings.{key}."
            )
    return {key: str(settings.get(key, choices[0])) for key, choices in spec.settings.items()}


def resolve(spec: BackboneSpec, settings: Mapping[str, str], bands: Sequence[str] | None) -> BackboneSpec:
    """The card with what settings and the scene's bands decide: the patch of raw pixels, all-band input.

    Raises:
        BackboneError: a setting that the card does not offer, or bands that are needed and not given.
    """
    chosen = settle(spec, settings)
    if spec.family == "raw":
        patch_px = int(chosen["patch_px"])
        given = _given(spec, bands)
        return dataclasses.replace(spec, bands=given, patch_px=patch_px, dim=patch_px * patch_px * len(given))
    if spec.family == "terramind":
        return terramind_resolved(spec, chosen, bands)
    if spec.family == "prithvi" and chosen["bands"] == "available" and bands is not None:
        return narrowed(spec, bands)
    if chosen.get("input") == "all_bands":
        given = _given(spec, bands)
        old = spec.normalisation
        repeated = dataclasses.replace(
            old,
            mean=tuple(islice(cycle(old.mean), len(given))),
            std=tuple(islice(cycle(old.std), len(given))),
        )
        return dataclasses.replace(spec, bands=given, normalisation=repeated)
    return spec


def _given(spec: BackboneSpec, bands: Sequence[str] | None) -> tuple[str, ...]:
    if not bands:
        raise BackboneError(
            f"{spec.name} takes its bands from the scene; none were given. Give the scene's bands."
        )
    return tuple(bands)

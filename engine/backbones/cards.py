"""The table of all backbones, and how a configuration turns a card into the encoder's own facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from engine.backbones.core.settings import settle
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.families import FAMILIES, family_of
from engine.errors import BackboneError
from engine.nearest import nearest

DEFAULT_BACKBONE = "csmask_b4_l2a"
# Beginnings of names that no table lists: models of timm, weights of torchgeo.
BY_NAME = ("timm/", "torchgeo/")
CARDS: Mapping[str, BackboneSpec] = MappingProxyType({
    spec.name: spec for family in FAMILIES.values() for spec in family.cards
})  # fmt: skip


def card(name: str) -> BackboneSpec:
    """The card of a name; `timm/<model>` is any of timm's, `torchgeo/<weight>` any of torchgeo's.

    Raises:
        BackboneError: the name is unknown; the nearest one is named.
    """
    if name in CARDS:
        return CARDS[name]
    for family in FAMILIES.values():
        found = family.other_card(name)
        if found is not None:
            return found
    raise BackboneError(
        f"{name!r} is not a backbone{nearest(name, CARDS)}. "
        f"`python -m engine backbones` lists them all; timm/<model> takes any timm model, torchgeo/<weight> "
        f"any weight of torchgeo."
    )


def missing_bands(spec: BackboneSpec, band_names: Sequence[str]) -> list[str]:
    """The bands that the backbone needs and a scene with these bands lacks; empty: the scene fits."""
    return [] if spec.any_bands else [band for band in spec.bands if band not in band_names]


def resolve(spec: BackboneSpec, settings: Mapping[str, str], bands: Sequence[str] | None) -> BackboneSpec:
    """The card with what settings and the scene's bands decide, such as the patch of raw pixels.

    Raises:
        BackboneError: a setting that the card does not offer, or bands that are needed and not given.
    """
    return family_of(spec).resolve(spec, settle(spec, settings), bands)

"""The table of all families of backbones; nothing else in the engine or on the pages lists them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.backbones.clay.family import CLAY
from engine.backbones.core.family import Family
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.csmask.family import CSMASK
from engine.backbones.dinov3.family import DINOV3
from engine.backbones.dofa.family import DOFA
from engine.backbones.galileo.family import GALILEO
from engine.backbones.prithvi.family import PRITHVI
from engine.backbones.raw.family import RAW
from engine.backbones.rcf.family import RCF
from engine.backbones.terramind.family import TERRAMIND, TERRAMIND_TOKENIZER
from engine.backbones.timm.family import TIMM
from engine.backbones.torchgeo.family import TORCHGEO

# The cards of all families follow each other in this order wherever they are listed.
FAMILIES: Mapping[str, Family] = MappingProxyType({
    family.name: family
    for family in (CSMASK, PRITHVI, TERRAMIND, TERRAMIND_TOKENIZER, CLAY, DOFA, GALILEO, TIMM, TORCHGEO, RCF, RAW, DINOV3)
})  # fmt: skip


def family_of(spec: BackboneSpec) -> Family:
    """The family that builds a card."""
    return FAMILIES[spec.family]

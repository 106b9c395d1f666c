"""The family of timm's models: the cards in the table, and `timm/<model>` for any other."""

from __future__ import annotations

from engine.backbones.core.family import Adapter, Family
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.timm.any_model import timm_card
from engine.backbones.timm.cards import CARDS
from engine.backbones.timm.settings import resolved


def _adapter() -> Adapter:
    from engine.backbones.timm import encoder as timm

    return Adapter(timm.encoder, timm.encoder_with, timm.wrap)


def _other_card(name: str) -> BackboneSpec | None:
    return timm_card(name) if name.startswith("timm/") else None


TIMM = Family("timm", "timm", CARDS, _adapter, resolved, other_card=_other_card)

"""The family of raw pixels, which have no network."""

from __future__ import annotations

from engine.backbones.core.family import Adapter, Family
from engine.backbones.raw.cards import CARDS, resolved


def _adapter() -> Adapter:
    from torch import nn

    from engine.backbones.raw import backbone

    return Adapter(lambda _: nn.Identity(), lambda *_: nn.Identity(), backbone.wrap)


RAW = Family("raw", "Raw pixels", CARDS, _adapter, resolved)

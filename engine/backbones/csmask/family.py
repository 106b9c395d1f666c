"""The family of the encoders inside DLR's cloud and shadow masks."""

from __future__ import annotations

from engine.backbones.core.family import Adapter, Family
from engine.backbones.csmask.cards import CARDS


def _adapter() -> Adapter:
    from engine.backbones.csmask import encoder as csmask
    from engine.backbones.parts.loading import strict_loader

    return Adapter(csmask.encoder, strict_loader(csmask.encoder, csmask.official_to_encoder), csmask.wrap)


CSMASK = Family("csmask", "Cloud-mask encoder", CARDS, _adapter)

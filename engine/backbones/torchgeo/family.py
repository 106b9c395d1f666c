"""The family of torchgeo's weights: `torchgeo/<weight>` for any of its registry."""

from __future__ import annotations

from engine.backbones.core.family import Adapter, Family
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.torchgeo.any_weights import PREFIX, resolved, statistics, torchgeo_card


def _adapter() -> Adapter:
    from engine.backbones.torchgeo import encoder

    return Adapter(encoder.encoder, encoder.load, encoder.wrap)


def _other_card(name: str) -> BackboneSpec | None:
    return torchgeo_card(name) if name.startswith(PREFIX) else None


TORCHGEO = Family(
    "torchgeo", "torchgeo", (), _adapter, resolved, other_card=_other_card, statistics=statistics
)

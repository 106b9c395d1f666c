"""The family of Galileo (NASA Harvest)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.backbones.core.family import Adapter, Family, GoldenRunner
from engine.backbones.galileo.cards import CARDS, resolved, statistics


def _adapter() -> Adapter:
    from engine.backbones.galileo import backbone, encoder, official_file
    from engine.backbones.parts.loading import strict_loader

    load = strict_loader(encoder.encoder, official_file.official_to_encoder)
    return Adapter(encoder.encoder, load, backbone.wrap)


def _golden() -> Mapping[str, GoldenRunner]:
    from engine.backbones.galileo import golden

    return {"galileo": golden.run}


GALILEO = Family("galileo", "Galileo", CARDS, _adapter, resolved, statistics=statistics, golden=_golden)

"""The family of DOFA (Technical University of Munich)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.backbones.core.family import Adapter, Family, GoldenRunner
from engine.backbones.dofa.cards import CARDS
from engine.backbones.dofa.statistics import statistics


def _adapter() -> Adapter:
    from engine.backbones.dofa import encoder as dofa
    from engine.backbones.parts.loading import strict_loader

    return Adapter(dofa.encoder, strict_loader(dofa.encoder, dofa.official_to_encoder), dofa.wrap)


def _golden() -> Mapping[str, GoldenRunner]:
    from engine.backbones.dofa import golden

    return {"dofa": golden.run}


DOFA = Family("dofa", "DOFA", CARDS, _adapter, statistics=statistics, golden=_golden)

"""The family of Clay (Clay Foundation)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.backbones.clay.cards import CARDS
from engine.backbones.clay.sensors import own_statistics, resolved
from engine.backbones.core.family import Adapter, Family, GoldenRunner


def _adapter() -> Adapter:
    from engine.backbones.clay import encoder as clay
    from engine.backbones.parts.loading import strict_loader

    return Adapter(clay.encoder, strict_loader(clay.encoder, clay.official_to_encoder), clay.wrap)


def _golden() -> Mapping[str, GoldenRunner]:
    from engine.backbones.clay import golden

    return {"clay": golden.run}


CLAY = Family("clay", "Clay", CARDS, _adapter, resolved, statistics=own_statistics, golden=_golden)

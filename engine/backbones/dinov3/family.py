"""The family of DINOv3 (Meta), whose networks timm builds."""

from __future__ import annotations

from collections.abc import Mapping

from engine.backbones.core.family import Adapter, Family, GoldenRunner
from engine.backbones.dinov3.cards import CARDS
from engine.backbones.timm.settings import resolved


def _adapter() -> Adapter:
    from engine.backbones.timm import encoder as timm

    return Adapter(timm.encoder, timm.encoder_with, timm.wrap)


def _golden() -> Mapping[str, GoldenRunner]:
    from engine.backbones.dinov3 import golden

    return {"dinov3": golden.run}


DINOV3 = Family("dinov3", "DINOv3", CARDS, _adapter, resolved, golden=_golden)

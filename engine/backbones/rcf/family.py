"""The family of random convolutional features."""

from __future__ import annotations

from engine.backbones.core.family import Adapter, Family
from engine.backbones.rcf.cards import CARDS, resolved


def _adapter() -> Adapter:
    from engine.backbones.rcf import drawing, encoder

    return Adapter(encoder.encoder, encoder.load, encoder.wrap, draw=drawing.draw)


RCF = Family("rcf", "Random convolutional features", CARDS, _adapter, resolved)

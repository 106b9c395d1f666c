"""The families of TerraMind (IBM and ESA) and of the tokenizers that it reads some modalities through."""

from __future__ import annotations

from collections.abc import Mapping

from engine.backbones.core.family import Adapter, Family, GoldenRunner
from engine.backbones.terramind.cards import CARDS
from engine.backbones.terramind.settings import companions, resolved, statistics


def _adapter() -> Adapter:
    from engine.backbones.parts.loading import strict_loader
    from engine.backbones.terramind import backbone, encoder

    load = strict_loader(encoder.encoder, encoder.official_to_encoder)
    return Adapter(encoder.encoder, load, backbone.wrap, backbone.attach)


def _golden() -> Mapping[str, GoldenRunner]:
    from engine.backbones.terramind import golden

    return {"terramind": golden.run}


def _tokenizer_adapter() -> Adapter:
    from engine.backbones.parts.loading import strict_loader
    from engine.backbones.terramind import tokenizer

    return Adapter(tokenizer.encoder, strict_loader(tokenizer.encoder, tokenizer.official_to_encoder))


def _tokenizer_golden() -> Mapping[str, GoldenRunner]:
    from engine.backbones.terramind import golden

    return {"terramind_tokenizer": golden.run_tokenizer}


TERRAMIND = Family(
    "terramind", "TerraMind", CARDS, _adapter, resolved, companions, statistics=statistics, golden=_golden
)
# Their cards are companions of TerraMind's; nobody chooses one.
TERRAMIND_TOKENIZER = Family(
    "terramind_tokenizer", "TerraMind tokenizers", (), _tokenizer_adapter, golden=_tokenizer_golden
)

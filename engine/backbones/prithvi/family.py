"""The family of Prithvi-EO (IBM and NASA)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.backbones.core.family import Adapter, Family, GoldenRunner
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.parts.band_subset import narrowed
from engine.backbones.prithvi.cards import CARDS


def _adapter() -> Adapter:
    from engine.backbones.parts.loading import strict_loader
    from engine.backbones.prithvi import encoder as prithvi

    return Adapter(prithvi.encoder, strict_loader(prithvi.encoder, prithvi.official_to_encoder), prithvi.wrap)


def _golden() -> Mapping[str, GoldenRunner]:
    from engine.backbones.prithvi import golden

    return {"prithvi": golden.run}


def _resolved(spec: BackboneSpec, settings: Mapping[str, str], bands: Sequence[str] | None) -> BackboneSpec:
    return narrowed(spec, bands) if settings["bands"] == "available" and bands is not None else spec


PRITHVI = Family("prithvi", "Prithvi-EO", CARDS, _adapter, _resolved, golden=_golden)

"""Which of TerraMind's modalities a run uses, and what that makes of its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.parts.constructor import argument
from engine.backbones.terramind.cards import TOKENIZERS
from engine.backbones.terramind.modalities import IMAGE_MODALITIES, MODALITIES
from engine.errors import BackboneError, MissingBand

NDVI_FROM = ("red", "nir_broad")


def resolved(
    spec: BackboneSpec, settings: Mapping[str, str], available: Sequence[str] | None
) -> BackboneSpec:
    """The card for the modalities that are used and, where bands are subset, for what the scene has.

    Args:
        spec: the card as it stands in the table.
        settings: every setting of the card.
        available: common names of the scene's bands; None where no scene is at hand.

    Raises:
        BackboneError: no modality is used.
        MissingBand: a subset was asked for and a modality would be left without any band.
    """
    names = tuple(name for name in IMAGE_MODALITIES if settings[name.lower()] == "use")
    if not names:
        raise BackboneError(
            f"at least one modality of {spec.name} was wanted; all are ignored. Set s2l2a: use."
        )
    subset = settings["bands"] == "available" and available is not None
    bands = {name: _bands(spec, name, available or (), subset) for name in names}
    statistics = {
        band: _statistics(name, band)
        for name in reversed(names)
        for band in bands[name]
        if MODALITIES[name].mean
    }
    wanted = tuple(dict.fromkeys(band for name in names for band in bands[name]))
    mean, std = zip(*(statistics.get(band, (0.0, 1.0)) for band in wanted), strict=True)
    return replace(
        spec,
        bands=wanted,
        normalisation=replace(spec.normalisation, mean=mean, std=std),
        dim=argument(spec.config, "embed_dim", int) * (len(names) if settings["merge"] == "concat" else 1),
        config=MappingProxyType({
            **spec.config,
            "modalities": names,
            "modality_bands": {n: bands[n] for n in names if subset and MODALITIES[n].kind == "pixels"},
        }),
    )  # fmt: skip


def modality_bands(spec: BackboneSpec) -> dict[str, tuple[str, ...]]:
    """Modality -> the channels that inputs bring, where they are not all of the modality's."""
    subsets = argument(spec.config, "modality_bands", dict, {})
    return {str(name): tuple(bands) for name, bands in subsets.items()}


def modality_names(spec: BackboneSpec) -> tuple[str, ...]:
    """The modalities that the card's encoder embeds."""
    return tuple(str(name) for name in argument(spec.config, "modalities", list))


def companions(spec: BackboneSpec) -> dict[str, BackboneSpec]:
    """Modality -> the card of the tokenizer whose weights it needs beside the encoder's."""
    return {name: TOKENIZERS[name] for name in modality_names(spec) if name in TOKENIZERS}


def _bands(spec: BackboneSpec, name: str, available: Sequence[str], subset: bool) -> tuple[str, ...]:
    """What a modality reads of the scene."""
    if name == "NDVI" and "ndvi" not in available:
        return NDVI_FROM
    known = MODALITIES[name].bands
    if not subset or MODALITIES[name].kind != "pixels":
        return known
    found = tuple(band for band in known if band in available)
    if not found:
        raise MissingBand(
            f"{spec.name} with {name} needs some of {', '.join(known)}; "
            f"the scene has {', '.join(available)}. "
        )
    return found


def _statistics(name: str, band: str) -> tuple[float, float]:
    modality = MODALITIES[name]
    if band not in modality.bands:  # the two bands that NDVI is computed from
        return 0.0, 1.0
    place = modality.bands.index(band)
    return modality.mean[place], modality.std[place]

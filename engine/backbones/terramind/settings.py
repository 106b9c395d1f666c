"""Which of TerraMind's modalities a run uses, and what that makes of its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.core.statistics import BandStatistics
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
        raise BackboneError(f"{spec.name} ignores all of its modalities. Set s2l2a: use, or another one.")
    subset = settings["bands"] == "available" and available is not None
    bands = {name: _bands(spec, name, available, subset) for name in names}
    read = tuple(dict.fromkeys(band for name in names for band in bands[name]))
    numbers = {band: pair for name in reversed(names) for band, pair in _numbers(name).items()}
    mean, std = zip(*(numbers.get(band, (0.0, 1.0)) for band in read), strict=True)
    levels = {MODALITIES[name].level for name in names} - {None}
    return replace(
        spec,
        bands=read,
        level="either" if len(levels) > 1 else next(iter(levels), None),
        normalisation=replace(spec.normalisation, mean=mean, std=std),
        dim=argument(spec.config, "embed_dim", int) * (len(names) if settings["merge"] == "concat" else 1),
        config=MappingProxyType({
            **spec.config,
            "modalities": names,
            "modality_bands": {n: bands[n] for n in names if subset and MODALITIES[n].kind == "pixels"},
        }),
    )  # fmt: skip


def statistics(spec: BackboneSpec, settings: Mapping[str, str]) -> dict[str, BandStatistics]:
    """The numbers of each band of a settled card, as the first of its modalities that has the band states them."""
    found: dict[str, BandStatistics] = {}
    for name in reversed(modality_names(spec)):
        for band, (mean, std) in _numbers(name).items():
            found[band] = _band_statistics(name, mean, std, settings)
    return {band: found[band] for band in spec.bands if band in found}


def _band_statistics(name: str, mean: float, std: float, settings: Mapping[str, str]) -> BandStatistics:
    match name:
        case "S2L2A" | "S2L1C":
            offset = float(settings["sentinel2_offset"])
            return BandStatistics((mean - offset) / 1e4, std / 1e4)
        case "RGB":
            white = float(settings["rgb_white"])
            return BandStatistics(mean * white / 255, std * white / 255, white=white)
        case "S1GRD" | "S1RTC":
            return BandStatistics(mean, std, "decibels")
        case "DEM":
            return BandStatistics(mean, std, "metres")
    return BandStatistics(mean, std, "index")


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


def _bands(spec: BackboneSpec, name: str, available: Sequence[str] | None, subset: bool) -> tuple[str, ...]:
    """What a modality reads of the scene."""
    known = MODALITIES[name].bands
    if available is None:
        return known
    if name == "NDVI" and "ndvi" not in available:
        return NDVI_FROM
    if not subset or MODALITIES[name].kind != "pixels":
        return known
    found = tuple(band for band in known if band in available)
    if not found:
        raise MissingBand(
            f"{spec.name} needs some of {', '.join(known)} for {name}; the scene has {', '.join(available)}. "
            f"Choose another modality, or a scene with these bands."
        )
    return found


def _numbers(name: str) -> dict[str, tuple[float, float]]:
    """Mean and deviation of each band that a modality states them for, in the modality's own unit."""
    modality = MODALITIES[name]
    return dict(
        zip(modality.bands, zip(modality.mean, modality.std, strict=True), strict=bool(modality.mean))
    )

"""Cards of torchgeo's weights, read from torchgeo by a short process of its own, so that pages need no torch."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from engine.backbones.core.spec import BackboneSpec, Level, Normalisation, WeightsSource
from engine.backbones.core.statistics import BandStatistics
from engine.backbones.parts.band_subset import narrowed
from engine.backbones.parts.facts_process import facts_of_process
from engine.backbones.timm.settings import VIT_SETTINGS
from engine.backbones.torchgeo.bands import Numbers, numbers_of

PREFIX = "torchgeo/"
# CROMA's weights state neither bands nor numbers. Bands: the authors' README (12 of Sentinel-2 without cirrus; vv, vh). They
# stretch each band from two deviations below its mean to two above it over the images at hand; the means and deviations
# of SSL4EO-S12, its training images, stand here instead, so that a window's embedding does not depend on the others:
# torchgeo 0.8.1, models/resnet.py, _mean_s2, _std_s2, _mean_s1, _std_s1.
_CROMA_S2 = (
    ("coastal_aerosol", 1612.9, 791.0), ("blue", 1397.6, 854.3), ("green", 1322.3, 878.7), ("red", 1373.1, 1144.9),
    ("red_edge_1", 1561.0, 1127.5), ("red_edge_2", 2108.4, 1164.2), ("red_edge_3", 2390.7, 1276.0),
    ("nir_broad", 2318.7, 1249.5), ("nir_narrow", 2581.0, 1345.9), ("water_vapor", 837.7, 577.5),
    ("swir_1", 2195.2, 1340.0), ("swir_2", 1537.4, 1142.9),
)  # fmt: skip
_CROMA_S1 = (("vv", -12.59, 5.26), ("vh", -20.26, 5.91))
_WHITE_OF_SENTINEL_2, _WHITE_OF_PHOTOGRAPHS = ("0.3558", "0.3", "0.2", "1.0"), ("0.3", "0.2", "0.3558", "1.0")
_CONVENTIONS = MappingProxyType({
    "size": "Windows keep the pixels of the scene; torchgeo's transforms enlarge and cut images first.",
    "gaps": "A missing pixel is 0 after standardising.",
    "level": "As the bands tell: Sentinel-2 with cirrus is top of atmosphere, Landsat's SR bands are surface reflectance.",
})  # fmt: skip
_OPEN = MappingProxyType({
    "bands": "all: a scene that lacks a band is refused; available: bands that it lacks drop from the first layer by name.",
    "rgb_white": "The reflectance that is 255 of the 8-bit colours of the training images: 0.3558 in ESA's true-colour "
    "images of Sentinel-2 L1C, 0.2 in those of L2A; photographs state none.",
    "radar_values": "What a scene's vv and vh hold where its sensor does not say: decibels, as in training, or linear power.",
    "input": "Which of the encoders runs: the optical one, the radar one, or both and what joins them.",
    "norm": "As timm's models: which layers pass through the final norm. Files without one get a norm that only standardises, "
    "as in torchgeo.",
})  # fmt: skip


@functools.lru_cache(maxsize=64)
def torchgeo_card(name: str) -> BackboneSpec:
    """The card of `torchgeo/<weight>`.

    Where torch is already loaded the facts are read here; elsewhere a process reads them once.

    Raises:
        BackboneError: torchgeo is not installed, has no such weight, or it needs what scenes do not have.
    """
    weight = name.removeprefix(PREFIX)
    if "torch" in sys.modules:
        from engine.backbones.torchgeo.weight_facts import facts

        return _card(name, facts(weight))
    return _card(name, facts_of_process("engine.backbones.torchgeo.weight_facts", name, weight))


def resolved(spec: BackboneSpec, settings: Mapping[str, str], bands: Sequence[str] | None) -> BackboneSpec:
    """The card for the encoders, the white and the bands that were chosen.

    Raises:
        MissingBand: none of the bands is there.
    """
    if settings.get("input", "optical") != "optical":
        spec = _with_radar(spec, settings["input"])
    elif "rgb_white" in settings:
        spec = _standardised(spec, _numbers(spec), float(settings["rgb_white"]))
    if settings.get("bands") == "available" and bands is not None:
        return narrowed(spec, bands)
    return spec


def statistics(spec: BackboneSpec, _: Mapping[str, str]) -> dict[str, BandStatistics]:
    """The numbers of a settled card by band, whose white is in them already."""
    return {
        band: BandStatistics(mean, std, "decibels" if band in ("vv", "vh") else "reflectance")
        for band, mean, std in zip(spec.bands, spec.normalisation.mean, spec.normalisation.std, strict=True)
    }


def _card(name: str, facts: dict[str, Any]) -> BackboneSpec:
    enum, _, weight = str(facts["name"]).partition(".")
    is_croma = facts["model"].startswith("croma")
    numbers = _croma(_CROMA_S2) if is_croma else numbers_of(
        weight, facts["codes"], facts["dataset"], facts["mean"], facts["std"]
    )  # fmt: skip
    is_flat = len(set(facts["strides"])) == 1
    settings = _settings(numbers, facts, is_croma, weight)
    words = " with " + facts["method"].upper() if facts["method"] else ""
    spec = BackboneSpec(
        name=name,
        title=f"{enum.removesuffix('_Weights')} {weight}",
        family="torchgeo",
        summary=f"torchgeo's {facts['model']}, trained{words} on {facts['dataset'] or 'images that torchgeo does not name'}.",
        bands=(), normalisation=Normalisation("", 1.0, (), (), f"torchgeo, {facts['name']}: transforms"),
        chip_px=facts["chip_px"], patch_px=facts["strides"][-1], dim=facts["dims"][-1], depth=len(facts["dims"]),
        parameters=facts["parameters"],
        licence=facts["licence"] or "not stated by torchgeo: see the publisher's page", licence_url=facts["page"],
        citation=f"{facts['publication']} (weights: torchgeo, https://arxiv.org/abs/2111.08872)",
        weights=_source(facts), level=_level(numbers, weight), gsd_m=_gsd_m(weight, is_croma),
        default_layers=(-1,) if is_flat else (len(facts["dims"]) - 3,),
        layer_strides=() if is_flat else tuple(facts["strides"]), layer_dims=() if is_flat else tuple(facts["dims"]),
        pooling=("mean", "max", "cls") if facts["has_cls"] else ("mean", "max"),
        settings=MappingProxyType(settings),
        conventions=MappingProxyType({**_CONVENTIONS, **{key: _OPEN[key] for key in settings}}),
        config=MappingProxyType({
            "model": facts["model"], "img_size": facts["img_size"], "torch_hub": True, "numbers": numbers,
            "modalities": ("optical",),
        }),
    )  # fmt: skip
    return _standardised(spec, numbers, float(settings.get("rgb_white", ("1.0",))[0]))


def _settings(
    numbers: Sequence[Numbers], facts: dict[str, Any], is_croma: bool, weight: str
) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    units = {one.unit for one in numbers}
    if is_croma:
        found["input"] = ("optical", "radar", "both")
    elif len(numbers) > 3:
        found["bands"] = ("all", "available")
    if "colour" in units:
        found["rgb_white"] = _WHITE_OF_SENTINEL_2 if weight.startswith("SENTINEL2") else _WHITE_OF_PHOTOGRAPHS
    if "decibels" in units or is_croma:
        found["radar_values"] = ("db", "linear")
    if facts["has_prefix"]:
        found |= VIT_SETTINGS
    return found


def _standardised(spec: BackboneSpec, numbers: Sequence[Numbers], white: float) -> BackboneSpec:
    """The card with bands and statistics as reflectance and decibels, and whether values beyond the range are cut."""
    mean, std = zip(*(one.as_read(white) for one in numbers), strict=True)
    is_cut = "croma" in str(spec.config["model"]) or any(one.unit in ("colour", "landsat") for one in numbers)
    has_range = all(value == 0 for value in mean) or "croma" in str(spec.config["model"])
    unit = "decibels" if numbers[0].unit == "decibels" else "reflectance of 0 to 1"
    if len({one.unit == "decibels" for one in numbers}) == 2:
        unit = "decibels, and reflectance of 0 to 1"
    return replace(
        spec, bands=tuple(one.name for one in numbers),
        normalisation=replace(spec.normalisation, unit=unit, mean=mean, std=std),
        config=MappingProxyType({**spec.config, "numbers": tuple(numbers), "is_cut": is_cut and has_range}),
    )  # fmt: skip


def _numbers(spec: BackboneSpec) -> tuple[Numbers, ...]:
    found = spec.config["numbers"]
    assert isinstance(found, tuple)
    return found


def _croma(rows: Sequence[tuple[str, float, float]]) -> tuple[Numbers, ...]:
    """Stretched from two deviations below the mean, which becomes 0, to two above it, which becomes 1."""
    return tuple(
        Numbers(name, "decibels" if name in ("vv", "vh") else "dn", mean - 2 * std, 4 * std)
        for name, mean, std in rows
    )


def _with_radar(spec: BackboneSpec, chosen: str) -> BackboneSpec:
    radar, optical = _croma(_CROMA_S1), _croma(_CROMA_S2)
    numbers, modalities = (radar, ("sar",)) if chosen == "radar" else ((*radar, *optical), ("sar", "optical"))
    settled = replace(
        spec, depth=spec.depth // 2, level=None if chosen == "radar" else spec.level,
        config=MappingProxyType({**spec.config, "modalities": modalities}),
    )  # fmt: skip
    return _standardised(settled, numbers, 1.0)


def _source(facts: dict[str, Any]) -> WeightsSource:
    """The hub's repository, revision and file of an address, and the first digits of the hash in its name."""
    owner, repo, _, revision, *file = urlsplit(facts["url"]).path.strip("/").split("/")
    named = re.search(r"-([0-9a-f]{8})\.pth?$", file[-1])
    return WeightsSource(
        kind="hub", repo=f"{owner}/{repo}", file="/".join(file), revision=revision, page=f"https://huggingface.co/{owner}/{repo}",
        size_mb=round(facts["parameters"] * 4 / 1e6, 1), sha256=named[1] if named else None,
    )  # fmt: skip


def _level(numbers: Sequence[Numbers], weight: str) -> Level | None:
    if any(one.name == "cirrus" for one in numbers):
        return "top of atmosphere"
    return "surface" if "_SR_" in weight else None


def _gsd_m(weight: str, is_croma: bool) -> float | None:
    if is_croma or weight.startswith("SENTINEL"):
        return 10.0
    return 30.0 if weight.startswith("LANDSAT") else None

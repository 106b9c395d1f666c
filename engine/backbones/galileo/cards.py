"""Cards of Galileo nano, tiny and base, and what settings and a scene's bands make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from engine.backbones.core.spec import BackboneSpec, Normalisation, WeightsSource
from engine.backbones.core.statistics import BandStatistics
from engine.backbones.galileo.groups import GROUPS, Group, band_statistics, used_groups
from engine.backbones.parts.constructor import argument
from engine.errors import BackboneError, MissingBand

_CITATION = """\
@misc{tseng2025galileo,
  author = {Tseng, Gabriel and Fuller, Anthony and Reil, Marlena and Herzog, Henry and Beukema, Patrick and
            Bastani, Favyen and Green, James R. and Shelhamer, Evan and Kerner, Hannah and Rolnick, David},
  title  = {Galileo: Learning Global and Local Features in Pretrained Remote Sensing Models},
  year   = {2025},
  eprint = {2502.09356},
  archivePrefix = {arXiv}
}
"""
# Training windows were 4 to 12 patches wide (the released config.json, shape_time_combinations); up to 16 stay near that.
_WINDOW_PATCHES, _LARGEST_PATCHES = 8, 16
# Of data/models/nano/encoder.pt in the authors' repository, nasaharvest/galileo at 0f0b5b9.
_NANO_SHA256 = "eab6acacf527886a508a555bc24efe4b4a2cf91b162e84cd1c4a1807e942180c"
_USE, _IGNORE = ("use", "ignore"), ("ignore", "use")
_SETTINGS = MappingProxyType({
    "patch_px": ("4", "8", "1", "2", "3", "5", "6", "7"),
    "merge": ("mean", "concat"),
    "s1": _USE, "s2": _USE, "ndvi": _USE, "srtm": _USE, "location": _IGNORE,
    "radar_values": ("db", "linear"),
})  # fmt: skip
_CONVENTIONS = MappingProxyType({
    "patch_px": "Side of a patch; 1 to 8 px were all seen in training, in windows of 4 to 12 patches. 4 is this project's "
    "choice: 40 m on Sentinel-2.",
    "merge": "mean: over all tokens of a patch, groups and dates, as the authors do; concat: the groups side by side, "
    "each the mean of its dates.",
    "s1": "vv and vh, where the scene has both.",
    "s2": "Optical bands in groups (visible, red edge, the two near-infrared ones, short-wave infrared); a group that "
    "the scene does not have in full is left out of attention, and nothing is put in its place.",
    "ndvi": "Computed from red and the broad near-infrared band, where the scene has both.",
    "srtm": "Elevation in metres, where the scene has it, with the slope in degrees computed from it.",
    "location": "Centre of the window as a token that all patches attend to. ignore: the authors' input function leaves it "
    "out unless it is given, and neighbouring windows differ by it.",
    "month": "Of each date; 5 (June) where the date is unknown, as the authors' input function has it.",
    "radar_values": "What a scene's vv and vh hold where its sensor does not say: decibels, as in training, or linear power.",
    "window": "8 patches wide unless tiles.size_px says otherwise; chips wider than 16 patches are cut. Windows of 4 to 12 "
    "patches were seen in training.",
    "level": "Top of atmosphere: monthly composites of Earth Engine's COPERNICUS/S2_HARMONIZED (arXiv:2502.09356, "
    "src/data/earthengine/s2.py).",
    "gaps": "A missing pixel takes the training mean of its band.",
    "norm": "The final norm applies to the last layer only.",
})  # fmt: skip


def _card(
    size: str,
    dim: int,
    depth: int,
    heads: int,
    parameters: int,
    size_mb: float | None,
    sha256: str | None = None,
) -> BackboneSpec:
    return BackboneSpec(
        name=f"galileo_{size}",
        title=f"Galileo {size}",
        family="galileo",
        summary=(
            "Masked modelling of what a place looks like in radar, optical bands and elevation over the months, at all "
            "patch sizes from 1 to 8 px; it takes the bands that a scene has."
        ),
        bands=tuple(dict.fromkeys(band for group in GROUPS.values() for band in group.bands)),
        any_bands=True,
        normalisation=Normalisation(
            unit="top-of-atmosphere reflectance x 10000, decibels, metres", scale=1e4, mean=(), std=(),
            source="the authors' repository (nasaharvest/galileo), config/normalization.json: two deviations below the "
            "mean become 0, two above it 1",
        ),
        level="top of atmosphere",
        gsd_m=10.0,
        chip_px=4 * _WINDOW_PATCHES,
        largest_window_px=4 * _LARGEST_PATCHES,
        patch_px=4,
        dim=dim,
        depth=depth,
        parameters=parameters,
        licence="MIT",
        licence_url="https://github.com/nasaharvest/galileo/blob/main/LICENSE",
        citation=_CITATION,
        weights=WeightsSource(
            kind="hub", repo="nasaharvest/galileo", file=f"models/{size}/encoder.pt",
            page="https://huggingface.co/nasaharvest/galileo", size_mb=size_mb, sha256=sha256,
        ),
        max_frames=24,
        joins_dates=True,
        uses=("time", "location", "gsd"),
        settings=_SETTINGS,
        conventions=_CONVENTIONS,
        config=MappingProxyType({
            "embed_dim": dim, "depth": depth, "num_heads": heads, "mlp_ratio": 4.0, "max_sequence_length": 24,
            "patch_size": 4,
        }),
    )  # fmt: skip


CARDS: tuple[BackboneSpec, ...] = (
    _card("nano", 128, 4, 8, 919_360, 4.2, _NANO_SHA256),
    _card("tiny", 192, 12, 3, 5_527_776, None),
    _card("base", 768, 12, 12, 85_812_096, None),
)


def resolved(
    spec: BackboneSpec, settings: Mapping[str, str], available: Sequence[str] | None
) -> BackboneSpec:
    """The card for the patch that was chosen and the groups that the scene has.

    Args:
        settings: every setting of the card.
        available: common names of the scene's bands; None where no scene is at hand.

    Raises:
        BackboneError: every group is ignored.
        MissingBand: the scene has no group in full.
    """
    if not used_groups(settings, None):
        raise BackboneError(f"{spec.name} ignores all of its groups. Set s2: use, or another one.")
    groups = used_groups(settings, available)
    if not groups:
        raise MissingBand(
            f"{spec.name} takes {_words(used_groups(settings, None))}; the scene has {', '.join(available or ())}. "
            f"Choose a scene that has one of these groups in full, or a backbone that takes any bands."
        )
    patch_px, width = int(settings["patch_px"]), argument(spec.config, "embed_dim", int)
    return replace(
        spec,
        bands=tuple(dict.fromkeys(band for group in groups for band in group.bands)),
        any_bands=False,
        level=spec.level if any(group.setting in ("s2", "ndvi") for group in groups) else None,
        chip_px=patch_px * _WINDOW_PATCHES,
        largest_window_px=patch_px * _LARGEST_PATCHES,
        patch_px=patch_px,
        dim=width * (len(groups) if settings["merge"] == "concat" else 1),
        config=MappingProxyType({
            **spec.config, "patch_size": patch_px, "groups": tuple(group.name for group in groups),
        }),
    )  # fmt: skip


def group_names(spec: BackboneSpec) -> tuple[str, ...]:
    """The groups that a settled card reads."""
    return tuple(str(name) for name in argument(spec.config, "groups", list))


def statistics(spec: BackboneSpec, _: Mapping[str, str]) -> dict[str, BandStatistics]:
    """The authors' numbers for the bands that a card reads."""
    return {band: band_statistics(band) for band in spec.bands}


def _words(groups: Sequence[Group]) -> str:
    return "; ".join(" and ".join(group.bands) for group in groups)

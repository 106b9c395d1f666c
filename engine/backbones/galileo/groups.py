"""The groups in which Galileo takes bands: a token each for every patch (and date), with the numbers of its training.

Source of groups, order and numbers: the authors' repository (nasaharvest/galileo), config/normalization.json and
src/data/dataset.py; Tseng et al. 2025 (arXiv:2502.09356).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from engine.backbones.core.statistics import BandStatistics, Quantity

Kind = Literal["space_time", "space"]


@dataclass(frozen=True)
class Group:
    """Bands that become one token.

    Attributes:
        kind: "space_time": a token for each patch and date; "space": one for each patch.
        row: of its learnt vector among those of its kind.
        channels: of its patch projection, in their order.
        bands: that a scene must have.
        setting: of the card, which says whether the group is used.
    """

    name: str
    kind: Kind
    row: int
    channels: tuple[str, ...]
    bands: tuple[str, ...]
    setting: str


NDVI_FROM = ("red", "nir_broad")
GROUPS: Mapping[str, Group] = MappingProxyType({
    group.name: group
    for group in (
        Group("S1", "space_time", 0, ("vv", "vh"), ("vv", "vh"), "s1"),
        Group("S2_RGB", "space_time", 1, ("blue", "green", "red"), ("blue", "green", "red"), "s2"),
        Group("S2_Red_Edge", "space_time", 2, ("red_edge_1", "red_edge_2", "red_edge_3"),
              ("red_edge_1", "red_edge_2", "red_edge_3"), "s2"),
        Group("S2_NIR_10m", "space_time", 3, ("nir_broad",), ("nir_broad",), "s2"),
        Group("S2_NIR_20m", "space_time", 4, ("nir_narrow",), ("nir_narrow",), "s2"),
        Group("S2_SWIR", "space_time", 5, ("swir_1", "swir_2"), ("swir_1", "swir_2"), "s2"),
        Group("NDVI", "space_time", 6, ("ndvi",), NDVI_FROM, "ndvi"),
        Group("SRTM", "space", 0, ("elevation", "slope"), ("elevation",), "srtm"),
    )
})  # fmt: skip
# Rows of the learnt vectors: groups of each kind that the checkpoint knows, also those that no scene has here.
KNOWN_GROUPS = MappingProxyType({"space_time": 7, "space": 3, "static": 4})
LOCATION_ROW = 1  # of the static ones: LandScan, location, Dynamic World, WorldCereal

# Mean and deviation by channel; optical ones of reflectance times 10,000, radar in decibels, slope in degrees.
_NUMBERS = {
    "vv": (-11.7287, 4.8871), "vh": (-18.8556, 5.7303),
    "blue": (1395.3409, 917.7041), "green": (1338.4027, 913.2988), "red": (1343.0988, 1092.6787),
    "red_edge_1": (1543.8608, 1047.2206), "red_edge_2": (2186.2022, 1048.0102), "red_edge_3": (2525.0933, 1143.6903),
    "nir_broad": (2410.3377, 1098.9792), "nir_narrow": (2750.2855, 1204.4728),
    "swir_1": (2234.9111, 1145.9774), "swir_2": (1474.5311, 980.2430),
    "elevation": (673.0153, 983.0697), "slope": (5.9301, 8.1674),
}  # fmt: skip
REFLECTANCE_SCALE = 1e4
_QUANTITIES: Mapping[str, Quantity] = MappingProxyType({
    "vv": "decibels", "vh": "decibels", "ndvi": "index", "elevation": "metres", "slope": "index",
})  # fmt: skip


def used_groups(settings: Mapping[str, str], available: Collection[str] | None) -> tuple[Group, ...]:
    """The groups that the settings use and whose bands are all there.

    Args:
        available: common names of the scene's bands; None: all.
    """
    return tuple(
        group
        for group in GROUPS.values()
        if settings[group.setting] == "use"
        and (available is None or all(band in available for band in group.bands))
    )


def shift_and_spread(channel: str) -> tuple[float, float]:
    """What is taken off a channel and what it is divided by: two deviations below the mean become 0, two above 1."""
    if channel not in _NUMBERS:
        return 0.0, 1.0  # an index goes in as it is
    mean, std = _NUMBERS[channel]
    return mean - 2 * std, 4 * std


def is_reflectance(channel: str) -> bool:
    """Whether a channel holds reflectance, which the model takes times 10,000."""
    return channel not in _QUANTITIES


def band_statistics(band: str) -> BandStatistics:
    """Mean and deviation of a band in the unit that a scene has."""
    mean, std = _NUMBERS[band]
    if is_reflectance(band):
        return BandStatistics(mean / REFLECTANCE_SCALE, std / REFLECTANCE_SCALE)
    return BandStatistics(mean, std, _QUANTITIES[band])

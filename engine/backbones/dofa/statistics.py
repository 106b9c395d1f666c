"""What DOFA expects of each band."""

from __future__ import annotations

from collections.abc import Mapping

from engine.backbones.core.spec import BackboneSpec
from engine.backbones.core.statistics import BandStatistics

# How the authors brought backscatter to 8 bits is not published, so radar is standardised in decibels with
# the Sentinel-1 GRD statistics of TerraMesh (TerraMind's v1 table): mean and standard deviation.
RADAR_STATISTICS = {
    "vv": (-12.599, 5.195),
    "vh": (-20.293, 5.890),
    "hh": (-12.599, 5.195),
    "hv": (-20.293, 5.890),
}


def statistics(spec: BackboneSpec, settings: Mapping[str, str]) -> dict[str, BandStatistics]:
    """The authors' numbers by band; none where reflectance is not standardised."""
    if settings["reflectance_at_255"] == "none":
        return {}
    white, seen = float(settings["reflectance_at_255"]), spec.normalisation
    optical = {
        band: BandStatistics(mean * white / 255, std * white / 255, white=white)
        for band, mean, std in zip(spec.bands, seen.mean, seen.std, strict=True)
    }
    radar = {band: BandStatistics(*pair, "decibels") for band, pair in RADAR_STATISTICS.items()}
    return optical | radar

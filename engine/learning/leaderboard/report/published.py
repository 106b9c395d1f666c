"""Figures that others have published on HLS Burn Scars: shown apart from a leaderboard's own, and never in one table."""

from __future__ import annotations

from dataclasses import dataclass

# Simumba et al. 2025, "GEO-Bench-2: From Performance to Capability, Rethinking Evaluation in Geospatial AI", arXiv 2511.15658,
# and the leaderboard that goes with it.
SOURCE = "GEO-Bench-2 (Simumba et al. 2025, arXiv 2511.15658)"
SETTING = (
    "HLS Burn Scars, multi-class Jaccard index (the mean IoU of both classes), a U-Net decoder, five seeds. Other decoders, "
    "another split and other settings than here: not to be compared row by row."
)


@dataclass(frozen=True)
class Published:
    """One model's scores with its encoder frozen, and fine-tuned as a whole."""

    model: str
    frozen: float
    fine_tuned: float


FIGURES: tuple[Published, ...] = (
    Published("Prithvi-EO 2.0 600M TL", 0.886, 0.888),
    Published("SSL4EO ResNet50 DeCUR", 0.869, 0.879),
    Published("Clay v1", 0.863, 0.893),
    Published("TerraMind v1 large", 0.861, 0.884),
    Published("DOFA large", 0.757, 0.892),
    Published("DINOv3 ViT-L satellite", 0.629, 0.694),
    Published("DINOv3 ConvNeXt-L", 0.537, 0.765),
)

"""What the health card's numbers are for encoders with weights and without: where its thresholds come from.

Measured by `python -m engine health --shift` on float16 stores of the sample scene (`assets/samples/virginia.tif`) and of a
scene of Sentinel-2 over Myanmar (2021-03-18, eight bands at 20 m, 9 x 9 km), each with its card's own tiles and without
overlap, each layer at its own patches; Galileo with patches of 4 px in windows of 32 px.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Reference:
    """One encoder on one scene.

    Attributes:
        kind: trained; random weights; or features that were never trained and are no encoder's.
        first_component: share of the variance of the first component.
        most_following: the largest share of the first three components that an index explains.
    """

    title: str
    kind: Literal["trained", "random", "features"]
    dim: int
    position_share: float
    seam_score: float
    border_share: float
    effective_rank: float
    norm_spread: float
    mean_share: float
    first_component: float
    most_following: float
    shift_sensitivity: float


REFERENCES = (
    Reference("EfficientNet-Lite0", "trained", 40, 0.05, 1.1, 0.99, 24.4, 2.2, 0.18, 0.16, 0.19, 0.24),
    Reference("csmask, layer 1", "trained", 32, 0.05, 1.34, 1.09, 21.6, 2.15, 0.31, 0.14, 0.17, 0.43),
    Reference("csmask, layer 0", "trained", 24, 0.05, 1.85, 1.01, 15.0, 2.29, 0.39, 0.16, 0.04, 0.73),
    Reference("Galileo nano", "trained", 128, 0.64, 1.73, 0.99, 17.3, 1.2, 0.52, 0.17, 0.36, 0.21),
    Reference("Random convolutional features", "features", 256, 0.02, 1.02, 0.96, 13.8, 2.54, 0.38, 0.29, 0.46, 0.21),
    Reference("Reflectance (raw)", "features", 96, 0.04, 0.97, 0.97, 2.2, 3.02, 0.67, 0.83, 0.68, 0.2),
    Reference("EfficientNet-Lite0", "random", 40, 0.46, 2.8, 2.49, 13.0, 1.75, 0.85, 0.27, 0.15, 0.24),
    Reference("csmask, layer 1", "random", 32, 0.11, 4.53, 1.02, 2.7, 2.92, 0.76, 0.8, 0.68, 0.15),
    Reference("csmask, layer 0", "random", 24, 0.08, 6.81, 0.96, 2.4, 2.07, 0.81, 0.8, 0.65, 0.18),
    Reference("Galileo nano", "random", 128, 0.96, 0.84, 0.96, 13.7, 1.02, 0.88, 0.14, 0.01, 0.03),
    Reference("Prithvi tiny", "random", 192, 0.35, 1.96, 1.02, 8.9, 1.0, 0.84, 0.5, 0.65, 0.13),
    Reference("ViT tiny of timm", "random", 192, 0.06, 1.01, 0.63, 18.6, 1.0, 0.93, 0.32, 0.54, 0.34),
    Reference("EfficientNet-Lite0, Myanmar", "trained", 40, 0.05, 1.17, 1.14, 27.1, 1.78, 0.17, 0.12, 0.12, 0.27),
    Reference("Galileo nano, Myanmar", "trained", 128, 0.82, 1.6, 1.03, 15.5, 1.14, 0.56, 0.16, 0.0, 0.2),
    Reference("Random convolutional features, Myanmar", "features", 256, 0.0, 1.02, 0.87, 29.3, 2.2, 0.6, 0.16, 0.31, 0.27),
    Reference("Reflectance (raw), Myanmar", "features", 128, 0.0, 1.03, 0.84, 4.8, 1.46, 0.97, 0.64, 0.67, 0.35),
    Reference("EfficientNet-Lite0, Myanmar", "random", 40, 0.18, 1.35, 1.46, 21.2, 2.38, 0.67, 0.23, 0.23, 0.38),
    Reference("Galileo nano, Myanmar", "random", 128, 0.99, 0.85, 1.01, 13.2, 1.03, 0.88, 0.15, 0.0, 0.03),
    Reference("ViT tiny of timm, Myanmar", "random", 192, 0.11, 1.09, 1.38, 25.0, 1.0, 0.83, 0.26, 0.56, 0.34),)  # fmt: skip

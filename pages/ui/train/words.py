"""What the Train page calls heads, losses, splits and schedules."""

from __future__ import annotations

from collections.abc import Mapping

HEADS: Mapping[str, str] = {
    "mlp": "MLP · looks at one patch",
    "linear": "Linear · the plainest probe",
    "conv": "Convolution · sees the neighbours",
    "fusion": "Fusion · joins several layers",
    "knn": "k-NN · asks the nearest patches",
    "forest": "Random forest",
}
LOSSES: Mapping[str, str] = {
    "cross_entropy_dice": "Cross-entropy + Dice",
    "cross_entropy": "Cross-entropy",
    "dice": "Dice",
    "focal": "Focal",
    "lovasz": "Lovász",
    "jaccard": "Jaccard",
    "sum": "A weighted sum",
    "squared": "Squared error",
    "absolute": "Absolute error",
    "huber": "Huber",
}
SPLITS: Mapping[str, str] = {
    "auto": "As the data say, else by place",
    "files": "By the data's split files",
    "place": "By place, in blocks of tiles",
    "chip": "By chip",
    "fire": "By fire",
    "block": "By square",
    "date": "By date, the latest test",
}
SCHEDULES: Mapping[str, str] = {
    "cosine": "Cosine to nothing",
    "plateau": "Halved on a plateau",
    "constant": "Constant",
}
PIXELS: Mapping[str, str] = {"block": "A block of pixels a patch", "interpolate": "Interpolated"}
AUGMENT: Mapping[str, str] = {"none": "None", "flips": "Flips and turns"}

"""TerraMind's modalities: their keys in the files, channels in order and training statistics (v1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from engine.backbones.core.spec import Level


@dataclass(frozen=True)
class Modality:
    """One kind of input.

    Attributes:
        key: its name in the checkpoint.
        kind: raw pixels, an image of token ids, or a sequence of token ids.
        bands: channels in order; for token images, what its tokenizer reads.
        mean, std: in the modality's unit (reflectance x 10000, decibels, metres, 0 to 255, index).
        vocabulary: token ids that exist; 0 for raw pixels.
        level: processing level of the reflectance, None for what is not reflectance.
    """

    key: str
    kind: Literal["pixels", "token image", "token sequence"]
    bands: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    vocabulary: int = 0
    level: Level | None = None


_S2 = ("coastal_aerosol", "blue", "green", "red", "red_edge_1", "red_edge_2", "red_edge_3", "nir_broad", "nir_narrow",
       "water_vapor", "swir_1", "swir_2")  # fmt: skip

# Statistics: terratorch, models/backbones/terramind/model/terramind_register.py, v1_pretraining_mean and _std.
MODALITIES: Mapping[str, Modality] = MappingProxyType({
    "S2L2A": Modality(
        "untok_sen2l2a@224", "pixels", _S2,
        (1390.458, 1503.317, 1718.197, 1853.91, 2199.1, 2779.975, 2987.011, 3083.234, 3132.22, 3162.988, 2424.884,
         1857.648),
        (2106.761, 2141.107, 2038.973, 2134.138, 2085.321, 1889.926, 1820.257, 1871.918, 1753.829, 1797.379, 1434.261,
         1334.311),
        level="surface",
    ),
    "S2L1C": Modality(
        "untok_sen2l1c@224", "pixels", (*_S2[:10], "cirrus", *_S2[10:]),
        (2357.089, 2137.385, 2018.788, 2082.986, 2295.651, 2854.537, 3122.849, 3040.56, 3306.481, 1473.847, 506.07,
         2472.825, 1838.929),
        (1624.683, 1675.806, 1557.708, 1833.702, 1823.738, 1733.977, 1732.131, 1679.732, 1727.26, 1024.687, 442.165,
         1331.411, 1160.419),
        level="top of atmosphere",
    ),
    "RGB": Modality(
        "untok_sen2rgb@224", "pixels", ("red", "green", "blue"), (87.271, 80.931, 66.667), (58.767, 47.663, 42.631),
    ),
    "S1GRD": Modality("untok_sen1grd@224", "pixels", ("vv", "vh"), (-12.599, -20.293), (5.195, 5.890)),
    "S1RTC": Modality("untok_sen1rtc@224", "pixels", ("vv", "vh"), (-10.93, -17.329), (4.391, 4.459)),
    "DEM": Modality("untok_dem@224", "pixels", ("elevation",), (670.665,), (951.272,)),
    "LULC": Modality("tok_lulc@224", "token image", ("lulc",), vocabulary=4375),
    "NDVI": Modality("tok_ndvi@224", "token image", ("ndvi",), (0.327,), (0.322,), vocabulary=15360, level="surface"),
    "coords": Modality("coords", "token sequence", vocabulary=30000),
})  # fmt: skip
# In the order in which their tokens are laid out; attention does not depend on it.
IMAGE_MODALITIES = ("S2L2A", "S2L1C", "S1GRD", "S1RTC", "RGB", "DEM", "NDVI", "LULC")

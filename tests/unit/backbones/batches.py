"""Batches for the adapters' tests: all bands that any of them reads, no two pixels alike, some missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import torch

from engine.backbones.core.batch import Batch

# Common name -> centre wavelength in micrometres (0 where there is none).
ALL_BANDS = {
    "coastal_aerosol": 0.443, "blue": 0.492, "green": 0.56, "red": 0.665, "red_edge_1": 0.704,
    "red_edge_2": 0.74,
    "red_edge_3": 0.783, "nir_broad": 0.833, "nir_narrow": 0.865, "water_vapor": 0.945, "cirrus": 1.374,
    "swir_1": 1.614, "swir_2": 2.202, "vv": 0.0, "vh": 0.0, "elevation": 0.0, "lulc": 0.0,
}  # fmt: skip
OPTICAL = tuple(ALL_BANDS)[:13]
HLS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")


def make_batch(
    chips: int = 2,
    dates: int = 1,
    height: int = 64,
    width: int = 64,
    bands: Sequence[str] = tuple(ALL_BANDS),
    gaps: bool = True,
    gsd_m: float = 10.0,
    seed: int = 0,
) -> Batch:
    """Reflectance of 0 to 0.4, decibels of -25 to -5, metres of 0 to 1000, classes 0 to 9."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(chips, dates, len(bands), height, width, generator=generator)
    for place, band in enumerate(bands):
        scale, offset = {"vv": (20, -25), "vh": (20, -25), "elevation": (1000, 0), "lulc": (9.99, 0)}.get(
            band, (0.4, 0)
        )
        image[:, :, place] = image[:, :, place] * scale + offset
        if band == "lulc":
            image[:, :, place] = image[:, :, place].floor()
    valid = torch.rand(chips, dates, height, width, generator=generator) > (0.1 if gaps else -1.0)
    return Batch(
        image=image,
        valid=valid,
        bands=tuple(bands),
        wavelengths_um=tuple(ALL_BANDS[band] for band in bands),
        gsd_m=gsd_m,
        datetimes=[
            [datetime(2021, 3 + date, 5 + chip, 10, 30) for date in range(dates)] for chip in range(chips)
        ],
        lonlat=torch.tensor([[12.5 + chip, 41.25 - chip] for chip in range(chips)]),
    )

"""HLS Burn Scars as published, small: its names, split files, int16 masks with -1, and a CRS of its own making."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

SIDE = 32
BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
# UTM zone 10 in words that no EPSG code is told by, as the published masks have it.
CUSTOM_CRS = (
    'PROJCS["UTM Zone 10, Northern Hemisphere",GEOGCS["Unknown datum based upon the WGS 84 ellipsoid",'
    'DATUM["Not_specified_based_on_WGS_84_spheroid",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],'
    'PARAMETER["central_meridian",-123],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],'
    'PARAMETER["false_northing",0],UNIT["metre",1]]'
)
STEMS = tuple(f"subsetted_512x512_HLS.S30.T10SDH.{2020190 + number}.v1.4" for number in range(9))
SPLITS = {"train": STEMS[:4], "val": STEMS[4:6], "test": STEMS[6:]}


def write_layout(folder: Path, mask_crs: str = CUSTOM_CRS) -> Path:
    """data/<stem>_merged.tif, data/<stem>.mask.tif and splits/*.txt; scars darken near infrared."""
    for part in ("data", "splits"):
        (folder / part).mkdir(parents=True)
    for number, stem in enumerate(STEMS):
        _write_chip(folder / "data", stem, number, mask_crs)
    for name, stems in SPLITS.items():
        (folder / "splits" / f"{name}.txt").write_text("\n".join(stems) + "\n", encoding="utf-8")
    return folder


def _write_chip(folder: Path, stem: str, number: int, mask_crs: str) -> None:
    chance = np.random.default_rng(number)
    row, column = np.mgrid[0:SIDE, 0:SIDE]
    burned = np.hypot(row - chance.integers(10, 22), column - chance.integers(10, 22)) < 8
    image = np.where(burned, np.array([0.04, 0.05, 0.06, 0.08, 0.2, 0.22])[:, None, None],
                     np.array([0.03, 0.06, 0.04, 0.35, 0.2, 0.1])[:, None, None])  # fmt: skip
    image = (image + chance.normal(0, 0.005, image.shape)).astype(np.float32)
    mask = burned.astype(np.int16)
    mask[-2:] = -1
    grid = Affine(30, 0, 500_000 + number * 5_000, 0, -30, 4_500_000)
    for name, values, crs in (("_merged.tif", image, "EPSG:32610"), (".mask.tif", mask[None], mask_crs)):
        with rasterio.open(folder / f"{stem}{name}", "w", driver="GTiff", count=len(values), dtype=values.dtype,
                           height=SIDE, width=SIDE, crs=crs, transform=grid) as out:  # fmt: skip
            out.write(values)
            if len(values) > 1:
                out.descriptions = BANDS
